"""What random scenes are drawn from: the schema of the YAML files that describe a distribution.

`hearing_sim.random_scenes` draws from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from hearing_sim.checks import MACHINE_KINDS
from hearing_sim.conversation import Style
from hearing_sim.motion import Vector
from hearing_sim.schema import check_choice, load_yaml

Interval = tuple[float, float]

ARRAYS = ("respeaker_4mic", "respeaker_6mic", "xvf3800_4mic", "azure_kinect", "head_8mic")
WORKING_KINDS = tuple(k for k in MACHINE_KINDS if k not in ("alarm", "announcement", "radio", "recording"))
"""Machines that a hall is full of; the others are named where they are wanted."""
RECORDINGS = (
    "things_ceiling-fan",
    "things_washing-machine",
    "things_slide-projector",
    "things_windshield-wipers",
    "things_typewriter",
    "things_boiling-water",
    "transport_inside-a-train",
    "transport_airplane",
    "urban_highway",
    "pra_exercise_bike",
    "pra_doing_the_dishes",
    "chainsaw/1-19898-A",
    "alarm",
)
"""Machine-like noises of the kit in which nobody speaks."""
COLLECTIONS = {"speech/read_5_speakers": 0.3, "speech/small_assets": 0.2, "speech/read_accented_speakers": 0.5}
"""Transcribed voices of the kit, and how often each: the accented speakers are many, and harder than all others."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Rooms between two sizes; a share of them is L-shaped, and a share is described by materials that vary by wall."""

    smallest: Vector
    largest: Vector
    rt60: Interval
    l_shaped: float = 0.0
    varied_walls: float = 0.0


@dataclass(frozen=True, slots=True)
class People:
    """Who is there.

    Attributes
    ----------
    number
        Fewest and most of them.
    collections
        Share of the voices by collection of the data kit; `synthesis` for the synthetic voice.
    distance
        From the array in metres.
    min_angle_deg
        Between any two of them, as seen from the array when the scene starts.
    ahead_deg
        How far to either side of straight ahead of the array they stand; 180 is all around.
    level_db, lombard
        As in `hearing_sim.scene.Talker`.
    walking
        Probability that somebody walks.
    hidden
        Probability that the camera does not see a face.
    attentive
        Probability that somebody looks at the robot all the time, not at whom he speaks to or listens to.
    arrangements
        What scenes ask for, one after the other by their seeds: `free`; `one_walks`: one of them, whatever `walking`
        says; `swap`: two change places in silence in the middle of the scene; `in_line`: the last one stands behind
        another, as seen from the array; `off_screen`: the last one stands to the side or behind, not ahead.
    """

    number: Interval = (2.0, 3.0)
    collections: dict[str, float] = field(default_factory=lambda: dict(COLLECTIONS))
    distance: Interval = (1.0, 3.0)
    min_angle_deg: float = 25.0
    ahead_deg: float = 180.0
    level_db: Interval = (60.0, 60.0)
    lombard: Interval = (0.0, 0.0)
    walking: float = 0.0
    hidden: float = 0.1
    attentive: float = 0.0
    arrangements: tuple[str, ...] = ("free",)


@dataclass(frozen=True, slots=True)
class Machines:
    """What makes noise: how many machines, of which kinds, how loud, and the share that is recorded."""

    number: Interval = (0.0, 0.0)
    kinds: tuple[str, ...] = WORKING_KINDS
    level_db: Interval = (60.0, 70.0)
    recorded: float = 0.3
    backgrounds: tuple[str, ...] = ()
    background_db: Interval = (40.0, 50.0)


@dataclass(frozen=True, slots=True)
class Robots:
    """The robot: probabilities that it has each of these; `on_body` goes for arrays that are built around a head.

    `fps` are the frame rates of cameras, one scene after the other by their seeds.
    """

    on_body: float = 0.0
    imperfect_microphones: float = 0.0
    moving: float = 0.0
    ego_noise: float = 0.0
    loudspeaker: float = 0.0
    camera: float = 0.0
    fps: tuple[float, ...] = (25.0,)


@dataclass(frozen=True, slots=True)
class SceneDistribution:
    """What random scenes are drawn from. Ranges are pairs, probabilities numbers from 0 to 1.

    Attributes
    ----------
    name
        Start of the scenes' names.
    duration
        Range of seconds.
    rooms, people, machines, robots, conversation
        See there.
    arrays
        Names of arrays, or array files.
    snr_db
        Range of requested ratios of speech to machines; None to let the levels decide.
    seeds
        Seeds of a benchmark's scenes by split, `dev` and `test`.
    """

    name: str
    duration: Interval
    rooms: Rooms
    people: People = People()
    conversation: Style = field(default_factory=Style)
    machines: Machines = Machines()
    robots: Robots = Robots()
    arrays: tuple[str, ...] = ARRAYS
    snr_db: Interval | None = None
    seeds: dict[str, tuple[int, ...]] = field(default_factory=dict)


def distribution_names() -> list[str]:
    """List the names of the built-in distributions."""
    return sorted(_builtin())


def load_distribution(name_or_path: str | Path) -> SceneDistribution:
    """Load a built-in distribution by its name, or any from a YAML file.

    Raises
    ------
    InputError
        If there is none of this name, or for the first mistake in it.
    """
    path = Path(name_or_path)
    if not path.is_file():
        check_choice(f"distribution {str(name_or_path)!r}: no such file, and the name", str(name_or_path), _builtin())
        path = _builtin()[str(name_or_path)]
    return load_yaml(SceneDistribution, path, "distribution")


def _builtin() -> dict[str, Path]:
    """Return the files of the built-in distributions by name: the simulator's, FactoryBench's, and those of `who/`."""
    simulator, datasets = Path(str(resources.files("hearing_sim"))), Path(str(resources.files("hearing_datasets")))
    folders = {simulator / "distributions": "", datasets / "factorybench": "", datasets / "who": "who/"}
    return {prefix + path.stem: path for folder, prefix in folders.items() for path in folder.glob("*.yaml")}
