"""What likeness of voices means: logistic regression on pairs of utterances, near and far, by development voices.

Usage: python -m hearing_models.voices.calibration [WEIGHTS [FOLDER]]

WEIGHTS is the folder of the encoder, by default the package's; `calibration.json` is written beside it. FOLDER keeps
the noises, by default checkpoints/voices. Utterances of 1 to 8 s are heard as they are, and in simulated halls with
machines; the development speakers of the data kit are fitted to, those of its test split, and some of the others, are
only judged. Prints equal error rates and the cost of the calibration.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.optimize
import scipy.signal
import soundfile
import torch
from hearing_datasets import Clip, Split, kit_clips, read_clip, split_of
from hearing_models.recognizer.halls import Halls, draw_responses
from hearing_models.recognizer.noises import generate_noises
from numpy.typing import NDArray

from hearing.activity import WINDOW, VoiceActivity
from hearing.likeness import CALIBRATION
from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate
from hearing.stft import HOP
from hearing.types import SAMPLE_RATE, Float32Array, SourceAudio
from hearing.voices import VoiceEncoder, VoicePrint
from hearing.voices.likelihood import COEFFICIENTS, CONTRAST, own_weights

DURATIONS = (1, 2, 4, 8)
"""Seconds of speech in an utterance."""
HALLS = Halls(rt60=(0.3, 0.8), distance=(0.5, 4.0))
SNR_DB = (5.0, 15.0)
NOISE_MINUTES = 4.0
SEED = 3
_START = {"half": 1.0, "clarity": 0.5, "slope": 20.0, "middle": 0.4}
_BOUNDS = {"half": (0.05, 20.0), "clarity": (0.0, 3.0), "slope": (0.0, 100.0), "middle": (0.0, 1.0)}

FloatArray = NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Utterances, n of them.

    Attributes
    ----------
    embeddings
        Of shape (n, n_dimensions).
    seconds, contrast
        As `VoicePrint` has them, of shape (n,).
    speaker
        Who speaks, of shape (n,).
    side
        Utterances of one speaker with different sides have no sound in common, of shape (n,).
    session
        The clip and the hall it is heard in, of shape (n,).
    duration
        Which of `DURATIONS`, of shape (n,).
    far
        Whether it is heard in a hall, of shape (n,).
    """

    embeddings: FloatArray
    seconds: FloatArray
    contrast: FloatArray
    speaker: NDArray[np.str_]
    side: NDArray[np.int64]
    session: NDArray[np.str_]
    duration: NDArray[np.int64]
    far: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Two utterances each: their numbers, and whether one person says both; all of shape (n_pairs,)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.bool_]


def hear(split: Split, encoder: VoiceEncoder, folder: Path, most: int) -> Heard:
    """Embed utterances of a split's speakers, of so many of them at most."""
    rng, generator = np.random.default_rng(SEED), torch.Generator().manual_seed(SEED)
    noises = generate_noises(folder / "noises" / split, NOISE_MINUTES, SEED, split, lambda _: None)
    machines = [soundfile.read(folder / "noises" / split / noise.audio, dtype="float32")[0] for noise in noises]
    rows = []
    for speaker, clips in _speakers(split, rng)[:most]:
        responses = draw_responses(HALLS, 3, 1, 1, 1, generator)[:, :, 0].numpy()
        for side, name, duration, samples, talking in _utterances(clips, rng):
            noise = machines[int(rng.integers(len(machines)))]
            far = _in_hall(samples, responses[side], noise, rng)
            for heard, is_far in ((samples, False), (far, True)):
                voice = VoicePrint(encoder)
                voice.process(heard, talking)
                if voice.embedding is not None:
                    session = f"{name} {is_far}"
                    rows.append(
                        (voice.embedding, voice.seconds, voice.contrast, speaker, side, session, duration, is_far)
                    )
    return Heard(*(np.array(column) for column in zip(*rows, strict=True)))


def all_pairs(heard: Heard) -> Pairs:
    """Pair utterances that have no sound in common, every two of them once."""
    first, second = np.triu_indices(len(heard.speaker), 1)
    same = heard.speaker[first] == heard.speaker[second]
    apart = ~same | (heard.side[first] != heard.side[second])
    return Pairs(first[apart], second[apart], same[apart])


def fit(heard: Heard, pairs: Pairs) -> dict[str, float]:
    """Fit `VoiceLikelihood` by cross-entropy, one person and two being equally likely before."""

    def cost(values: FloatArray) -> float:
        return calibration_cost(log_ratios(dict(zip(COEFFICIENTS, values, strict=True)), heard, pairs), pairs.same)

    bounds = [_BOUNDS[name] for name in COEFFICIENTS]
    start = [_START[name] for name in COEFFICIENTS]
    found = scipy.optimize.minimize(cost, start, method="L-BFGS-B", bounds=bounds)
    return dict(zip(COEFFICIENTS, map(float, found.x), strict=True))


def log_ratios(fitted: dict[str, float], heard: Heard, pairs: Pairs) -> FloatArray:
    """Return what `VoiceLikelihood` says of pairs, but for its doubt, of shape (n_pairs,)."""
    information = heard.seconds / fitted["half"] * np.exp(fitted["clarity"] * (heard.contrast - CONTRAST))
    quality = information / (1 + information)
    worth = np.sqrt(quality[pairs.first] * quality[pairs.second])
    ratios: FloatArray = fitted["slope"] * worth * (cosines(heard, pairs) - fitted["middle"] * worth)
    return ratios


def cosines(heard: Heard, pairs: Pairs) -> FloatArray:
    """Return the likeness of pairs, of shape (n_pairs,)."""
    likeness = heard.embeddings @ heard.embeddings.T
    found: FloatArray = likeness[pairs.first, pairs.second]
    return found


def calibration_cost(ratios: FloatArray, same: NDArray[np.bool_], weights: FloatArray | None = None) -> float:
    """Return the cost of log-likelihood ratios in bits, 1 without any knowledge (Bruemmer and du Preez 2006).

    With weights, of shape (n_pairs,), each pair counts as often.
    """
    costs = np.logaddexp(0, np.where(same, -ratios, ratios))
    weights = np.ones(len(same)) if weights is None else weights
    kinds = [np.average(costs[kind], weights=weights[kind]) for kind in (same, ~same)]
    return float(sum(kinds) / 2 / np.log(2))


def equal_error_rate(scores: FloatArray, same: NDArray[np.bool_], weights: FloatArray | None = None) -> float:
    """Return the share of errors at the threshold where as many of the same are refused as of others accepted.

    With weights, of shape (n_pairs,), each pair counts as often.
    """
    order = np.argsort(-scores, kind="stable")
    weight = np.ones(len(same)) if weights is None else weights[order]
    his, theirs = weight * same[order], weight * ~same[order]
    missed, accepted = 1 - np.cumsum(his) / his.sum(), np.cumsum(theirs) / theirs.sum()
    at = int(np.argmin(np.abs(missed - accepted)))
    return float(missed[at] + accepted[at]) / 2


def error_table(heard: Heard) -> Iterator[str]:
    """Lay out equal error rates by where both are heard and how long they speak, across clips and within a session."""
    pairs = all_pairs(heard)
    scores = cosines(heard, pairs)
    in_one = heard.session[pairs.first] == heard.session[pairs.second]
    for name, first, second in (("near, near", False, False), ("far, far", True, True), ("near, far", False, True)):
        for sessions, kept in (("other clip and room", ~in_one), ("same clip and room", in_one | ~pairs.same)):
            cells = []
            for duration in DURATIONS:
                both = np.stack([heard.far[pairs.first], heard.far[pairs.second]])
                where = kept & (np.sort(both, axis=0) == [[first], [second]]).all(axis=0)
                where &= (heard.duration[pairs.first] == duration) & (heard.duration[pairs.second] == duration)
                number = int((pairs.same & where).sum())
                if number:
                    rate = 100 * equal_error_rate(scores[where], pairs.same[where])
                    cells.append(f"{duration} s {rate:.1f} % ({number})")
            if cells:
                yield f"{name}, {sessions}: {', '.join(cells)}"


def _speakers(split: Split, rng: Rng) -> list[tuple[str, list[Clip]]]:
    """List who speaks in a split with their clips, in random order, those with several clips first."""
    found: dict[str, list[Clip]] = defaultdict(list)
    for clip in kit_clips("speech"):
        if clip.speaker and clip.duration > 1.5 and split_of(clip.speaker) == split:
            found[clip.speaker].append(clip)
    mixed = [list(found)[index] for index in rng.permutation(len(found))]
    return [(speaker, found[speaker]) for speaker in sorted(mixed, key=lambda speaker: len(found[speaker]) < 2)]


def _utterances(clips: list[Clip], rng: Rng) -> Iterator[tuple[int, str, int, Float32Array, Float32Array]]:
    """Cut utterances of each duration, as far as there is speech: side, clips, duration, samples, talking.

    Sides 0 and 1 are of different clips, or of the halves of one; side 2 is what follows on side 0 in the same clip.
    """
    spoken = [_talking(clips[index]) for index in rng.permutation(len(clips))[:8]]
    half = len(spoken) // 2
    sides = [_joined(spoken[:half]), _joined(spoken[half:])] if half else list(_halves(*spoken[0]))
    names = ["first", "second"]
    for duration in DURATIONS:
        hops = duration * SAMPLE_RATE // HOP
        for side, (samples, talking) in enumerate(sides):
            stretch = _stretch(samples, talking, 0, hops)
            if stretch:
                yield side, names[side], duration, *stretch
        after = _stretch(*spoken[0], hops, hops) if half else None
        if after:
            yield 2, names[0], duration, *after


def _stretch(samples: Float32Array, talking: Float32Array, skip: int, hops: int) -> tuple[Float32Array, ...] | None:
    """Cut out so many hops of speech after the first ones, or None where there are fewer."""
    counted = np.cumsum(talking > 0.5)
    if not len(counted) or counted[-1] < skip + hops:
        return None
    begin, end = np.searchsorted(counted, [skip, skip + hops], side="left")
    return samples[begin * HOP : (end + 1) * HOP], talking[begin : end + 1]


def _talking(clip: Clip) -> tuple[Float32Array, Float32Array]:
    """Read a clip, and when somebody talks in it, in whole hops."""
    samples = read_clip(clip)
    samples = samples[: len(samples) // WINDOW * WINDOW] * np.float32(0.5 / (np.abs(samples).max() + 1e-6))
    activity = VoiceActivity(locate(MODELS["silero-vad-v6"]) / "silero_vad_v6.onnx")
    likely = activity.process(SourceAudio(0, samples, samples, np.ones(len(samples) // HOP, np.float32), 0))
    return samples, np.repeat(likely[:, 0], WINDOW // HOP)


def _joined(spoken: Sequence[tuple[Float32Array, Float32Array]]) -> tuple[Float32Array, Float32Array]:
    return np.concatenate([samples for samples, _ in spoken]), np.concatenate([talking for _, talking in spoken])


def _halves(samples: Float32Array, talking: Float32Array) -> Iterator[tuple[Float32Array, Float32Array]]:
    middle = len(talking) // 2
    yield samples[: middle * HOP], talking[:middle]
    yield samples[middle * HOP :], talking[middle:]


def _in_hall(samples: Float32Array, responses: Float32Array, noise: Float32Array, rng: Rng) -> Float32Array:
    """Hear a talker and a machine in a hall; responses are of shape (2, n_taps)."""
    speech, machine = (
        scipy.signal.fftconvolve(part, way)[: len(samples)]
        for part, way in zip(
            (samples, np.take(noise, rng.integers(len(noise)) + np.arange(len(samples)), mode="wrap")),
            responses,
            strict=True,
        )
    )
    gain = np.sqrt(np.mean(speech**2) / (np.mean(machine**2) + 1e-9)) * 10 ** (-rng.uniform(*SNR_DB) / 20)
    return (speech + gain * machine).astype(np.float32)


def judged_fit(heard: Heard, others: Heard) -> dict[str, Any]:
    """Fit to some speakers, and say in bits of cost how well that does for them and for others."""
    pairs, judged = all_pairs(heard), all_pairs(others)
    fitted = fit(heard, pairs)
    return {
        "fit": {name: round(value, 4) for name, value in fitted.items()},
        "speakers": len(np.unique(heard.speaker)),
        "cost_bits": round(calibration_cost(log_ratios(fitted, heard, pairs), pairs.same), 4),
        "cost_bits_others": round(calibration_cost(log_ratios(fitted, others, judged), judged.same), 4),
    }


def main(arguments: Sequence[str], tell: Callable[[str], None] = print) -> None:
    """Fit, write, and tell how well."""
    torch.set_num_threads(1)
    weights, folder = (*map(Path, arguments), *(own_weights(), Path("checkpoints/voices"))[len(arguments) :])
    encoder = VoiceEncoder(weights)
    heard, others = hear("dev", encoder, folder, 60), hear("test", encoder, folder, 60)
    record = {"encoder": encoder.name, **judged_fit(heard, others)}
    (weights / CALIBRATION).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    tell(json.dumps(record))
    for name, found in (("development", heard), ("test", others)):
        for line in error_table(found):
            tell(f"{name}: {line}")


if __name__ == "__main__":
    main(sys.argv[1:])
