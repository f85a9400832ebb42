"""How sure to be that a word is spotted: a logistic regression on words that development voices say, and thresholds.

Usage: python -m hearing_models.recognizer.spotting [FOLDER [WEIGHTS]]

FOLDER is that of the recipe, by default checkpoints/recognizer; WEIGHTS is a folder of ONNX files, by default those of
the package. Writes `spotting.json` beside them, which `hearing.recognition.spotting` reads, and prints how many words
are missed and how many false alarms there are, the words of each half of the speakers being judged by the other half.

The words that a robot listens for are not among those that this is fitted to: all it learns is how letters are heard.
From so few hours the thresholds of short words come out too high: with them "stop" was missed always, while those of
the package, which were set by hand, missed a third. Compare with `hearing bench spotting` before they are shipped.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
from hearing_models.recognizer.calibration import PLACES, SEED, UNWRITTEN, fingerprint, fit
from hearing_models.recognizer.evaluation import SNRS_DB
from hearing_models.recognizer.examples import Difficulty, arrive, cached_place, spoken_at
from hearing_models.recognizer.places import ARRAY_EVERY, generate_places
from hearing_models.recognizer.speech import Speech, recorded_speech, synthetic_speech
from numpy.typing import NDArray

from hearing.console import Note, step_progress
from hearing.recognition.encoder import Encoder, EncoderStream
from hearing.recognition.engines.support import own_weights
from hearing.recognition.mel import N_MELS, LogMel
from hearing.recognition.spotting import FEATURES, FILE, Gate, SpottingModel, WordSpotter
from hearing.recognition.streaming import StreamingRecognizer
from hearing.types import SAMPLE_RATE, Float32Array

ALARMS = 0.2
"""False alarms per hour of other speech and word."""
UTTERANCES, WORDS = 64, 60
STEP = 1024
"""Samples that arrive at once, as from the pipeline."""
_LETTERS = range(3, 13)
_ALIKE = 0.75
_LEAST_LIKELY = -8.0
_TAIL = 25
_LEAD, _REST = round(0.3 * SAMPLE_RATE), round(0.5 * SAMPLE_RATE)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tries:
    """The likeliest place of words in utterances, where there may be one; arrays of shape (n_tries, ...).

    Attributes
    ----------
    features
        As `Candidates.features`.
    said
        Whether the word is said in the utterance.
    n_letters
        Of the word.
    speakers
        Who speaks.
    asked
        How many times a word is said, those included that have no place, by speaker and number of letters.
    hours
        Hours in which a word is not said, summed over words, by speaker and number of letters.
    """

    features: FloatArray
    said: NDArray[np.bool_]
    n_letters: NDArray[np.int64]
    speakers: NDArray[np.str_]
    asked: dict[tuple[str, int], int]
    hours: dict[tuple[str, int], float]

    def of(self, speakers: set[str]) -> Tries:
        """Return the tries of some speakers."""
        kept = np.isin(self.speakers, list(speakers))
        return Tries(
            self.features[kept],
            self.said[kept],
            self.n_letters[kept],
            self.speakers[kept],
            {key: value for key, value in self.asked.items() if key[0] in speakers},
            {key: value for key, value in self.hours.items() if key[0] in speakers},
        )


@dataclass(frozen=True, slots=True)
class Found:
    """How well words are spotted: times said and missed, false alarms, hours times words in which there were any."""

    said: int = 0
    missed: int = 0
    alarms: int = 0
    hours: float = 0.0

    def __add__(self, other: Found) -> Found:
        """Add up."""
        return Found(
            self.said + other.said, self.missed + other.missed, self.alarms + other.alarms, self.hours + other.hours
        )


def fit_spotting(weights: Path, folder: Path, note: Note) -> Found:
    """Fit how sure to be with a network, and write it beside its files.

    Parameters
    ----------
    weights
        Folder of the ONNX files.
    folder
        Of the recipe, with `places/dev`, `labels.json` and `synthesis/dev`; what is missing of the first two is made.
    note
        Is told how far it is.

    Returns
    -------
    How well words are spotted, each half of the speakers being judged by the other half.
    """
    pool = recorded_speech("dev", folder / "labels.json", lambda _: None)
    if (folder / "synthesis" / "dev" / "manifest.jsonl").is_file():
        pool += synthetic_speech(folder / "synthesis" / "dev")
    pool = [speech for speech in pool if speech.kind not in UNWRITTEN]
    pool = pool[:: -(-len(pool) // UTTERANCES)]
    note("simulating rooms", 0, PLACES)
    places = generate_places(folder / "places" / "dev", PLACES, SEED, "dev", os.cpu_count() or 1, lambda _: None)
    tries = try_words(StreamingRecognizer(weights), pool, places, note)
    halves = [{s for s in tries.speakers if _half(s) == half} for half in (0, 1)]
    found = Found()
    for learned, judged in (halves, halves[::-1]):
        found += judge(fit_model(tries.of(learned)), tries.of(judged))
    model = fit_model(tries)
    record = {
        "network": fingerprint(weights),
        "bias": model.bias,
        "weights": dict(zip(FEATURES, model.weights, strict=True)),
        "thresholds": model.thresholds,
        "alarms_per_hour_and_word": ALARMS,
        "held_out": {"said": found.said, "missed": found.missed, "alarms": found.alarms, "hours": found.hours},
    }
    (weights / FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return found


def try_words(
    engine: StreamingRecognizer, pool: Sequence[Speech], places: Sequence[Path], note: Note, number: int = WORDS
) -> Tries:
    """Let speech arrive at a microphone or through a beam, over machines, and look for words in it while it does.

    Words that sound like one that is said are left out. Of words that are said those count that are among the first
    three of an utterance: later ones are not looked for.
    """
    words = choose_words(pool, number)
    spotter = WordSpotter(words, SpottingModel(0.0, (0.0,) * len(FEATURES), (np.inf,)), engine.encoder, engine.decoder)
    features, said, n_letters, speakers = [], [], [], []
    asked: dict[tuple[str, int], int] = {}
    hours: dict[tuple[str, int], float] = {}
    for index, speech in enumerate(pool):
        note("hearing speech", index, len(pool))
        samples = _arrived(speech, index, pool, places)
        best = _best(spotter, samples)
        first = f" {' '.join(speech.spoken.split()[:3])} "
        for number, word in enumerate(words):
            begins, there = f" {word} " in first, f" {word} " in f" {speech.spoken} "
            if not begins and (there or any(_alike(word, other) for other in speech.spoken.split())):
                continue
            key = speech.speaker, int(spotter.n_letters[number])
            if begins:
                asked[key] = asked.get(key, 0) + 1
            else:
                hours[key] = hours.get(key, 0.0) + len(samples) / SAMPLE_RATE / 3600
            if best is not None and max(best[number, :2]) > _LEAST_LIKELY:
                features.append(best[number])
                said.append(begins)
                n_letters.append(key[1])
                speakers.append(speech.speaker)
    return Tries(np.array(features), np.array(said), np.array(n_letters), np.array(speakers), asked, hours)


def choose_words(pool: Sequence[Speech], number: int) -> list[str]:
    """Choose words and pairs of words, those first that utterances begin with."""
    beginnings = [speech.spoken.split()[:3] for speech in pool]
    first = {word for words in beginnings for word in words} | {" ".join(words[:2]) for words in beginnings}
    others = {word for speech in pool for word in speech.spoken.split()} - first
    rng = np.random.default_rng(SEED)
    chosen: list[str] = []
    for kind in (first, others):
        fitting = sorted(word for word in kind if len(word) in _LETTERS)
        chosen += [fitting[at] for at in rng.permutation(len(fitting))]
    return chosen[:number]


def _arrived(speech: Speech, index: int, pool: Sequence[Speech], places: Sequence[Path]) -> Float32Array:
    rng = np.random.default_rng((SEED, index, 3))
    snr, condition = SNRS_DB[index % len(SNRS_DB)], ("microphone", "beam")[index // len(SNRS_DB) % 2]
    place = int(rng.integers(len(places)))
    there = cached_place(places[place - place % ARRAY_EVERY if condition == "beam" else place])
    dry = np.pad(spoken_at(rng, speech), (_LEAD, _REST))
    heard: Float32Array = arrive(rng, dry, pool, there, Difficulty(snr_db=(snr, snr), rival=0.0), condition)
    return heard


def _best(spotter: WordSpotter, samples: Float32Array) -> FloatArray | None:
    """Return the features of all words where they are likeliest in an utterance, (n_words, n_features), if anywhere."""
    best: FloatArray | None = None
    for _, _, mel in stretches(spotter.encoder, samples):
        heard = spotter.hear(mel)
        new = np.where(heard.settled[:, None], heard.features, [-12.0, -12.0, -12.0, 0.0])
        new[:, 3] = heard.features[:, 3]
        if best is None:
            best = new
        else:
            better = new[:, :2].sum(axis=1) > best[:, :2].sum(axis=1)
            best = np.where(better[:, None], new, best)
    return best


def stretches(encoder: Encoder, samples: Float32Array) -> Iterator[tuple[float, int, Float32Array]]:
    """Give the stretches of an utterance, of shape (n_samples,), that are heard as a whole while it is said.

    Yields
    ------
    Seconds that were heard by then, the stretch's first frame, and its log-mel frames.
    """
    log_mel, stream, gate = LogMel(), EncoderStream(encoder), Gate()
    frames: Float32Array = np.zeros((0, N_MELS), np.float32)
    for at in range(0, len(samples), STEP):
        new = log_mel.process(samples[at : at + STEP])
        frames = np.concatenate([frames, new])
        for part in stream.process(new):
            gate.process(part.letters)
        if (stretch := gate.due(len(frames) // 2, stream.peek())) is not None:
            first, end = stretch
            yield min(at + STEP, len(samples)) / SAMPLE_RATE, first, frames[2 * first : 2 * end]


def fit_model(tries: Tries) -> SpottingModel:
    """Fit a logistic regression, and for every number of letters the threshold for so many false alarms.

    What is rarer than the tries can show is extrapolated: their highest log-odds fall off exponentially (Pickands
    1975, with shape 0).
    """
    fitted = fit(tries.features, tries.said)
    model = SpottingModel(fitted.bias, fitted.weights, (0.0,))
    odds = model.log_odds(tries.features)
    thresholds = []
    for letters in range(1, _LETTERS[-1] + 1):
        near = range(max(letters, _LETTERS[0]) - 1, max(letters, _LETTERS[0]) + 2)
        if np.sum(~tries.said & np.isin(tries.n_letters, near)) <= _TAIL:
            near = _LETTERS
        others = np.sort(odds[~tries.said & np.isin(tries.n_letters, near)])[::-1]
        hours = sum(value for (_, n), value in tries.hours.items() if n in near)
        spread = float(np.mean(others[:_TAIL] - others[_TAIL]))
        thresholds.append(float(others[_TAIL]) + spread * float(np.log(_TAIL / (hours * ALARMS))))
    return SpottingModel(fitted.bias, fitted.weights, tuple(round(threshold, 3) for threshold in thresholds))


def judge(model: SpottingModel, tries: Tries) -> Found:
    """Count what a model makes of tries."""
    sure = model.log_odds(tries.features) >= model.least(tries.n_letters)
    said = sum(tries.asked.values())
    return Found(
        said, said - int(np.sum(sure & tries.said)), int(np.sum(sure & ~tries.said)), sum(tries.hours.values())
    )


@cache
def _alike(word: str, other: str) -> bool:
    return SequenceMatcher(None, word, other, autojunk=False).ratio() >= _ALIKE


def _half(speaker: str) -> int:
    return sha256(speaker.encode()).digest()[0] % 2


def main(arguments: Sequence[str]) -> None:
    """Fit and print how well words are spotted."""
    folder, weights = (*map(Path, arguments), *(Path("checkpoints/recognizer"), own_weights())[len(arguments) :])
    with step_progress() as note:
        found = fit_spotting(weights, folder, note)
    print(f"{weights / FILE}: {found.missed} of {found.said} words missed; ", end="")
    print(f"{found.alarms} false alarms in {found.hours:.0f} hours times words")


if __name__ == "__main__":
    main(sys.argv[1:])
