"""What engines are compared on: voices, places and noises that no training hears, at fixed ratios."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hearing.console import Note
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, Float32Array

if TYPE_CHECKING:
    from hearing_datasets import Word
    from hearing_models.recognizer.speech import Speech

SPLITS = ("dev", "test")
SNRS_DB = (15.0, 8.0, 2.0)
STRETCHES = (1.0, 2.0, 4.0, 8.0, 5.0)
"""Seconds of noise that are taken for an utterance, in turn."""
NATIVE, LABELLED, ACCENTED, NUMBERS, COMMANDS = "native", "native (labelled)", "accented", "numbers", "commands"
COLLECTIONS = {
    "speech/read_5_speakers": NATIVE,
    "speech/read_251_speakers": LABELLED,
    "speech/read_accented_speakers": ACCENTED,
    "speech/numbers_names_70_speakers": NUMBERS,
    "synthesis": COMMANDS,
}
"""Whose voices a collection holds. Nobody wrote down what is said in LABELLED: Whisper base did."""
_READ = (NATIVE, ACCENTED, LABELLED, ACCENTED)
_SHORTEST = 1.0
_MARGIN = SAMPLE_RATE // 4
_LEVEL = 0.03
"""Root mean square of the speech, as an array hears near talkers."""
_SOUND_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Condition:
    """How speech, or noise alone, reaches the engines.

    Attributes
    ----------
    name
        What the page calls it.
    groups
        Whose voices, in turn; nobody's in noise alone.
    place
        `clean`, `microphone` or `beam`.
    snrs_db
        Speech, or the sound in `sounds`, over machines at the microphone, in turn.
    sounds
        In noise alone: kinds of machines that sound above the others, in turn.
    """

    name: str
    groups: tuple[str, ...] = ()
    place: str = "microphone"
    snrs_db: tuple[float, ...] = SNRS_DB
    sounds: tuple[str, ...] = ()


READ_CONDITIONS = (
    Condition("clean", _READ, "clean"),
    *(Condition(f"{place}, {snr:g} dB", _READ, place, (snr,)) for place in ("microphone", "beam") for snr in SNRS_DB),
)
OTHER_CONDITIONS = (
    Condition("numbers, clean", (NUMBERS,), "clean"),
    Condition("numbers, microphone", (NUMBERS,)),
    Condition("commands, clean", (COMMANDS,), "clean"),
    Condition("commands, microphone", (COMMANDS,)),
)
NOISES = (
    Condition("machines"),
    Condition("alarms", sounds=("alarm",)),
    Condition("announcements, radio", sounds=("announcement", "radio")),
)
TIMED = READ_CONDITIONS[1].name
"""Where partial words are asked for and timed."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """An utterance that is to be recognized, without its audio.

    Attributes
    ----------
    name
        Unique.
    condition, index
        What it is an example of, and which.
    group
        Whose voice it is; empty in noise alone.
    speech
        What is said, and how it sounds; None in noise alone.
    """

    name: str
    condition: Condition
    index: int
    group: str = ""
    speech: Speech | None = None

    @property
    def written(self) -> str:
        """What is said, as people write it."""
        return self.speech.written if self.speech else ""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The audio of a case.

    Attributes
    ----------
    samples
        Float32 array of shape (n_samples,) at 16 kHz.
    words
        When each word is said, where that is asked for and known.
    """

    samples: Float32Array
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """What trials are made of.

    Attributes
    ----------
    voices
        Speech by group, shuffled.
    places
        Files of `hearing_models.recognizer.places`.
    seed
        Of everything random.
    """

    voices: Mapping[str, Sequence[Speech]]
    places: Sequence[Path]
    seed: int

    def cases(self, trials: int, stretches: int) -> Iterator[Case]:
        """List so many cases of every condition with speech, and so many of each with noise alone.

        The same number means the same speech in all conditions of a kind; groups without a voice are left out.
        """
        for condition in (*READ_CONDITIONS, *OTHER_CONDITIONS):
            groups = [group for group in condition.groups if self.voices.get(group)]
            for index in range(trials if groups else 0):
                group = groups[index % len(groups)]
                earlier = sum(groups[number % len(groups)] == group for number in range(index))
                speech = self.voices[group][earlier % len(self.voices[group])]
                yield Case(f"{condition.name}/{index}", condition, index, group, speech)
        for condition in NOISES:
            yield from (Case(f"{condition.name}/{index}", condition, index) for index in range(stretches))

    def trial(self, case: Case) -> Trial:
        """Make the audio of a case; it depends on seed and case only."""
        from hearing_models.recognizer.examples import spoken_at

        rng = np.random.default_rng((self.seed, case.index))
        if case.speech is None:
            return Trial(self._arrived(rng, _sound(rng, case), case))
        dry = np.pad(spoken_at(rng, case.speech), _MARGIN)
        words = _aligned(dry, case.speech.spoken) if case.condition.name == TIMED else ()
        return Trial(self._arrived(rng, dry, case), words)

    def _arrived(self, rng: np.random.Generator, dry: Float32Array, case: Case) -> Float32Array:
        from hearing_models.recognizer.examples import Difficulty, arrive, cached_place
        from hearing_models.recognizer.places import ARRAY_EVERY

        condition = case.condition
        heard = dry
        if condition.place != "clean":
            number = int(rng.integers(len(self.places)))
            number -= number % ARRAY_EVERY if condition.place == "beam" else 0
            snr = condition.snrs_db[case.index % len(condition.snrs_db)]
            how = Difficulty(snr_db=(snr, snr), rival=0.0)
            heard = arrive(rng, dry, (), cached_place(self.places[number]), how, condition.place)
        return (_LEVEL * heard).astype(np.float32)


def load_material(data: Path, split: str, number: int, seed: int, note: Note) -> Material:
    """Read the voices of a split and make the places that are missing.

    Parameters
    ----------
    data
        Folder of the recognizer's training: `places/SPLIT`, `synthesis/SPLIT` if there is one, and `labels.json`.
    split
        `dev` or `test`.
    number
        Places.
    seed
        Of places that are missing, and of everything else that is random.
    note
        Is told how far it is.

    Raises
    ------
    InputError
        If there is no such split, no speech or no simulator.
    """
    if split not in SPLITS:
        raise InputError(f"split {split!r} is unknown; known are: {', '.join(SPLITS)}")
    try:  # a robot has neither simulator nor training
        from hearing_models.recognizer.places import generate_places
        from hearing_models.recognizer.speech import recorded_speech, synthetic_speech
    except ImportError as error:
        raise InputError(
            f"{error}; install what this command needs: pip install 'robot-hearing[sim]' num2words"
        ) from error
    note("reading voices", 0, 1)
    speech = recorded_speech(split, data / "labels.json", lambda _: None)
    if not speech:
        raise InputError(f"no speech of split {split}: this command needs the data kit; set HEARING_DATA to its folder")
    synthetic = data / "synthesis" / split
    if (synthetic / "manifest.jsonl").is_file():
        speech += synthetic_speech(synthetic)
    made = _Count(note, "simulating rooms", number)
    places = generate_places(data / "places" / split, number, seed, split, os.cpu_count() or 1, made)
    return Material(_by_group(speech, seed), places, seed)


class _Count:
    """Adds up what is done and passes it on."""

    def __init__(self, note: Note, what: str, total: int) -> None:
        self._note, self._what, self._total, self._done = note, what, total, 0

    def __call__(self, number: int) -> None:
        self._done += number
        self._note(self._what, self._done, self._total)


def _by_group(speech: Sequence[Speech], seed: int) -> dict[str, list[Speech]]:
    groups: dict[str, list[Speech]] = {group: [] for group in COLLECTIONS.values()}
    for number in np.random.default_rng(seed).permutation(len(speech)):
        one = speech[number]
        if one.kind in COLLECTIONS and one.duration >= _SHORTEST:
            groups[COLLECTIONS[one.kind]].append(one)
    return groups


def _aligned(dry: Float32Array, spoken: str) -> tuple[Word, ...]:
    """Find when words are said; none without the aligner, or if it finds no way through them."""
    from hearing_datasets import align

    return tuple(word for word in align(dry, spoken) if word.phones)


def _sound(rng: np.random.Generator, case: Case) -> Float32Array:
    """Return what sounds above the machines of a place, of shape (n_samples,)."""
    n_samples = round(STRETCHES[case.index % len(STRETCHES)] * SAMPLE_RATE)
    if not (sounds := case.condition.sounds):
        return np.zeros(n_samples, np.float32)
    from hearing_sim.machines import machine_signal
    from hearing_sim.scene import Machine

    kind = sounds[case.index % len(sounds)]
    whole = machine_signal(Machine(kind, kind), 0.0, round(_SOUND_SECONDS * SAMPLE_RATE), rng)
    begin = int(rng.integers(len(whole) - n_samples))
    return np.asarray(whole[begin : begin + n_samples], np.float32)
