"""What sounds in a world: a YAML file that gives models and actors, by their names, machines' sounds and voices."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hearing_sim.machines import KINDS
from hearing_sim.scene import Background, Machine
from hearing_sim.schema import check_choice, load_yaml

from hearing.errors import InputError

SOUNDS = Path(__file__).with_name("config") / "sounds.yaml"
"""The sounds of the world that comes with the package."""

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Hall:
    """The room.

    Attributes
    ----------
    model
        Whose links are its walls, see `hearing_gazebo.world.WALLS`.
    rt60, materials
        As of a room in `hearing simulate`.
    """

    model: str
    rt60: float | None = None
    materials: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ears:
    """The microphones.

    Attributes
    ----------
    model, link
        The link of a model that is the array frame.
    geometry
        Name of a built-in array, or a YAML file.
    body_radius
        Radius in metres of the head or body around the array; None for microphones in free air.
    self_noise_db
        Equivalent input noise in dB SPL.
    full_scale_db
        The sinusoidal level in dB SPL that reaches full scale; what is louder clips.
    """

    model: str
    link: str
    geometry: str
    body_radius: float | None = None
    self_noise_db: float = 30.0
    full_scale_db: float = 106.0


@dataclass(frozen=True, slots=True)
class Line:
    """Something that is said: a recorded clip, an audio file, or a text that is synthesized.

    Attributes
    ----------
    at
        Seconds of simulation at which the speech begins.
    text
        The words; to be synthesized unless there is a `file`.
    clip
        Name of a recorded clip of the data kit or of the installed packages; it brings its words.
    file
        An audio file, relative to the YAML file; its first channel is taken.
    to
        To whom it is said: `robot`, an actor, or None for whoever listens.
    """

    at: float
    text: str | None = None
    clip: str | None = None
    file: str | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """What an actor says.

    Attributes
    ----------
    actor
        Who. He faces along his x axis.
    lines
        In order of time.
    mouth
        Where the mouth is in the actor's frame, in metres.
    level_db
        How loud, in dB SPL at 1 m; 60 is normal, 66 raised, 72 loud.
    pitch
        Factor on the pitch and formants of synthesized lines.
    """

    actor: str
    lines: tuple[Line, ...]
    mouth: Vector = (0.08, 0.0, 0.6)
    level_db: float = 62.0
    pitch: float = 1.0


@dataclass(frozen=True, slots=True)
class Sounds:
    """Everything that sounds.

    Attributes
    ----------
    hall, ears
        Room and microphones.
    voices
        Of actors.
    machines
        As in `hearing simulate`, but `name` is that of a model, and `position` is in the model's frame.
    backgrounds
        Diffuse noise.
    period
        Seconds of simulation after which everything is said again; None: once.
    seed
        Of all randomness.
    """

    hall: Hall
    ears: Ears
    voices: tuple[Voice, ...] = ()
    machines: tuple[Machine, ...] = ()
    backgrounds: tuple[Background, ...] = ()
    period: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not (self.voices or self.machines):
            raise InputError("there are neither voices nor machines; give at least one")
        for machine in self.machines:
            check_choice(f"machine {machine.name}: kind {machine.kind!r}", machine.kind, KINDS)
            if machine.path or machine.speed_profile:
                raise InputError(f"machine {machine.name}: path and speed_profile are not known here; drop them")
        for voice in self.voices:
            for line in voice.lines:
                _check_line(voice, line, self.period)


def _check_line(voice: Voice, line: Line, period: float | None) -> None:
    where = f"voice of {voice.actor}, at {line.at:g} s"
    if (line.clip is None) == (line.text is None) or (line.clip is not None and line.file is not None):
        raise InputError(f"{where}: give a clip, a text, or a file with its text")
    if line.at < 0 or (period is not None and line.at >= period):
        raise InputError(f"{where}: must lie between 0 and the period")


def load_sounds(path: Path) -> Sounds:
    """Read a YAML file of sounds.

    Raises
    ------
    InputError
        If it cannot be read, or for the first mistake in it.
    """
    sounds: Sounds = load_yaml(Sounds, path, "sounds")
    return sounds
