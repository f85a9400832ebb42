"""How likely the recognizer's words are right: logistic regression on what it makes of development voices.

Usage: python -m hearing_models.recognizer.calibration [FOLDER [WEIGHTS]]

FOLDER is that of the recipe, by default checkpoints/recognizer; WEIGHTS is a folder of ONNX files, by default those of
the package. Writes `calibration.json` beside them, which `hearing.recognition.calibration` reads, and prints how far
confidences are to be believed with and without it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from hearing_models.recognizer.evaluation import Trial, development_trials
from hearing_models.recognizer.places import generate_places
from hearing_models.recognizer.speech import Speech, recorded_speech, synthetic_speech
from numpy.typing import NDArray

from hearing.console import Note, step_progress
from hearing.evaluation.reliability import Reliability, judge
from hearing.recognition.calibration import FEATURES, FILE, Calibration, word_features
from hearing.recognition.confidence import reason_to_drop
from hearing.recognition.ctc import FRAME_RATE
from hearing.recognition.encoder import Encoded, EncoderStream
from hearing.recognition.engines.support import own_weights
from hearing.recognition.mel import log_mel
from hearing.recognition.streaming import StreamingRecognizer

TRIALS = 40
PLACES = 40
SEED = 2
UNWRITTEN = ("speech/read_251_speakers",)
"""Collections whose transcripts are another recognizer's: nobody knows which words are right."""
_FOLDS = 10
_RIDGE = 1.0
_NEWTON_STEPS = 30

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HeardWords:
    """Words that the recognizer wrote.

    Attributes
    ----------
    features
        Of shape (n_words, n_features), see `word_features`.
    unfitted
        The decoder's own probabilities of shape (n_words,).
    right
        Whether each is right, of shape (n_words,).
    speakers
        Who said what they are made of, of shape (n_words,); nobody where nothing was said.
    """

    features: FloatArray
    unfitted: FloatArray
    right: NDArray[np.bool_]
    speakers: NDArray[np.str_]


def fit_calibration(weights: Path, folder: Path, note: Note, trials: int = TRIALS) -> tuple[Reliability, Reliability]:
    """Fit the confidences of a network and write them beside its files.

    Parameters
    ----------
    weights
        Folder of the ONNX files.
    folder
        Of the recipe, with `places/dev`, `labels.json` and `synthesis/dev`; what is missing of the first two is made.
    note
        Is told how far it is.
    trials
        As for `development_trials`.

    Returns
    -------
    How far confidences are to be believed without and with the fit, the words of each speaker being judged by a fit
    without him.
    """
    pool = _voices(folder)
    note("simulating rooms", 0, PLACES)
    places = generate_places(folder / "places" / "dev", PLACES, SEED, "dev", os.cpu_count() or 1, lambda _: None)
    engine = StreamingRecognizer(weights)
    words = hear_words(engine, development_trials(pool, places, SEED, trials), note)
    calibration = fit(words.features, words.right)
    reliabilities = Reliability.of(words.unfitted, words.right), Reliability.of(held_out(words), words.right)
    record = {
        "network": fingerprint(weights),
        "bias": calibration.bias,
        "weights": dict(zip(FEATURES, calibration.weights, strict=True)),
        "speakers": len(set(words.speakers) - {""}),
        "before": asdict(reliabilities[0]),
        "after": asdict(reliabilities[1]),
    }
    (weights / FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return reliabilities


def hear_words(engine: StreamingRecognizer, trials: Sequence[Trial], note: Note) -> HeardWords:
    """Recognize trials, in chunks and as a whole, and judge the words that the engine would let pass."""
    features, unfitted, right, speakers = [], [], [], []
    for number, trial in enumerate(trials):
        note(f"hearing {trial.condition}", number, len(trials))
        for heard in _heard(engine, trial):
            recognition = engine.read(heard)
            if reason_to_drop(recognition, len(heard.letters) / FRAME_RATE):
                continue
            words = recognition.words
            judged = judge(trial.written, [word.text for word in words])
            known = [at for at, is_right in enumerate(judged) if is_right is not None]
            features.append(word_features(words, heard.letters)[known])
            unfitted += [words[at].probability for at in known]
            right += [bool(judged[at]) for at in known]
            speakers += [trial.speaker] * len(known)
    return HeardWords(np.concatenate(features), np.array(unfitted), np.array(right), np.array(speakers))


def fit(features: FloatArray, right: NDArray[np.bool_]) -> Calibration:
    """Fit a logistic regression by Newton's method, its weights kept small in units of the features' spread.

    Parameters
    ----------
    features
        Of shape (n_words, n_features).
    right
        Whether each word is right, of shape (n_words,).
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    inputs = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    ridge = np.diag([0.0, *[_RIDGE] * features.shape[1]])
    weights = np.zeros(inputs.shape[1])
    for _ in range(_NEWTON_STEPS):
        likely = 1 / (1 + np.exp(-inputs @ weights))
        curvature = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + ridge
        weights = weights + np.linalg.solve(curvature, inputs.T @ (right - likely) - ridge @ weights)
    scaled = weights[1:] / spread
    return Calibration(float(weights[0] - scaled @ mean), tuple(map(float, scaled)))


def held_out(words: HeardWords) -> FloatArray:
    """Return how likely words are right, each by a fit to the words of other speakers, of shape (n_words,)."""
    likely = np.zeros(len(words.right))
    speakers = np.unique(words.speakers)
    for fold in range(_FOLDS):
        out = np.isin(words.speakers, speakers[fold::_FOLDS])
        if out.any():
            likely[out] = fit(words.features[~out], words.right[~out]).probabilities(words.features[out])
    return likely


def fingerprint(weights: Path) -> str:
    """Return a digest of the networks: confidences that were fitted to others mean nothing."""
    digest = hashlib.sha256()
    for name in ("encoder.onnx", "decoder.onnx"):
        digest.update((weights / name).read_bytes())
    return digest.hexdigest()[:16]


def _heard(engine: StreamingRecognizer, trial: Trial) -> Iterable[Encoded]:
    mel = log_mel(trial.samples)
    stream = EncoderStream(engine.encoder)
    yield engine.encoder.whole(mel)
    yield Encoded.join([*stream.process(mel), *stream.flush()])


def _voices(folder: Path) -> list[Speech]:
    pool = recorded_speech("dev", folder / "labels.json", lambda _: None)
    if (folder / "synthesis" / "dev" / "manifest.jsonl").is_file():
        pool += synthetic_speech(folder / "synthesis" / "dev")
    return [speech for speech in pool if speech.kind not in UNWRITTEN]


def main(arguments: Sequence[str]) -> None:
    """Fit and print how far confidences are to be believed."""
    folder, weights = (*map(Path, arguments), *(Path("checkpoints/recognizer"), own_weights())[len(arguments) :])
    with step_progress() as note:
        before, after = fit_calibration(weights, folder, note)
    print(f"{weights / FILE}: from {before.number} words, {100 * before.share_right:.1f} % of which are right")
    for name, found in (("decoder alone", before), ("calibrated", after)):
        print(f"{name}: calibration error {100 * found.calibration_error:.1f} %, Brier score {found.brier:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
