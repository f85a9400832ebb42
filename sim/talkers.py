"""Talkers: recorded or synthesized speech, placed on the time line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import soxr
from hearing_datasets import Clip, Word, align, clip_words, kit_clips, packaged_clips, read_clip, synthesize
from hearing_sim.scene import ROBOT, Scene, Talker, Turn
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

FRAME = 320
"""Samples of a frame in which speech is looked for."""
MARGIN = round(0.15 * SAMPLE_RATE)
"""Samples of the recording that are kept before and after the speech in it."""
FADE = round(0.02 * SAMPLE_RATE)
"""Samples over which a recording fades in and out."""
BREAK = round(0.05 * SAMPLE_RATE)
"""Samples over which a voice stops that breaks off."""


@dataclass(frozen=True, slots=True)
class PlacedTurn:
    """A turn with its sound and its place in time.

    Attributes
    ----------
    turn
        What the scene says about it.
    text
        What is said; less than the turn's text if it breaks off.
    samples
        Array of shape (n_samples,): the sound, with root mean square 1 while it is speech.
    onset
        Index of the first of these samples in the scene; may be negative by no more than the margin.
    start, end
        Seconds at which the speech starts and ends at the mouth.
    words
        When each word and phone is said, in seconds at the mouth.
    clip
        The recording, or None for synthesis.
    clip_start
        Seconds at which the recording, all of it, would start.
    """

    turn: Turn
    text: str
    samples: NDArray[np.float64]
    onset: int
    start: float
    end: float
    words: tuple[Word, ...]
    clip: Clip | None
    clip_start: float


@dataclass(frozen=True, slots=True, eq=False)
class _Saying:
    """What a voice says: text, sound at 16 kHz, and its words in seconds from the start of the sound."""

    text: str
    sound: NDArray[np.float64]
    words: tuple[Word, ...]
    clip: Clip | None = None


def place_turns(scene: Scene) -> list[PlacedTurn]:
    """Find the sound of every turn and put it on the time line.

    Raises
    ------
    InputError
        If a voice or clip does not exist, or a turn ends after the scene.
    """
    voices: dict[str, _Voice] = {talker.name: _Voice(talker) for talker in scene.talkers}
    voices[ROBOT] = _Voice(Talker(ROBOT, ("synthesis",)))
    placed: list[PlacedTurn] = []
    end = 0.0
    for number, turn in enumerate(scene.turns, 1):
        saying = voices[turn.talker].say(turn)
        first, last = speech_stretch(saying.sound)
        start = end + turn.gap
        if turn.breaks_off_after is not None:
            last = min(last, first + round(turn.breaks_off_after * SAMPLE_RATE))
            saying = _broken_off(saying, last)
        stop = start + (last - first) / SAMPLE_RATE
        if start < 0:
            raise InputError(f"turn {number} ({turn.talker}) starts at {start:.2f} s, before the scene; raise its gap")
        if stop > scene.duration:
            raise InputError(f"turn {number} ({turn.talker}) ends after the scene of {scene.duration} s; drop it")
        kept = slice(max(0, first - MARGIN), last + MARGIN)
        samples = _fade(saying.sound[kept] / np.sqrt(np.mean(saying.sound[first:last] ** 2)))
        onset = round(start * SAMPLE_RATE) - (first - kept.start)
        clip_start = start - first / SAMPLE_RATE
        words = _moved(saying.words, clip_start)
        placed.append(PlacedTurn(turn, saying.text, samples, onset, start, stop, words, saying.clip, clip_start))
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
        available = (*kit_clips("speech"), *kit_clips("av"), *packaged_clips())
        for name in talker.voice:
            clips = [clip for clip in available if clip.speaker == name]
            # Voices whose words nobody wrote down are good for training, where no words are scored.
            self._clips = [clip for clip in clips if clip.text] or clips
            if self._clips or name == "synthesis":
                break
        else:
            raise InputError(
                f"talker {talker.name}: no recordings of {', '.join(talker.voice)}; set HEARING_DATA to the data kit, "
                "or add 'synthesis' to its voices"
            )
        self._unused: Iterator[Clip] = iter(self._clips)

    def say(self, turn: Turn) -> _Saying:
        """Return what is said in a turn."""
        if not self._clips:
            if turn.text is None:
                raise InputError(f"talker {self._talker.name} is synthesized; give each of its turns a text")
            # Played faster, a voice is higher in pitch and formants, as of a smaller person.
            sound = soxr.resample(synthesize(turn.text), self._talker.pitch, 1.0)
            return _Saying(turn.text, sound.astype(np.float64), align(sound, turn.text))
        if turn.text is not None:
            raise InputError(f"talker {self._talker.name} is recorded and cannot say {turn.text!r}; use clip, or none")
        clip = self._find(turn.clip)
        return _Saying(clip.text or "", read_clip(clip).astype(np.float64), clip_words(clip) or (), clip)

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


def _broken_off(saying: _Saying, last: int) -> _Saying:
    """Silence everything after a sample, and drop the words that are not complete by then."""
    sound = saying.sound.copy()
    sound[last : last + BREAK] *= np.linspace(1, 0, len(sound[last : last + BREAK]))
    sound[last + BREAK :] = 0.0
    said = tuple(word for word in saying.words if word.end <= last / SAMPLE_RATE)
    # The text has its words in the same order as the alignment, whose spelling may differ.
    return _Saying(" ".join(saying.text.split()[: len(said)]), sound, said, saying.clip)


def _moved(words: tuple[Word, ...], seconds: float) -> tuple[Word, ...]:
    return tuple(
        replace(
            word,
            start=word.start + seconds,
            end=word.end + seconds,
            phones=tuple(replace(p, start=p.start + seconds, end=p.end + seconds) for p in word.phones),
        )
        for word in words
    )


def _fade(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    ramp = np.linspace(0, 1, FADE)
    faded = samples.copy()
    faded[:FADE] *= ramp
    faded[-FADE:] *= ramp[::-1]
    return faded
