"""When each word and phone of a clip is said: forced alignment with PocketSphinx.

The alignments of the data kit's clips are kept in `alignments/kit.json`, so that scenes come out the same everywhere
and at once. `python -m hearing_datasets.alignments` makes that file anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from hearing_datasets.clip import Clip, Phone, Word, read_clip
from numpy.typing import NDArray

from hearing.types import SAMPLE_RATE

FRAME = 0.01
"""Seconds of a frame of the aligner, in which kit.json counts."""
_LOUDEST = 20_000
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# The most frequent sound of each letter, for words that are in no dictionary.
_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        "AE B K D EH F G HH IH JH K L M N AA P K R S T AH V W K S IY Z".replace("K S IY", "KS IY").split(),
        strict=True,
    )
)


def align(samples: NDArray[np.floating[Any]], text: str) -> tuple[Word, ...]:
    """Find when the words of a text are said.

    Parameters
    ----------
    samples
        Somebody who says the text, of shape (n_samples,) at 16 kHz.
    text
        What is said; every word between spaces is one.

    Returns
    -------
    The words in order. Where PocketSphinx is not installed or finds no way through, they share the loud part by their
    number of letters and have no phones.
    """
    words = text.split()
    try:
        found = _forced(samples, words)
    except ImportError:
        found = None
    return found or _shared_out(samples, words)


def clip_words(clip: Clip) -> tuple[Word, ...] | None:
    """Return the words of a clip, or None if nobody wrote down what is said."""
    if clip.words is not None:
        return clip.words
    if clip.text is None:
        return None
    kept = _kept().get(clip_key(clip))
    return align(read_clip(clip), clip.text) if kept is None else unpacked(clip.text, kept)


def _forced(samples: NDArray[np.floating[Any]], words: list[str]) -> tuple[Word, ...] | None:
    decoder = _decoder()
    spoken = [(word, _spoken(word)) for word in words]
    for name in (name for _, name in spoken if name and decoder.lookup_word(name) is None):
        decoder.add_word(name, _guess(name, decoder), True)
    names = [name for _, name in spoken if name]
    if not names:
        return None
    pcm = (samples / max(float(np.abs(samples).max()), 1e-9) * _LOUDEST).astype(np.int16).tobytes()
    try:
        decoder.set_align_text(" ".join(names))
        _decode(decoder, pcm)
        if decoder.hyp() is None:
            return None
        heard = [_evenly(segment, decoder) for segment in decoder.seg() if not segment.word.startswith(("<", "["))]
    except RuntimeError:  # no way through the text
        return None
    try:
        decoder.set_alignment()
        _decode(decoder, pcm)
        alignment = decoder.get_alignment()
        heard = [
            Word(entry.name, *_span(entry), tuple(Phone(phone.name, *_span(phone)) for phone in entry))
            for entry in alignment
            if not entry.name.startswith(("<", "["))
        ]
    except RuntimeError:  # the words are found but not every phone: they share the word
        pass
    if len(heard) != len(names):
        return None
    # A word without a letter, such as a dash, takes no time.
    placed: list[Word] = []
    following = iter(heard)
    for word, name in spoken:
        end = placed[-1].end if placed else 0.0
        entry = next(following) if name else Word(word, end, end)
        placed.append(Word(word, entry.start, entry.end, entry.phones))
    return tuple(placed)


def _span(entry: Any) -> tuple[float, float]:
    return round(entry.start * FRAME, 2), round((entry.start + entry.duration) * FRAME, 2)


def _evenly(segment: Any, decoder: Any) -> Word:
    """Take a word of the first pass, and share it out evenly among its phones."""
    phones = decoder.lookup_word(segment.word).split()
    bounds = np.round(np.linspace(segment.start_frame, segment.end_frame + 1, len(phones) + 1)) * FRAME
    spans = zip(phones, bounds[:-1].round(2).tolist(), bounds[1:].round(2).tolist(), strict=True)
    sounds = tuple(Phone(*span) for span in spans)
    return Word(segment.word, sounds[0].start, sounds[-1].end, sounds)


def _decode(decoder: Any, pcm: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()


def _decoder() -> Any:
    from pocketsphinx import Decoder

    # A new one for every clip: what it remembers of one would change the next by a frame here and there.
    # The text is known, so that nothing has to be pruned for speed.
    wide = {"beam": 1e-150, "wbeam": 1e-150, "pbeam": 1e-150}
    return Decoder(lm=None, loglevel="FATAL", cmn="batch", dither=False, **wide)


def _spoken(word: str) -> str:
    """Return how the dictionary spells a word; digits stay digits."""
    return re.sub(r"[^a-z0-9']", "", word.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")).strip("'")


def _guess(name: str, decoder: Any) -> str:
    """Return the phones of a word in no dictionary, or of a number by its digits."""
    phones = []
    for letter in name:
        if letter.isdigit():
            phones.append(decoder.lookup_word(_DIGITS[int(letter)]))
        elif letter in _LETTERS:
            phones.append(_LETTERS[letter].replace("KS", "K S"))
    return " ".join(phones) or "AH"


def _shared_out(samples: NDArray[np.floating[Any]], words: list[str]) -> tuple[Word, ...]:
    frames = np.square(samples[: len(samples) // 320 * 320]).reshape(-1, 320).mean(axis=1)
    loud = np.flatnonzero(frames > frames.max() * 10**-3.6) if len(frames) else np.zeros(0, dtype=int)
    if not words or not loud.size:
        return ()
    start, stop = loud[0] * 320 / SAMPLE_RATE, (loud[-1] + 1) * 320 / SAMPLE_RATE
    bounds = start + (stop - start) * np.cumsum([0, *map(len, words)]) / sum(map(len, words))
    return tuple(Word(word, a, b) for word, (a, b) in zip(words, pairwise(bounds.round(2).tolist()), strict=True))


def clip_key(clip: Clip) -> str:
    """Return the name under which a clip is kept."""
    return f"{clip.collection}/{clip.name}"


@cache
def _kept() -> dict[str, list[str]]:
    kept: dict[str, list[str]] = json.loads(kept_file().read_text(encoding="utf-8"))
    return kept


def kept_file() -> Path:
    """Return where the kept alignments are."""
    return Path(str(resources.files("hearing_datasets"))) / "alignments" / "kit.json"


def packed(words: Iterable[Word]) -> list[str]:
    """Write each word as `start end PHONE:duration ...`, counted in frames."""

    def frames(seconds: float) -> int:
        return round(seconds / FRAME)

    return [
        " ".join(
            [
                f"{frames(word.start)} {frames(word.end)}",
                *(f"{phone.phone}:{frames(phone.end) - frames(phone.start)}" for phone in word.phones),
            ]
        )
        for word in words
    ]


def unpacked(text: str, packed: list[str]) -> tuple[Word, ...]:
    """Read what `packed` writes."""
    words = []
    for word, line in zip(text.split(), packed, strict=True):
        start, end, *phones = line.split()
        at, sounds = int(start), []
        for phone, duration in (entry.split(":") for entry in phones):
            sounds.append(Phone(phone, round(at * FRAME, 2), round((at + int(duration)) * FRAME, 2)))
            at += int(duration)
        words.append(Word(word, round(int(start) * FRAME, 2), round(int(end) * FRAME, 2), tuple(sounds)))
    return tuple(words)
