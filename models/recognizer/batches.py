"""Batches of examples: drawn without end, of similar lengths, up to a number of frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from hearing_models.recognizer.examples import Difficulty, Example, draw_example
from hearing_models.recognizer.speech import Speech
from hearing_models.recognizer.vocabulary import END, PROMPT
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from hearing.recognition.ctc import to_letters

IGNORED = -100
"""Target of the positions that do not count."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples, padded.

    Attributes
    ----------
    mel, clean
        Of shape (B, 2 T, 80).
    frames
        Encoder frames of each example, of shape (B,).
    tokens, targets
        What the decoder is told and what it shall say, of shape (B, L); targets are `IGNORED` within the prompt and
        after the end.
    letters, n_letters
        What is spoken, of shape (B, M), and how many letters each has.
    """

    mel: Tensor
    clean: Tensor
    frames: Tensor
    tokens: Tensor
    targets: Tensor
    letters: Tensor
    n_letters: Tensor


class Batches(IterableDataset[Batch]):
    """Batches without end, the same for the same seed, position and number of loader workers.

    Parameters
    ----------
    pool
        Speech to draw from.
    places
        Files of places.
    tokenizer
        Of the decoder.
    frames
        Encoder frames, padding included, that a batch may hold.
    seed
        Tuple that the random stream follows from.
    how
        How hard the examples are.
    """

    def __init__(
        self,
        pool: Sequence[Speech],
        places: Sequence[Path],
        tokenizer: Tokenizer,
        frames: int,
        seed: tuple[int, ...],
        how: Difficulty,
    ) -> None:
        super().__init__()
        self._pool, self._places, self._tokenizer = pool, places, tokenizer
        self._frames, self._seed, self._how = frames, seed, how

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        torch.set_num_threads(1)
        rng = np.random.default_rng((*self._seed, worker.id if worker else 0))
        while True:
            examples = [draw_example(rng, self._pool, self._places, self._how) for _ in range(64)]
            examples.sort(key=lambda example: len(example.mel))
            batches = list(self._split(examples))
            for index in rng.permutation(len(batches)):
                yield collate(batches[index], self._tokenizer)

    def _split(self, examples: list[Example]) -> Iterator[list[Example]]:
        batch: list[Example] = []
        for example in examples:
            if batch and (len(batch) + 1) * len(example.mel) // 2 > self._frames:
                yield batch
                batch = []
            batch.append(example)
        yield batch


def collate(examples: Sequence[Example], tokenizer: Tokenizer) -> Batch:
    """Pad examples to a batch."""
    frames = torch.tensor([len(example.mel) // 2 for example in examples])
    longest = int(frames.max()) * 2
    mel, clean = (
        torch.from_numpy(np.stack([np.pad(part, ((0, longest - len(part)), (0, 0))) for part in parts]))
        for parts in ([example.mel for example in examples], [example.clean for example in examples])
    )
    prompt = [tokenizer.token_to_id(token) for token in PROMPT]
    texts = [tokenizer.encode(f" {e.written}", add_special_tokens=False).ids if e.written else [] for e in examples]
    sequences = [[*prompt, *text, tokenizer.token_to_id(END)] for text in texts]
    tokens = _padded([sequence[:-1] for sequence in sequences], prompt[0])
    targets = _padded([[IGNORED] * (len(prompt) - 1) + sequence[len(prompt) :] for sequence in sequences], IGNORED)
    spoken = [to_letters(example.spoken) for example in examples]
    return Batch(
        mel, clean, frames, tokens, targets, _padded(spoken, 0), torch.tensor([len(letters) for letters in spoken])
    )


def _padded(sequences: Sequence[Sequence[int]], filler: int) -> Tensor:
    longest = max(1, *(len(sequence) for sequence in sequences))
    return torch.tensor([[*sequence, *[filler] * (longest - len(sequence))] for sequence in sequences])
