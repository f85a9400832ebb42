"""The benchmark of who speaks: each cue off in turn, on scenes in which that is hard to tell."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hearing.attribution import AttributionConfig
from hearing.bench.journal import RecordFile
from hearing.bench.who_listening import Seen, hear, look
from hearing.bench.who_score import WhoScore, score
from hearing.console import Note
from hearing.errors import InputError
from hearing.pipeline import PipelineConfig
from hearing.recording import Recording, open_recording

if TYPE_CHECKING:
    from hearing_sim.scene import Scene

ALL_CUES = "all cues"
NO_CAMERA = "without camera"
KINDS = ("audio_only", "audio_visual", "one_walker")
QUICK_KINDS = ("audio_visual",)
QUICK_SECONDS = 10.0
NEEDS_VIDEO = ("without lips", NO_CAMERA)
"""Variants that change nothing in recordings without a video."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes
    ----------
    kinds
        Kinds of scenes, as in `audio_only`; all if there are none.
    split
        `dev` or `test`.
    number
        Scenes of each kind, if there are so many.
    seconds
        Length of shorter scenes in place of the true ones; None for those.
    variants
        Names of what is measured, as in `variants()`; all if there are none.
    """

    kinds: tuple[str, ...] = ()
    split: str = "dev"
    number: int = 8
    seconds: float | None = None
    variants: tuple[str, ...] = ()

    @classmethod
    def quick(cls, split: str = "dev") -> Plan:
        """Make a plan that only shows that everything works."""
        return cls(QUICK_KINDS, split, 1, QUICK_SECONDS)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One scene, heard with some of the cues.

    Attributes
    ----------
    scene, variant
        Their names.
    version
        Fingerprint of the networks and settings.
    score
        What came out.
    """

    scene: str
    variant: str
    version: str
    score: WhoScore


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
        By variant and scene; earlier measurements of the same scenes as well.
    versions
        Fingerprints: more than one if something was changed or trained while it was measured.
    """

    plan: Plan
    scenes: dict[str, list[str]]
    scores: dict[str, dict[str, WhoScore]]
    versions: tuple[str, ...]

    def of(self, variant: str, kind: str | None = None) -> list[WhoScore]:
        """List the scores of the scenes of one kind, or of all of them."""
        names = [name for of, scenes in self.scenes.items() if kind in (None, of) for name in scenes]
        return [self.scores[variant][name] for name in names]

    def variants(self, kind: str) -> list[str]:
        """List the variants that all scenes of a kind were measured with, and that matter there."""
        video = self.total(ALL_CUES, kind).video_seconds > 0
        return [
            variant
            for variant, scores in self.scores.items()
            if all(name in scores for name in self.scenes[kind]) and (video or variant not in NEEDS_VIDEO)
        ]

    def total(self, variant: str, kind: str | None = None) -> WhoScore:
        """Sum up the scenes of one kind, or all of them."""
        return sum(self.of(variant, kind), WhoScore.zero())


def variants() -> dict[str, AttributionConfig]:
    """List attribution with all cues, with each of them off, and without a camera, by name.

    >>> list(variants())[:2]
    ['all cues', 'without direction']
    """
    complete = AttributionConfig()
    switches = [entry.name for entry in dataclasses.fields(complete) if isinstance(entry.default, bool)]
    off: dict[str, dict[str, Any]] = {name: {name: False} for name in switches}
    single = {f"without {name}": replace(complete, **off[name]) for name in switches}
    return {ALL_CUES: complete} | single | {NO_CAMERA: complete}


def run_bench(plan: Plan, out: Path, again: bool, note: Note) -> Results:
    """Measure what has not been measured yet.

    Parameters
    ----------
    plan
        What to measure.
    out
        Folder for recordings, outputs and measurements.
    again
        Also measure what has been measured.
    note
        Is told how far it is.

    Raises
    ------
    InputError
        If there is no such scene, or something is missing or in the way.
    """
    for name in plan.variants:
        if name not in variants():
            raise InputError(f"variant {name!r} is unknown; known are: {', '.join(variants())}")
    chosen = choose_scenes(plan)
    wanted = [name for name in variants() if name == ALL_CUES or name in (plan.variants or variants())]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made ({error.strerror}); give another --out folder") from error
    journal = RecordFile(out / "measurements.jsonl", _parsed, lambda known: (known.scene, known.variant))
    steps = [
        (scene, names)
        for _, scene in chosen
        if (names := [name for name in wanted if again or journal.find(scene.name, name) is None])
    ]
    for done, (scene, names) in enumerate(steps):
        note(scene.name, done, len(steps))
        for variant, measured in _SceneBench.prepare(scene, out / scene.name).measure(names).items():
            journal.add(Measurement(scene.name, variant, _version(), measured))
    return _results(plan, chosen, journal)


def choose_scenes(plan: Plan) -> list[tuple[str, Scene]]:
    """Make the scenes of a plan, each with its kind.

    Raises
    ------
    InputError
        If there is no such kind or split, no data kit, or no simulator.
    """
    if plan.number < 1:
        raise InputError(f"{plan.number} scenes of each kind: give 1 or more")
    try:  # a robot has no simulator
        from hearing_sim.distribution import load_distribution
        from hearing_sim.random_scenes import random_scene
        from hearing_sim.schema import check_choice
    except ImportError as error:
        raise InputError(f"{error}; install what this command needs: pip install 'robot-hearing[sim]'") from error
    scenes: list[tuple[str, Scene]] = []
    for kind in plan.kinds or KINDS:
        check_choice(f"kind {kind!r}", kind, KINDS)
        distribution = load_distribution(f"who/{kind}")
        check_choice(f"split {plan.split!r}", plan.split, distribution.seeds)
        seeds = distribution.seeds[plan.split][: plan.number]
        if plan.seconds is not None:
            short = (plan.seconds, plan.seconds)
            distribution = replace(distribution, name=f"{distribution.name}_{plan.seconds:g}s", duration=short)
        scenes += [(kind, random_scene(distribution, seed, plan.split)) for seed in seeds]
    return scenes


@dataclass(eq=False)
class _SceneBench:
    """One scene, looked at and ready to be heard."""

    name: str
    folder: Path
    recording: Recording
    seen: Seen | None

    @classmethod
    def prepare(cls, scene: Scene, folder: Path) -> _SceneBench:
        recorded = folder / "recording"
        if not recorded.is_dir():
            from hearing_sim import render

            render(scene, recorded)  # it appears complete or not at all
        recording = open_recording(recorded, seeing=True)
        return cls(scene.name, folder, recording, look(recording))

    def measure(self, names: Sequence[str]) -> dict[str, WhoScore]:
        """Measure variants; those that hear the same before words are attributed, together."""
        if self.seen is None:
            found = self._heard([ALL_CUES, *(name for name in names if name not in (ALL_CUES, *NEEDS_VIDEO))], None)
            return {name: found.get(name, found[ALL_CUES]) for name in names}
        seeing = [name for name in names if name not in (ALL_CUES, NO_CAMERA)]
        found = self._heard([ALL_CUES, *seeing], self.seen) if {*names} - {NO_CAMERA} else {}
        found |= self._heard([NO_CAMERA], None) if NO_CAMERA in names else {}
        return {name: found[name] for name in names}

    def _heard(self, names: Sequence[str], seen: Seen | None) -> dict[str, WhoScore]:
        folders = {name: self.folder / name.replace(" ", "_") for name in names}
        hear(self.recording, seen, {folder: variants()[name] for name, folder in folders.items()})
        video, spent = (0.0, 0.0) if seen is None else (seen.video_seconds, seen.cpu_seconds)
        return {name: score(self.folder / "recording", folder, video, spent) for name, folder in folders.items()}


def _results(plan: Plan, chosen: Iterable[tuple[str, Scene]], journal: RecordFile[Measurement]) -> Results:
    scenes: dict[str, list[str]] = {}
    for kind, scene in chosen:
        scenes.setdefault(kind, []).append(scene.name)
    names = [name for of_kind in scenes.values() for name in of_kind]
    known = {variant: [journal.find(name, variant) for name in names] for variant in variants()}
    scores = {variant: {m.scene: m.score for m in results if m} for variant, results in known.items()}
    versions = sorted({m.version for results in known.values() for m in results if m})
    return Results(plan, scenes, scores, tuple(versions))


def _parsed(record: dict[str, Any]) -> Measurement:
    return Measurement(**record | {"score": WhoScore.from_dict(record["score"])})


def _version() -> str:
    """Return a fingerprint of the networks and of all settings."""
    weights = sorted(Path(str(resources.files("hearing_models"))).glob("*/weights/*.onnx"))
    return hashlib.sha256(
        b"".join(file.read_bytes() for file in weights) + repr(PipelineConfig()).encode()
    ).hexdigest()[:8]
