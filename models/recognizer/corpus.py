"""Speech and noise as training draws from them: each in one long tensor on the device that trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from hearing_models.recognizer.loudspeakers import through_loudspeaker
from hearing_models.recognizer.vocabulary import END, PROMPT
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from hearing.recognition.ctc import SPACE, to_letters
from hearing.types import SAMPLE_RATE, Float32Array

if TYPE_CHECKING:
    from hearing_models.recognizer.speech import Speech


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """What examples are made of.

    Attributes
    ----------
    speech
        Clips after each other, int16 of shape (n_samples,).
    starts, lengths
        Where each clip begins and how many samples it has, of shape (n_clips,).
    gains
        What brings each clip to level 1 while somebody speaks.
    tokens, letters
        Of each clip: what is written, for the decoder, and what is spoken, for the CTC head.
    prompt, end
        Tokens.
    noise, noise_starts, noise_lengths
        Likewise.
    machines, loudspeakers
        Numbers of the noises that are machines, and of those that are announcements: speech that is not to be heard.
    """

    speech: Tensor
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    gains: NDArray[np.float32]
    tokens: list[list[int]]
    letters: list[list[int]]
    prompt: list[int]
    end: int
    noise: Tensor
    noise_starts: NDArray[np.int64]
    noise_lengths: NDArray[np.int64]
    machines: NDArray[np.int64]
    loudspeakers: NDArray[np.int64]

    @classmethod
    def collect(
        cls,
        pool: Sequence[Speech],
        machines: Sequence[NDArray[np.int16]],
        loudspeakers: Sequence[NDArray[np.int16]],
        tokenizer: Tokenizer,
    ) -> Corpus:
        """Put a pool of speech and noises together."""
        speech, starts, lengths = _joined([clip.samples for clip in pool])
        noise, noise_starts, noise_lengths = _joined([*machines, *loudspeakers])
        numbers = np.arange(len(noise_starts))
        return cls(
            speech,
            starts,
            lengths,
            np.array([1 / max(speech_level(clip.samples), 1.0) for clip in pool], np.float32),
            [tokenizer.encode(f" {clip.written}", add_special_tokens=False).ids for clip in pool],
            [to_letters(clip.spoken) for clip in pool],
            [tokenizer.token_to_id(token) for token in PROMPT],
            tokenizer.token_to_id(END),
            noise,
            noise_starts,
            noise_lengths,
            numbers[: len(machines)],
            numbers[len(machines) :],
        )

    def to(self, device: torch.device) -> Corpus:
        """Bring it to a device."""
        return replace(self, speech=self.speech.to(device), noise=self.noise.to(device))

    def spoken(self, clips: Sequence[int]) -> list[int]:
        """Return the letters of clips that are said after each other."""
        letters: list[int] = []
        for clip in clips:
            letters += [SPACE, *self.letters[clip]] if letters else self.letters[clip]
        return letters


def announcements(rng: np.random.Generator, pool: Sequence[Speech], minutes: float) -> list[NDArray[np.int16]]:
    """Let loudspeakers say clips of a pool, a few after each other: speech that is not to be heard."""
    made: list[NDArray[np.int16]] = []
    while sum(map(len, made)) < minutes * 60 * SAMPLE_RATE:
        parts = []
        for index in rng.integers(len(pool), size=3):
            pause = np.zeros(int(rng.uniform(0.1, 0.8) * SAMPLE_RATE), np.float32)
            parts += [pool[int(index)].samples.astype(np.float32) / 32768, pause]
        samples = through_loudspeaker(rng, np.concatenate(parts))
        made.append((samples * (20_000 / (np.abs(samples).max() + 1e-6))).astype(np.int16))
    return made


def speech_level(samples: NDArray[np.int16] | Float32Array) -> float:
    """Root mean square of the louder half of the frames: pauses do not count."""
    frames = samples[: len(samples) // 400 * 400].reshape(-1, 400).astype(np.float32)
    power = np.sort(np.mean(frames**2, axis=1))[len(frames) // 2 :]
    return float(np.sqrt(power.mean())) if len(power) else 0.0


def _joined(parts: Sequence[NDArray[np.int16]]) -> tuple[Tensor, NDArray[np.int64], NDArray[np.int64]]:
    lengths = np.array([len(part) for part in parts], np.int64)
    return torch.from_numpy(np.concatenate(parts)), np.concatenate([[0], lengths.cumsum()[:-1]]), lengths
