"""The description of a scene: what a YAML file may say. `docs/scenes.md` explains every key with examples.

Positions are in metres in the room frame: its origin is one corner of the floor, x and y along the walls, z up. What is
fixed to the robot is in the array frame. Levels are in dB SPL (root mean square) at 1 m unless said otherwise. Times
are seconds from the start of the scene.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from hearing_sim.checks import check_scene
from hearing_sim.motion import Pose, PoseWaypoint, Trajectory, Vector, Waypoint
from hearing_sim.schema import check_choice, load_yaml

Point = tuple[float, float]
Interval = tuple[float, float]

ROBOT = "robot"
"""The name under which the robot speaks, is spoken to and is looked at."""


@dataclass(frozen=True, slots=True)
class Room:
    """A shoe box, or a polygon with a height. With neither `rt60` nor `materials` nothing can be said about its sound.

    Attributes
    ----------
    size
        Length, width and height of a shoe box in metres.
    rt60
        Reverberation time in seconds; the walls' absorption is scaled to reach it. 0 is a room without reflections.
    polygon
        Corners (x, y) of the floor counter-clockwise, in place of `size`.
    height
        Height of a polygon in metres.
    materials
        Material by wall: `floor`, `ceiling`, `walls` for all others, `south` (y = 0), `east`, `north`, `west` (x = 0)
        of a shoe box, `wall_1` (from the first corner to the second), ... of a polygon.
    """

    size: Vector | None = None
    rt60: float | None = None
    polygon: tuple[Point, ...] = ()
    height: float | None = None
    materials: dict[str, str] = field(default_factory=dict)

    @property
    def corners(self) -> tuple[Point, ...]:
        """Corners of the floor, counter-clockwise."""
        if self.size is None:
            return self.polygon
        length, width, _ = self.size
        return (0.0, 0.0), (length, 0.0), (length, width), (0.0, width)

    @property
    def ceiling(self) -> float:
        """Height of the ceiling in metres."""
        return self.size[2] if self.size is not None else self.height or 0.0


@dataclass(frozen=True, slots=True)
class ArrayPose:
    """The microphone array, and where the robot carries it.

    Attributes
    ----------
    geometry
        Name of a built-in array, or a YAML file.
    position, yaw_deg
        Origin of the array frame in the room, and its rotation about z in degrees counter-clockwise.
    path
        Where it moves, in place of `position` and `yaw_deg`.
    body_radius
        Radius in metres of the head or body around the array, which shadows what comes from behind; None for
        microphones in free air.
    """

    geometry: str
    position: Vector | None = None
    yaw_deg: float = 0.0
    path: tuple[PoseWaypoint, ...] = ()
    body_radius: float | None = None

    @property
    def pose(self) -> Pose:
        """Where the array frame is at any time."""
        return Pose(self.path or (PoseWaypoint(0.0, self.position or (0.0, 0.0, 0.0), self.yaw_deg),))


@dataclass(frozen=True, slots=True)
class Microphones:
    """How the microphones and their converter depart from ideal ones. Spreads are standard deviations.

    Attributes
    ----------
    self_noise_db
        Equivalent input noise in dB SPL.
    gain_spread_db
        Of the microphones' sensitivities.
    phase_spread_deg
        Of their phases at 1 kHz, as delays.
    position_spread
        Of their true places around those that array.yaml gives, in metres in every axis.
    clock_ppm
        By how much the sample clock is too fast, in parts per million.
    full_scale_db
        The sinusoidal level in dB SPL that reaches full scale; what is louder clips. None: the gain is set so that
        nothing does.
    """

    self_noise_db: float = 30.0
    gain_spread_db: float = 0.0
    phase_spread_deg: float = 0.0
    position_spread: float = 0.0
    clock_ppm: float = 0.0
    full_scale_db: float | None = None


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera on the robot.

    Attributes
    ----------
    position, yaw_deg, pitch_deg, roll_deg
        Its pose in the array frame: it looks along x, turned by yaw about z (to the left), then by pitch about y
        (down), then by roll about x.
    width, height
        Pixels.
    hfov_deg
        Horizontal angle of view.
    fps
        Frames per second.
    exposure
        Seconds that the shutter is open; what moves meanwhile is blurred.
    light
        Brightness of the scene, 1 being a well lit room.
    """

    position: Vector = (0.0, 0.0, 0.1)
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    width: int = 640
    height: int = 480
    hfov_deg: float = 70.0
    fps: float = 25.0
    exposure: float = 0.01
    light: float = 1.0


@dataclass(frozen=True, slots=True)
class Face:
    """What the camera sees of a talker.

    Attributes
    ----------
    identity
        Face of the data kit, such as `london_003`; chosen by the scene's seed if None. `grid_s1` shows the real video
        of every clip of that talker.
    habit
        What the face does while it listens: `still`, `nodding`, `chewing`, `smiling` or `yawning`.
    occlusion
        What covers a part of it: `none`, `mask`, `hand` or `cup`.
    """

    identity: str | None = None
    habit: str = "still"
    occlusion: str = "none"


@dataclass(frozen=True, slots=True)
class Talker:
    """Somebody who speaks, listens, stands or walks.

    Attributes
    ----------
    name
        The speaker's name in the reference.
    voice
        Whose recordings to use, in order of preference: a speaker of the data kit or of the packaged clips, or
        `synthesis`. The first one that this machine has is taken.
    position
        The mouth in the room.
    path
        Where it moves, in place of `position`.
    level_db
        How loud in quiet; 60 is normal, 66 raised, 72 loud, 84 shouting.
    lombard
        Decibels by which the talker gets louder for every decibel of noise at his place above 45 dB.
    pitch
        Factor on the pitch and formants of a synthesized voice.
    looks_at
        `robot`, a talker, a machine, or `ahead` (along the path, or into the room). By default whom he speaks to, or
        whoever speaks.
    directivity
        True if he radiates forward like a human head, false for all directions alike.
    present
        When he comes into sight and goes out of it; by default he is there all the time.
    face
        What the camera sees; None for a voice without a visible face.
    """

    name: str
    voice: tuple[str, ...]
    position: Vector | None = None
    path: tuple[Waypoint, ...] = ()
    level_db: float = 60.0
    lombard: float = 0.0
    pitch: float = 1.0
    looks_at: str | None = None
    directivity: bool = True
    present: Interval | None = None
    face: Face | None = field(default_factory=Face)

    @property
    def trajectory(self) -> Trajectory:
        """Where the mouth is at any time."""
        return Trajectory(self.path or (Waypoint(0.0, self.position or (0.0, 0.0, 0.0)),))


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that a talker or the robot says.

    Attributes
    ----------
    talker
        Who.
    gap
        Seconds from the end of everything said before to the start of this turn; negative for an overlap.
    clip
        Name of a recorded clip of the talker's voice; without it the voice's next clip is taken.
    text
        What to say, if the voice is synthesis.
    to
        To whom it is said: `robot`, a talker, or None for whoever listens.
    kind
        What it does in the conversation.
    breaks_off_after
        Seconds after which the turn breaks off, because somebody else has taken the floor.
    """

    talker: str
    gap: float
    clip: str | None = None
    text: str | None = None
    to: str | None = None
    kind: str = "statement"
    breaks_off_after: float | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A source of noise.

    Attributes
    ----------
    name
        What the reference calls it.
    kind
        One of `hearing_sim.machines.KINDS`.
    position
        Where it stands in the room.
    path
        Where it moves, in place of `position`.
    level_db
        How loud while it runs. With `snr_db` in the scene only the differences between the machines count.
    speed_rpm
        Revolutions per minute of what rotates; strokes per minute of a press. Each kind has its own default.
    speed_profile
        Pairs (time, factor on the speed), interpolated linearly.
    on
        When it runs; by default all the time.
    recording
        Name of a noise clip of the data kit, for kind `recording`.
    text
        What an announcement says, for kind `announcement`.
    """

    name: str
    kind: str
    position: Vector | None = None
    path: tuple[Waypoint, ...] = ()
    level_db: float = 60.0
    speed_rpm: float | None = None
    speed_profile: tuple[Point, ...] = ()
    on: tuple[Interval, ...] = ()
    recording: str | None = None
    text: str | None = None

    @property
    def trajectory(self) -> Trajectory:
        """Where it is at any time."""
        return Trajectory(self.path or (Waypoint(0.0, self.position or (0.0, 0.0, 0.0)),))


@dataclass(frozen=True, slots=True)
class Background:
    """Diffuse noise, which comes from everywhere.

    Attributes
    ----------
    kind
        `hall` (the hum of a factory hall), `ventilation`, `babble` (a crowd), or `recording`.
    level_db
        At the array.
    recording
        Name of a noise clip of the data kit, for kind `recording`.
    """

    kind: str
    level_db: float = 50.0
    recording: str | None = None


@dataclass(frozen=True, slots=True)
class EgoNoise:
    """What the robot's own body sounds like, in dB SPL at the microphones.

    Attributes
    ----------
    fan_db
        Cooling fan, always.
    head_db
        Joint motors while the head turns.
    wheels_db
        Drive motors and wheels while it drives.
    """

    fan_db: float = 42.0
    head_db: float = 58.0
    wheels_db: float = 63.0


@dataclass(frozen=True, slots=True)
class Loudspeaker:
    """The robot's loudspeaker.

    Attributes
    ----------
    position
        In the array frame.
    level_db
        Of the robot's speech at 1 m.
    delay
        Seconds from playback.wav to sound.
    distortion
        Share of odd harmonics at full excursion; 0 is a linear loudspeaker.
    """

    position: Vector = (0.12, 0.0, -0.25)
    level_db: float = 66.0
    delay: float = 0.0
    distortion: float = 0.0


@dataclass(frozen=True, slots=True)
class StateChange:
    """From `time` on the robot's motion is in `state`: `idle`, `head_turning` or `driving`."""

    time: float
    state: str


@dataclass(frozen=True, slots=True)
class Robot:
    """What the robot adds to the scene.

    Attributes
    ----------
    ego_noise
        Its noise, or None for a silent robot.
    loudspeaker
        What it speaks with, or None if it cannot.
    states
        Its motion states; by default they follow from the path of the array.
    """

    ego_noise: EgoNoise | None = None
    loudspeaker: Loudspeaker | None = None
    states: tuple[StateChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is needed to render a recording.

    Attributes
    ----------
    name
        Name of the scene, and session id in the reference.
    duration
        Seconds.
    room, array, microphones, camera, robot, talkers, turns, machines, backgrounds
        What is in the scene.
    seed
        Seed of all randomness.
    snr_db
        If given, machines and backgrounds are scaled together to this ratio between the power of the speech while
        somebody speaks and theirs, both at the microphones.
    """

    name: str
    duration: float
    room: Room
    array: ArrayPose
    microphones: Microphones = Microphones()
    camera: Camera | None = None
    robot: Robot = Robot()
    talkers: tuple[Talker, ...] = ()
    turns: tuple[Turn, ...] = ()
    machines: tuple[Machine, ...] = ()
    backgrounds: tuple[Background, ...] = ()
    seed: int = 0
    snr_db: float | None = None

    def __post_init__(self) -> None:
        check_scene(self)


def scene_names() -> list[str]:
    """List the names of the built-in scenes."""
    return sorted(path.stem for path in _builtin().glob("*.yaml"))


def load_scene(name_or_path: str | Path) -> Scene:
    """Load a built-in scene by its name, or any scene from a YAML file.

    Raises
    ------
    InputError
        If there is no such scene, or for the first mistake in it.
    """
    path = Path(name_or_path)
    if not path.is_file():
        check_choice(f"scene {str(name_or_path)!r}: no such file, and the name", str(name_or_path), scene_names())
        path = _builtin() / f"{name_or_path}.yaml"
    return load_yaml(Scene, path, "scene")


def _builtin() -> Path:
    return Path(str(resources.files("hearing_sim"))) / "scenes"
