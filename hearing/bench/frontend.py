"""The ablation of the front end: every switch off in turn, on scenes of FactoryBench."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hearing.bench.journal import Journal, Measurement
from hearing.bench.listening import listen
from hearing.bench.scenes import Truth, choose_scenes, read_truth, rendered
from hearing.bench.score import FrontEndScore, Transcriber, cut, score, stretches, word_errors
from hearing.console import Note
from hearing.errors import InputError
from hearing.front_end import FrontEndConfig
from hearing.recording import Recording

if TYPE_CHECKING:
    from hearing_sim.scene import Scene

ALL_ON = "all on"
QUICK_KINDS = ("quiet", "duplex")
QUICK_SECONDS = 8.0

_CANNOT_MATTER: dict[str, Callable[[Recording], bool]] = {
    "echo_cancellation": lambda recording: recording.played is None,
}
"""Switches that change nothing in some recordings, and in which."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes
    ----------
    kinds
        Categories of FactoryBench; all if there are none.
    split
        `dev` or `test`.
    number
        Scenes of each kind.
    seconds
        How much of each scene is heard; None for all of it.
    recognizer
        Whether words are counted.
    """

    kinds: tuple[str, ...] = ()
    split: str = "dev"
    number: int = 2
    seconds: float | None = None
    recognizer: bool = True

    @classmethod
    def quick(cls, split: str = "dev") -> Plan:
        """Make a plan that only shows that everything works."""
        return cls(QUICK_KINDS, split, 1, QUICK_SECONDS, recognizer=False)


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured.

    Attributes
    ----------
    plan
        What was to be measured.
    scenes
        Names of the scenes of each kind.
    scores
        By variant and scene.
    versions
        Fingerprints of the front end: more than one if it was changed or trained while it was measured.
    """

    plan: Plan
    scenes: dict[str, list[str]]
    scores: dict[str, dict[str, FrontEndScore]]
    versions: tuple[str, ...]

    def total(self, variant: str, kind: str | None = None) -> FrontEndScore:
        """Sum up the scenes of one kind, or all of them."""
        names = [name for of, scenes in self.scenes.items() if kind in (None, of) for name in scenes]
        return sum((self.scores[variant][name] for name in names), FrontEndScore.zero())


def variants() -> dict[str, FrontEndConfig]:
    """List the front end with all stages, and with each switch of its configuration turned over, by name.

    >>> list(variants())[:2]
    ['all on', 'without echo cancellation']
    """
    complete = FrontEndConfig()
    switches = [entry.name for entry in dataclasses.fields(complete) if isinstance(entry.default, bool)]
    turned: dict[str, dict[str, Any]] = {name: {name: not getattr(complete, name)} for name in switches}
    return {ALL_ON: complete} | {_label(name, complete): replace(complete, **turned[name]) for name in switches}


def run_bench(plan: Plan, out: Path, again: bool, note: Note) -> Results:
    """Measure what has not been measured yet.

    Parameters
    ----------
    plan
        What to measure.
    out
        Folder for recordings and measurements.
    again
        Also measure what has been measured.
    note
        Is told how far it is.

    Raises
    ------
    InputError
        If there is no such scene, or something is missing or in the way.
    """
    chosen = choose_scenes(plan.kinds, plan.split, plan.number)
    journal = Journal(_made(out) / ("measurements.jsonl" if plan.seconds is None else "quick.jsonl"))
    steps = [
        (scene, variant)
        for _, scene in chosen
        for variant in variants()
        if again or not journal.holds(scene.name, variant, plan.recognizer)
    ]
    transcribe = _transcriber() if plan.recognizer and steps else None
    bench: _SceneBench | None = None
    for done, (scene, variant) in enumerate(steps):
        note(f"{scene.name} {variant}", done, len(steps))
        if bench is None or bench.name != scene.name:
            bench = _SceneBench.prepare(scene, out / scene.name, plan.seconds, transcribe)
        complete, config = journal.get(scene.name, ALL_ON), variants()[variant]
        measured = complete.score if complete and bench.cannot_matter(config) else bench.measure(config)
        journal.add(Measurement(scene.name, variant, _version(), plan.recognizer, measured))
    return _results(plan, chosen, journal)


@dataclass(eq=False)
class _SceneBench:
    """One scene, ready to be heard."""

    name: str
    recording: Recording
    truth: Truth
    seconds: float | None
    transcribe: Transcriber | None

    @classmethod
    def prepare(cls, scene: Scene, folder: Path, seconds: float | None, transcribe: Transcriber | None) -> _SceneBench:
        return cls(scene.name, rendered(scene, folder), read_truth(folder, seconds), seconds, transcribe)

    def measure(self, config: FrontEndConfig) -> FrontEndScore:
        heard = listen(self.recording, config, stretches(self.truth), self.seconds)
        return score(self.truth, heard, self.transcribe, self.microphone_errors)

    def cannot_matter(self, config: FrontEndConfig) -> bool:
        complete = FrontEndConfig()
        changed = [name for name in _CANNOT_MATTER if getattr(config, name) != getattr(complete, name)]
        return any(_CANNOT_MATTER[name](self.recording) for name in changed)

    @cached_property
    def microphone_errors(self) -> int:
        if self.transcribe is None:
            return 0
        voices = [cut(segment, self.truth.microphone) for segment in self.truth.segments]
        return word_errors(self.truth, voices, self.transcribe)


def _results(plan: Plan, chosen: list[tuple[str, Scene]], journal: Journal) -> Results:
    scenes: dict[str, list[str]] = {}
    for kind, scene in chosen:
        scenes.setdefault(kind, []).append(scene.name)
    known = {variant: [journal.get(scene.name, variant) for _, scene in chosen] for variant in variants()}
    scores = {variant: {m.scene: m.score for m in results if m} for variant, results in known.items()}
    versions = sorted({m.version for results in known.values() for m in results if m})
    return Results(plan, scenes, scores, tuple(versions))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror}); give another --out folder") from error
    return folder


def _label(switch: str, complete: FrontEndConfig) -> str:
    return f"{'without' if getattr(complete, switch) else 'with'} {switch.replace('_', ' ')}"


def _version() -> str:
    """Return a fingerprint of the networks, the switches and all settings."""
    weights = sorted((Path(str(resources.files("hearing_models.frontend"))) / "weights").glob("*.onnx"))
    return hashlib.sha256(
        b"".join(file.read_bytes() for file in weights) + repr(FrontEndConfig()).encode()
    ).hexdigest()[:8]


def _transcriber() -> Transcriber:
    from hearing.recognition.catalogue import MODELS
    from hearing.recognition.store import locate
    from hearing.recognition.whisper import Whisper

    whisper = Whisper(locate(MODELS["whisper-base"]), threads=1)
    return lambda samples: whisper.transcribe(samples).text
