"""The comparison of speech recognition engines: the same audio for all of them, in one thread."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from threadpoolctl import ThreadpoolController

from hearing.bench.journal import RecordFile
from hearing.bench.recognizer_listening import hear, peak_memory
from hearing.bench.recognizer_score import Answer
from hearing.bench.recognizer_trials import TIMED, Case, Material, Trial, load_material
from hearing.console import Note, say
from hearing.errors import InputError
from hearing.recognition.drafting import DraftingEngine
from hearing.recognition.engine import StreamingEngine
from hearing.recognition.engines import DEFAULT_ENGINE, engine_names, load_engine
from hearing.recognition.engines.support import own_weights
from hearing.types import SAMPLE_RATE, Float32Array

OWN = DEFAULT_ENGINE
"""The project's own engine."""
OWN_WHOLE = f"{OWN}, whole"
"""The same, hearing every utterance once more with all of it as context when it ends."""
STOCK = "faster-whisper"
"""What the others are compared with: Whisper base as it comes, every utterance padded to 30 s."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, by its name and the folder of its model if it brings none."""

    name: str
    folder: Path | None = None

    @property
    def label(self) -> str:
        """What the page calls it."""
        return self.name if self.folder is None else f"{self.name} {self.folder.name}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes
    ----------
    engines
        Which; if there are none, the own engine and all that load without a folder.
    split
        Whose voices and places: `dev` or `test`.
    trials
        Utterances of each condition.
    stretches
        Stretches of each kind of noise alone, of 4 s in the mean.
    n_places
        Rooms.
    seed
        Of everything random.
    """

    engines: tuple[Choice, ...] = ()
    split: str = "dev"
    trials: int = 24
    stretches: int = 50
    n_places: int = 40
    seed: int = 1

    @classmethod
    def quick(cls, engines: tuple[Choice, ...], split: str, seed: int) -> Plan:
        """Make a plan that only shows that everything works."""
        return cls(engines, split, 1, 1, 4, seed)


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured.

    Attributes
    ----------
    plan
        What was to be measured.
    answers
        By engine, all in the same order.
    memory
        Bytes by which a process grows, by engine.
    left_out
        Engines that were not measured, and why.
    """

    plan: Plan
    answers: Mapping[str, Sequence[Answer]]
    memory: Mapping[str, int]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def own(self) -> str | None:
        """The project's own engine, with the weights of the package or those of a folder, if it was measured."""
        return next((engine for engine in self.answers if engine == OWN or engine.startswith(f"{OWN} ")), None)

    def of(self, engine: str, chosen: Callable[[Answer], bool]) -> list[Answer]:
        """Return the answers of an engine to some utterances."""
        return [answer for answer in self.answers[engine] if chosen(answer)]


@dataclass(frozen=True, slots=True, eq=False)
class _Contestant:
    """An engine and how it is used."""

    label: str
    choice: Choice
    engine: StreamingEngine
    version: str
    whole: bool = False

    def answer(self, case: Case, trial: Trial) -> Answer:
        """Recognize an utterance.

        Partial words are asked for where they are timed, and where the final words depend on them.
        """
        partial = not self.whole and (case.condition.name == TIMED or not isinstance(self.engine, DraftingEngine))
        heard = hear(self.engine, trial.samples, trial.words, partial=partial, whole=self.whole)
        return Answer(
            case.name,
            case.condition.name,
            case.group,
            self.label,
            self.version,
            case.written,
            heard.text,
            len(trial.samples) / SAMPLE_RATE,
            round(heard.partial_seconds, 4),
            round(heard.final_seconds, 4),
            heard.latencies,
            len(trial.words) if partial else 0,
            heard.confidences,
        )


@dataclass(frozen=True, slots=True)
class _Memory:
    """How much memory an engine takes, in bytes."""

    engine: str
    version: str
    size: int


def parse_engines(text: str) -> tuple[Choice, ...]:
    """Read names of engines and folders of models, as in `moonshine,vosk=models/vosk-small`.

    Raises
    ------
    InputError
        If a name is unknown.
    """
    choices = []
    for entry in filter(None, map(str.strip, text.split(","))):
        name, _, folder = entry.partition("=")
        if name not in engine_names():
            raise InputError(f"--engines: {name!r} is unknown; known are: {', '.join(engine_names())}")
        choices.append(Choice(name, Path(folder) if folder else None))
    return tuple(dict.fromkeys(choices))


def run_bench(plan: Plan, data: Path, out: Path, again: bool, note: Note) -> Results:
    """Measure what has not been measured yet.

    Parameters
    ----------
    plan
        What to measure.
    data
        Folder of voices and places, see `load_material`.
    out
        Folder for measurements.
    again
        Also measure what has been measured.
    note
        Is told how far it is.

    Raises
    ------
    InputError
        If an engine that was asked for cannot be loaded, or something is missing or in the way.
    """
    if plan.trials < 1 or plan.seed < 0:
        raise InputError("--trials needs 1 or more, --seed 0 or more")
    contestants, left_out = _contestants(plan.engines)
    for name, reason in left_out.items():
        say(f"notice: {name} is left out: {reason}")
    material = load_material(data, plan.split, plan.n_places, plan.seed, note)
    cases = list(material.cases(plan.trials, plan.stretches))
    out.mkdir(parents=True, exist_ok=True)
    journal = RecordFile(
        out / f"{plan.split}-{plan.n_places}-{plan.seed}.jsonl", Answer.from_dict, lambda one: (one.case, one.engine)
    )
    missing = {
        case.name: asked
        for case in cases
        if (asked := [one for one in contestants if again or not _holds(journal, case, one)])
    }
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        _measure(material, cases, missing, journal, note)
    # The journal's answers are in the order of the cases: ratios compare utterance by utterance.
    answers = {
        one.label: [known for case in cases if (known := journal.find(case.name, one.label))] for one in contestants
    }
    return Results(plan, answers, _memory(contestants, material, cases, out, again), left_out)


def _measure(
    material: Material,
    cases: Sequence[Case],
    missing: Mapping[str, Sequence[_Contestant]],
    journal: RecordFile[Answer],
    note: Note,
) -> None:
    done, total = 0, sum(map(len, missing.values()))
    for case in cases:
        if case.name not in missing:
            continue
        trial = material.trial(case)
        for contestant in missing[case.name]:
            note(f"{case.name} {contestant.label}", done, total)
            journal.add(contestant.answer(case, trial))
            done += 1


def _contestants(asked: Sequence[Choice]) -> tuple[list[_Contestant], dict[str, str]]:
    """Load the engines that were asked for, or all that load, and tell which do not."""
    found: list[_Contestant] = []
    left_out: dict[str, str] = {}
    for choice in asked or map(Choice, engine_names()):
        try:
            engine = load_engine(choice.name, choice.folder, threads=1)
        except InputError as error:
            if asked:
                raise
            left_out[choice.name] = str(error)
            continue
        version = _version(choice)
        found.append(_Contestant(choice.label, choice, engine, version))
        if choice.name == OWN:
            label = choice.label.replace(OWN, OWN_WHOLE, 1)
            found.append(_Contestant(label, choice, engine, version, whole=True))
    if not found:
        raise InputError("no engine can be loaded; `hearing doctor` says what is missing")
    return found, left_out


def _holds(journal: RecordFile[Answer], case: Case, contestant: _Contestant) -> bool:
    """Tell whether this utterance was measured with this network; voices may have been added since."""
    known = journal.find(case.name, contestant.label)
    return known is not None and (known.version, known.said) == (contestant.version, case.written)


def _memory(
    contestants: Sequence[_Contestant], material: Material, cases: Sequence[Case], out: Path, again: bool
) -> dict[str, int]:
    known: RecordFile[_Memory] = RecordFile(out / "memory.jsonl", _parsed, lambda one: (one.engine, one.version))
    samples: Float32Array | None = None
    sizes = {}
    for one in contestants:
        found = None if again else known.find(one.choice.label, one.version)
        if found is None:
            samples = material.trial(cases[0]).samples if samples is None else samples
            found = _Memory(one.choice.label, one.version, peak_memory(one.choice.name, one.choice.folder, samples))
            known.add(found)
        sizes[one.label] = found.size
    return sizes


def _parsed(record: dict[str, Any]) -> _Memory:
    return _Memory(**record)


def _version(choice: Choice) -> str:
    """Return a fingerprint of the files of a model that may change; those of packages are pinned."""
    folder = choice.folder
    if choice.name == OWN and folder is None:
        folder = own_weights()
    if folder is None:
        return "packaged"
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
