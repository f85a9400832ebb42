"""Signals without end that can be read at any time: machines that run on, voices that speak at their times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr
from hearing_datasets import Word, align, clip_words, kit_clips, packaged_clips, read_clip, synthesize
from hearing_sim.machines import background_signals, machine_signal
from hearing_sim.machines.tools import Clock, running
from hearing_sim.reverberation import DiffuseField
from hearing_sim.scene import Machine
from hearing_sim.simulation import pascals
from hearing_sim.talkers import FADE, MARGIN, speech_stretch

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE
from hearing_gazebo.poses import FloatArray
from hearing_gazebo.sounds import Line, Sounds, Voice

LOOP = 20 * SAMPLE_RATE
"""Samples after which the noise of a machine is heard again."""
SEAM = SAMPLE_RATE // 2
"""Samples over which its end becomes its beginning."""


class Signal(Protocol):
    """Sound pressure in Pa at 1 m, straight ahead, at every sample of simulated time."""

    def read(self, start: int, n_samples: int) -> FloatArray:
        """Return samples of shape (n_samples,) from one on."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line with its sound and its times.

    Attributes
    ----------
    line
        What the file of sounds says about it.
    text
        Its words.
    samples
        Array of shape (n_samples,) in Pa at 1 m.
    onset
        Index of the first of these samples on the simulation's clock.
    start, end
        Seconds of simulation at which the speech starts and ends at the mouth.
    words
        When each word is said, in seconds of simulation.
    """

    line: Line
    text: str
    samples: FloatArray
    onset: int
    start: float
    end: float
    words: tuple[Word, ...]


class Speech:
    """The voice of an actor.

    Parameters
    ----------
    spoken
        What it says.
    period
        Seconds after which it says it again; None: once.
    """

    def __init__(self, spoken: tuple[Spoken, ...], period: float | None) -> None:
        self.spoken, self.period = spoken, period

    def read(self, start: int, n_samples: int) -> FloatArray:
        """Return samples of shape (n_samples,)."""
        out = np.zeros(n_samples)
        for spoken, shift in self.during(start / SAMPLE_RATE, (start + n_samples) / SAMPLE_RATE):
            onset = spoken.onset + round(shift * SAMPLE_RATE) - start
            first, last = max(0, onset), min(n_samples, onset + len(spoken.samples))
            out[first:last] += spoken.samples[first - onset : last - onset]
        return out

    def during(self, start: float, end: float) -> list[tuple[Spoken, float]]:
        """List what sounds between two times, and by how many seconds later than in its first period."""
        found = []
        for spoken in self.spoken:
            onset, length = spoken.onset / SAMPLE_RATE, len(spoken.samples) / SAMPLE_RATE
            rounds = 0.0
            if self.period is not None:
                rounds = max(0.0, np.floor((end - onset) / self.period))
            shift = rounds * (self.period or 0.0)
            if onset + shift < end and onset + length + shift > start:
                found.append((spoken, shift))
        return found


class Running:
    """A machine: a stretch of its noise over and over, switched on and off at its times.

    Parameters
    ----------
    machine
        Which.
    rng
        Source of everything that differs between two machines of the same make.
    """

    def __init__(self, machine: Machine, rng: np.random.Generator) -> None:
        self._machine = machine
        noise = machine_signal(replace(machine, on=()), 0.0, LOOP + SEAM, rng)
        self._loop = _closed(noise[:, None])[:, 0] * pascals(machine.level_db)

    def read(self, start: int, n_samples: int) -> FloatArray:
        """Return samples of shape (n_samples,)."""
        samples: FloatArray = self._loop[np.arange(start, start + n_samples) % LOOP]
        heard: FloatArray = samples * running(self._machine, Clock(start / SAMPLE_RATE, n_samples))
        return heard

    def runs(self, time: float) -> bool:
        """Tell whether it is switched on at a time in seconds."""
        return not self._machine.on or any(start <= time < end for start, end in self._machine.on)


class Noise:
    """What microphones hear of no place in particular: diffuse backgrounds, over and over, and their own noise.

    Parameters
    ----------
    sounds
        What there is.
    microphones
        Positions of shape (n_microphones, 3).
    """

    def __init__(self, sounds: Sounds, microphones: FloatArray) -> None:
        self._level = pascals(sounds.ears.self_noise_db)
        self._seed = sounds.seed
        self._loop = np.zeros((LOOP, len(microphones)))
        for index, background in enumerate(sounds.backgrounds):
            rng = np.random.default_rng((sounds.seed, 2, index))
            independent = background_signals(background, len(microphones), LOOP + SEAM, rng)
            mixed = DiffuseField(microphones).mix(independent) * pascals(background.level_db)
            self._loop += _closed(mixed)

    def read(self, start: int, n_samples: int) -> FloatArray:
        """Return samples of shape (n_samples, n_microphones), the same for the same arguments."""
        rng = np.random.default_rng((self._seed, 3, start))
        heard: FloatArray = self._loop[np.arange(start, start + n_samples) % LOOP]
        return heard + self._level * rng.standard_normal((n_samples, self._loop.shape[1]))


def speech(voice: Voice, folder: Path, period: float | None) -> Speech:
    """Find or make the sound of everything that an actor says.

    Parameters
    ----------
    voice
        What the file of sounds says.
    folder
        Where its audio files are.
    period
        Seconds after which it is said again.

    Raises
    ------
    InputError
        If there is no such clip or file.
    """
    return Speech(tuple(_spoken(voice, line, folder) for line in voice.lines), period)


def _spoken(voice: Voice, line: Line, folder: Path) -> Spoken:
    text, sound, words = _sound(voice, line, folder)
    first, last = speech_stretch(sound)
    kept = slice(max(0, first - MARGIN), last + MARGIN)
    samples = sound[kept] / np.sqrt(np.mean(sound[first:last] ** 2)) * pascals(voice.level_db)
    ramp = np.linspace(0, 1, FADE)
    samples[:FADE] *= ramp
    samples[-FADE:] *= ramp[::-1]
    begin = line.at - first / SAMPLE_RATE
    return Spoken(
        line,
        text,
        samples,
        onset=round(begin * SAMPLE_RATE) + kept.start,
        start=line.at,
        end=begin + last / SAMPLE_RATE,
        words=tuple(replace(word, start=word.start + begin, end=word.end + begin, phones=()) for word in words),
    )


def _sound(voice: Voice, line: Line, folder: Path) -> tuple[str, FloatArray, tuple[Word, ...]]:
    """Return words, sound at 16 kHz, and when each word is said from the sound's start on."""
    if line.clip is not None:
        found = [clip for clip in (*packaged_clips(), *kit_clips("speech")) if clip.name == line.clip]
        if not found:
            raise InputError(
                f"voice of {voice.actor}: there is no clip {line.clip!r}; set HEARING_DATA, or give a text"
            )
        return found[0].text or "", read_clip(found[0]).astype(np.float64), clip_words(found[0]) or ()
    text = line.text or ""
    if line.file is None:
        # Played faster, a voice is higher in pitch and formants, as of a smaller person.
        sound = soxr.resample(synthesize(text), voice.pitch, 1.0).astype(np.float64)
    else:
        try:
            samples, rate = soundfile.read(folder / line.file, dtype="float64", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            raise InputError(f"voice of {voice.actor}: {line.file} cannot be read ({error})") from error
        sound = soxr.resample(samples[:, 0], rate, SAMPLE_RATE)
    return text, sound, align(sound, text)


def _closed(noise: FloatArray) -> FloatArray:
    """Make noise of shape (LOOP + SEAM, n) one that may be repeated, of shape (LOOP, n)."""
    loop = noise[:LOOP].copy()
    fade = np.linspace(0, np.pi / 2, SEAM)[:, None]
    loop[:SEAM] = np.sin(fade) * noise[:SEAM] + np.cos(fade) * noise[LOOP:]
    return loop
