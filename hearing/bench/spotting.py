"""How well emergency words are spotted: how many are missed, how soon they are known, and how often there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hearing.bench.recognizer_trials import SNRS_DB, Material
from hearing.console import Note
from hearing.dialogue.emergency import WORDS, EmergencyWords
from hearing.errors import InputError
from hearing.recognition.ctc import FRAME_RATE
from hearing.recognition.spotting import SpottingModel, WordSpotter
from hearing.recognition.streaming import StreamingRecognizer
from hearing.types import SAMPLE_RATE, Float32Array, SpottedWord

if TYPE_CHECKING:
    from hearing_models.recognizer.calls import Call
    from hearing_models.recognizer.speech import Speech

PLACES = ("microphone", "beam")
_LEAD, _REST = 0.3, 0.6
_MARGIN = 0.12
"""Seconds of near silence that synthetic voices have after a word."""
_NOISE_SECONDS = 20.0
_APART = 1.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """How likely a word is in a stretch that was heard.

    Attributes
    ----------
    time
        Seconds from the start of the trial at which this was known.
    word
        The word.
    margin
        Log-odds over the threshold.
    start, end
        Seconds between which it would be.
    before
        What is said before it.
    """

    time: float
    word: str
    margin: float
    start: float
    end: float
    before: str


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Something that was heard.

    Attributes
    ----------
    group
        `calls`, `speech` or `machines`.
    place, snr_db
        Where, and speech over noise at the microphone.
    seconds
        How long it is.
    judgements
        In order of time.
    call
        What is said, if it is a call.
    end
        Seconds at which the emergency word ends, if it is the last one.
    """

    group: str
    place: str
    snr_db: float
    seconds: float
    judgements: tuple[Judgement, ...]
    call: Call | None = None
    end: float | None = None

    def found(self, offset: float = 0.0) -> list[Judgement]:
        """Return the words that are found if thresholds are higher by an offset, each time once."""
        found: list[Judgement] = []
        for one in self.judgements:
            again = any(one.word == other.word and one.time - other.time < _APART for other in found)
            if one.margin >= offset and not again:
                found.append(one)
        return found

    def commands(self, offset: float = 0.0) -> list[Judgement]:
        """Return the words on which the robot stops."""
        emergency = EmergencyWords()
        return [
            one
            for one in self.judgements
            if one.margin >= offset
            and emergency.spot(SpottedWord(one.word, "", 0, one.start, one.end, one.time, 1.0, one.before))
        ]


def measure_spotting(
    engine: StreamingRecognizer, calls: Sequence[Speech], material: Material, minutes: float, note: Note
) -> list[Trial]:
    """Let calls, other speech, and machines alone, arrive at a microphone or through a beam, and listen.

    Parameters
    ----------
    engine
        Listens.
    calls
        With the texts of `hearing_models.recognizer.calls`.
    material
        Other speech, and places.
    minutes
        Of machines.
    note
        Is told how far it is.

    Raises
    ------
    InputError
        If nobody has fitted how sure the engine is to be.
    """
    from hearing_models.recognizer.calls import call_of

    engine.listen_for(WORDS)
    if (spotter := engine.spotter) is None:
        raise InputError("the weights have no spotting.json; run python -m hearing_models.recognizer.spotting")
    others = [speech for voices in material.voices.values() for speech in voices]
    trials: list[Trial] = []
    for group, speeches in (("calls", calls), ("speech", others)):
        for index, speech in enumerate(speeches):
            note(f"hearing {group}", index, len(speeches))
            rng = np.random.default_rng((material.seed, index, len(group)))
            place, snr = PLACES[index % 2], SNRS_DB[index // 2 % len(SNRS_DB)]
            samples = _arrived(rng, _dry(rng, speech), material, place, snr)
            call = call_of(speech.written) if group == "calls" else None
            seconds = len(samples) / SAMPLE_RATE
            end = seconds - _REST - _MARGIN if call and call.ends_with_word else None
            trials.append(Trial(group, place, snr, seconds, listen(spotter, samples), call, end))
    number = round(60 * minutes / _NOISE_SECONDS)
    for index in range(number):
        note("hearing machines", index, number)
        silence = np.zeros(round(_NOISE_SECONDS * SAMPLE_RATE), np.float32)
        samples = _arrived(np.random.default_rng((material.seed, index)), silence, material, PLACES[index % 2], 0.0)
        trials.append(Trial("machines", PLACES[index % 2], -np.inf, _NOISE_SECONDS, listen(spotter, samples)))
    return trials


def listen(spotter: WordSpotter, samples: Float32Array) -> tuple[Judgement, ...]:
    """Listen to a sound of shape (n_samples,) at 16 kHz as the engine does, and tell all that it judges."""
    from hearing_models.recognizer.spotting import stretches

    judgements = []
    model: SpottingModel = spotter.model
    for time, first, mel in stretches(spotter.encoder, samples):
        heard = spotter.hear(mel)
        margins = model.log_odds(heard.features) - model.least(spotter.n_letters)
        for number in np.flatnonzero(heard.settled):
            start, end = (float(first + frame[number]) / FRAME_RATE for frame in (heard.begin, heard.end))
            word, before = spotter.phrases[number], heard.before[number]
            judgements.append(Judgement(time, word, float(margins[number]), start, end, before))
    return tuple(judgements)


def read_calls(data: Path, number: int, seed: int, note: Note) -> list[Speech]:
    """Read the calls that the development split's synthetic voices say, and let them say those that are missing."""
    from hearing_models.recognizer.calls import draw_call
    from hearing_models.recognizer.speech import synthetic_speech
    from hearing_models.recognizer.synthesis import generate_speech, read_speech

    folder, done = data / "calls" / "dev", 0

    def count(new: int) -> None:
        nonlocal done
        done += new
        note("synthesizing calls", done, number)

    if len(read_speech(folder)) < number:
        generate_speech(folder, number, seed, "dev", draw_call, data / "voices", count)
    said: list[Speech] = synthetic_speech(folder)[:number]
    return said


def _dry(rng: np.random.Generator, speech: Speech) -> Float32Array:
    from hearing_models.recognizer.examples import spoken_at

    lead = _LEAD + rng.uniform(0.0, 0.3)
    return np.pad(spoken_at(rng, speech), (round(lead * SAMPLE_RATE), round(_REST * SAMPLE_RATE)))


def _arrived(rng: np.random.Generator, dry: Float32Array, material: Material, place: str, snr: float) -> Float32Array:
    from hearing_models.recognizer.examples import Difficulty, arrive, cached_place
    from hearing_models.recognizer.places import ARRAY_EVERY

    number = int(rng.integers(len(material.places)))
    number -= number % ARRAY_EVERY if place == "beam" else 0
    there, how = cached_place(material.places[number]), Difficulty(snr_db=(snr, snr), rival=0.0)
    heard: Float32Array = arrive(rng, dry, (), there, how, place)
    return heard
