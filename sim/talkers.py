"""Talkers: recorded or synthesized speech, placed on the time line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from hearing_datasets import Clip, kit_clips, packaged_clips, read_clip, synthesize
from hearing_sim.scene import Scene, Talker, Turn
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

FRAME = 320
"""Samples of a frame in which speech is looked for."""
MARGIN = round(0.15 * SAMPLE_RATE)
"""Samples of the recording that are kept before and after the speech in it."""
FADE = round(0.02 * SAMPLE_RATE)
"""Samples over which a recording fades in and out."""


@dataclass(frozen=True, slots=True)
class PlacedTurn:
    """A turn with its sound and its place in time.

    Attributes
    ----------
    turn
        What the scene says about it.
    words
        What is said.
    samples
        Array of shape (n_samples,): the sound, with root mean square 1 while it is speech.
    onset
        Index of the first of these samples in the scene; may be negative by no more than the margin.
    start, end
        Seconds at which the speech starts and ends at the mouth.
    """

    turn: Turn
    words: str
    samples: NDArray[np.float64]
    onset: int
    start: float
    end: float


def place_turns(scene: Scene) -> list[PlacedTurn]:
    """Find the sound of every turn and put it on the time line.

    Raises
    ------
    InputError
        If a voice or clip does not exist, or a turn ends after the scene.
    """
    voices = {talker.name: _Voice(talker) for talker in scene.talkers}
    placed: list[PlacedTurn] = []
    end = 0.0
    for number, turn in enumerate(scene.turns, 1):
        words, sound = voices[turn.talker].say(turn)
        first, last = speech_stretch(sound)
        start = end + turn.gap
        stop = start + (last - first) / SAMPLE_RATE
        if start < 0:
            raise InputError(f"turn {number} ({turn.talker}) starts at {start:.2f} s, before the scene; raise its gap")
        if stop > scene.duration:
            raise InputError(f"turn {number} ({turn.talker}) ends after the scene of {scene.duration} s; drop it")
        kept = slice(max(0, first - MARGIN), last + MARGIN)
        samples = _fade(sound[kept] / np.sqrt(np.mean(sound[first:last] ** 2)))
        onset = round(start * SAMPLE_RATE) - (first - kept.start)
        placed.append(PlacedTurn(turn, words, samples, onset, start, stop))
        end = max(end, stop)
    return placed


def speech_stretch(sound: NDArray[np.float64]) -> tuple[int, int]:
    """Find where the speech in a recording starts and ends.

    Returns
    -------
    Sample indices of the first frame and of the end of the last frame that rise above the recording's noise and come
    within 36 dB of its loudest one.
    """
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    level = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    # A recording without pauses has no noise floor to find: never look higher than 18 dB below the loudest frame.
    threshold = np.clip(np.percentile(level, 5) + 9, level.max() - 36, level.max() - 18)
    loud = np.flatnonzero(level >= threshold)
    return int(loud[0]) * FRAME, (int(loud[-1]) + 1) * FRAME


class _Voice:
    """The sounds that one talker can make."""

    def __init__(self, talker: Talker) -> None:
        self._talker = talker
        self._clips: list[Clip] = []
        available = [clip for clip in (*kit_clips("speech"), *packaged_clips()) if clip.text]
        for name in talker.voice:
            self._clips = [clip for clip in available if clip.speaker == name]
            if self._clips or name == "synthesis":
                break
        else:
            raise InputError(
                f"talker {talker.name}: no recordings of {', '.join(talker.voice)}; set HEARING_DATA to the data kit, "
                "or add 'synthesis' to its voices"
            )
        self._unused: Iterator[Clip] = iter(self._clips)

    def say(self, turn: Turn) -> tuple[str, NDArray[np.float64]]:
        """Return the words and the sound of a turn."""
        if not self._clips:
            if turn.text is None:
                raise InputError(f"talker {self._talker.name} is synthesized; give each of its turns a text")
            return turn.text, synthesize(turn.text).astype(np.float64)
        if turn.text is not None:
            raise InputError(f"talker {self._talker.name} is recorded and cannot say {turn.text!r}; use clip, or none")
        clip = self._find(turn.clip)
        return clip.text or "", read_clip(clip).astype(np.float64)

    def _find(self, name: str | None) -> Clip:
        if name is None:
            clip = next(self._unused, None)
            missing = f"has only {len(self._clips)} clips; drop a turn"
        else:
            clip = next((clip for clip in self._clips if clip.name == name), None)
            missing = f"has no clip {name!r}; known are: {', '.join(clip.name for clip in self._clips)}"
        if clip is None:
            raise InputError(f"talker {self._talker.name} {missing}")
        return clip


def _fade(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    ramp = np.linspace(0, 1, FADE)
    faded = samples.copy()
    faded[:FADE] *= ramp
    faded[-FADE:] *= ramp[::-1]
    return faded
