"""Simulation: what the microphones of a scene hear, part by part."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from hearing_sim.attention import facing, listener_of
from hearing_sim.checks import inside
from hearing_sim.ego import ego_sources
from hearing_sim.machines import background_signals, machine_signal
from hearing_sim.microphones import PASCAL_DB, RealMicrophones, convert, draw_microphones, sample
from hearing_sim.motion import Pose, PoseWaypoint, Trajectory, Waypoint
from hearing_sim.propagation import CONTROL, PointSource, Receiver, SoundField
from hearing_sim.reverberation import DiffuseField
from hearing_sim.room import RoomAcoustics, measure_rt60
from hearing_sim.scene import ROBOT, Loudspeaker, Room, Scene, Talker
from hearing_sim.talkers import PlacedTurn, place_turns
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from hearing.arrays import MicrophoneArray, load_array
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

Audio = NDArray[np.float64]

MIN_DISTANCE = 0.1
"""Metres that a talker or machine must keep from every microphone: a point is infinitely loud at its own place."""
LEAD_IN = SAMPLE_RATE
"""Samples for which machines have been running when the scene starts."""
PLAYBACK_RMS = 0.1
"""Root mean square of the robot's speech in playback.wav."""
MAX_LOMBARD_DB = 25.0
TILT = 0.3
"""Decibels above the crossover frequency that go with every decibel of vocal effort (Lu & Cooke 2008)."""

# Independent streams of randomness, so that adding a machine does not change the talkers.
_TALKERS, _MACHINES, _BACKGROUNDS, _EGO, _ECHO, _MICROPHONES, _SELF_NOISE = range(7)


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What the microphones of a scene hear. Signals are of shape (n_samples, n_microphones); full scale is 1.

    Attributes
    ----------
    array
        The microphones as array.yaml describes them.
    turns
        What is said, with times at the mouth.
    talkers
        What is heard of each talker, by name.
    machines
        What is heard of machines and backgrounds.
    ego, echo
        What is heard of the robot's own body and of its loudspeaker.
    self_noise
        Of the microphones.
    playback
        What the loudspeaker is fed with, of shape (n_samples,), or None without a loudspeaker.
    rt60
        Reverberation time measured in the impulse responses, in seconds; 0 without reflections.
    snr_db
        Power of the speech while somebody speaks over the power of machines and backgrounds; None where either is
        missing.
    gain
        From pascals to samples.
    """

    array: MicrophoneArray
    turns: list[PlacedTurn]
    talkers: dict[str, Audio]
    machines: Audio
    ego: Audio
    echo: Audio
    self_noise: Audio
    playback: Audio | None
    rt60: float
    snr_db: float | None
    gain: float

    @property
    def speech(self) -> Audio:
        """What is heard of all talkers together."""
        return sum(self.talkers.values(), np.zeros_like(self.machines))

    @property
    def mixture(self) -> Audio:
        """The recording."""
        mixture: Audio = np.clip(self.speech + self.machines + self.ego + self.echo + self.self_noise, -1.0, 1.0)
        return mixture


def simulate(scene: Scene) -> Simulation:
    """Compute what the microphones of a scene hear.

    Raises
    ------
    InputError
        If the scene names voices, clips, recordings or arrays that do not exist, or cannot be built as described.
    """
    array = load_array(scene.array.geometry)
    real = draw_microphones(array.positions, scene.microphones, _rng(scene, _MICROPHONES))
    acoustics = RoomAcoustics(scene.room)
    field = SoundField(acoustics, Receiver(scene.array.pose, real.positions, real.delays, scene.array.body_radius))
    _check_ways(scene, real.positions)
    turns = place_turns(scene)

    shape = (round(scene.duration * SAMPLE_RATE), array.n_microphones)
    talkers = _hear_talkers(scene, acoustics, field, turns, shape)
    machines = _hear_machines(scene, field, shape) + _hear_backgrounds(scene, real.positions, shape)
    snr = _snr_db(sum(talkers.values(), np.zeros(shape)), machines, turns)
    if scene.snr_db is not None and snr is not None:
        machines *= 10 ** ((snr - scene.snr_db) / 20)
        snr = scene.snr_db
    playback, echo = _hear_loudspeaker(scene, field, turns, shape)
    noise_level = pascals(scene.microphones.self_noise_db)
    parts = {
        "machines": machines,
        "ego": _hear_ego(scene, real, shape),
        "echo": echo,
        "self_noise": noise_level * _rng(scene, _SELF_NOISE).standard_normal(shape),
        **{f"talker {name}": image for name, image in talkers.items()},
    }
    parts = {name: sample(part, real.gains, scene.microphones.clock_ppm) for name, part in parts.items()}
    _, gain = convert(sum(parts.values(), np.zeros(shape)), scene.microphones.full_scale_db)
    parts = {name: part * gain for name, part in parts.items()}
    return Simulation(
        array,
        turns,
        {name: parts.pop(f"talker {name}") for name in talkers},
        **parts,
        playback=playback,
        rt60=_measured_rt60(scene, acoustics, field),
        snr_db=snr,
        gain=gain,
    )


def direct_speech(scene: Scene, simulation: Simulation) -> dict[str, Audio]:
    """Compute what the microphones of a simulated scene would hear of each talker without the room.

    Parameters
    ----------
    scene, simulation
        A scene and its simulation, with which the result shares time and gain.

    Returns
    -------
    Arrays of shape (n_samples, n_microphones) by talker.
    """
    real = draw_microphones(simulation.array.positions, scene.microphones, _rng(scene, _MICROPHONES))
    open_air = RoomAcoustics(dataclasses.replace(scene.room, rt60=0, materials={}))
    field = SoundField(open_air, Receiver(scene.array.pose, real.positions, real.delays, scene.array.body_radius))
    images = _hear_talkers(scene, RoomAcoustics(scene.room), field, simulation.turns, simulation.machines.shape)
    return {
        name: simulation.gain * sample(image, real.gains, scene.microphones.clock_ppm) for name, image in images.items()
    }


def _hear_talkers(
    scene: Scene, acoustics: RoomAcoustics, field: SoundField, turns: list[PlacedTurn], shape: tuple[int, int]
) -> dict[str, Audio]:
    images = {talker.name: np.zeros(shape) for talker in scene.talkers}
    people = {talker.name: (index, talker) for index, talker in enumerate(scene.talkers)}
    for number, placed in enumerate(turns):
        if placed.turn.talker == ROBOT:
            continue
        index, talker = people[placed.turn.talker]
        listener = listener_of(scene, scene.turns, number)
        source = PointSource(
            talker.trajectory,
            facing(scene, talker, listener) if talker.directivity else None,
            (scene.seed, _TALKERS, index),
        )
        effort = effort_db(scene, acoustics, talker, (placed.start + placed.end) / 2)
        voice = tilted(placed.samples, TILT * effort) * pascals(talker.level_db + effort)
        field.hear(source, voice, placed.onset, images[talker.name])
    return images


def effort_db(scene: Scene, acoustics: RoomAcoustics, talker: Talker, time: float) -> float:
    """Return by how many dB a talker raises his voice in the noise at his place (Lombard reflex; Lazarus 1986)."""
    if talker.lombard == 0:
        return 0.0
    here = talker.trajectory.at(time)
    power = sum(10 ** (noise.level_db / 10) for noise in scene.backgrounds)
    for machine in scene.machines:
        if not machine.on or any(start <= time < end for start, end in machine.on):
            distance = max(1.0, float(np.linalg.norm(machine.trajectory.at(time) - here)))
            reverberant = acoustics.reverberant_gain if acoustics.mixing_time > 0 else 0.0
            power += 10 ** (machine.level_db / 10) * (1 / distance**2 + reverberant)
    noise_db = 10 * np.log10(max(power, 1.0))
    return float(np.clip(talker.lombard * (noise_db - 45.0), 0.0, MAX_LOMBARD_DB))


def tilted(samples: Audio, tilt_db: float) -> Audio:
    """Raise what is above 1.4 kHz without changing the level."""
    if tilt_db == 0:
        return samples
    high = sosfilt(butter(1, 1400, "highpass", fs=SAMPLE_RATE, output="sos"), samples)
    tilted = samples + (10 ** (tilt_db / 20) - 1) * high
    return tilted * np.sqrt(np.mean(samples**2) / np.mean(tilted**2))


def _hear_machines(scene: Scene, field: SoundField, shape: tuple[int, int]) -> Audio:
    image = np.zeros(shape)
    for index, machine in enumerate(scene.machines):
        seed = (scene.seed, _MACHINES, index)
        rng = np.random.default_rng(seed)
        signal = machine_signal(machine, -LEAD_IN / SAMPLE_RATE, LEAD_IN + shape[0], rng)
        field.hear(PointSource(machine.trajectory, seed=seed), signal * pascals(machine.level_db), -LEAD_IN, image)
    return image


def _hear_backgrounds(scene: Scene, positions: Audio, shape: tuple[int, int]) -> Audio:
    image = np.zeros(shape)
    for index, background in enumerate(scene.backgrounds):
        rng = np.random.default_rng((scene.seed, _BACKGROUNDS, index))
        independent = background_signals(background, shape[1], shape[0], rng)
        image += DiffuseField(positions).mix(independent) * pascals(background.level_db)
    return image


def _hear_ego(scene: Scene, real: RealMicrophones, shape: tuple[int, int]) -> Audio:
    """Hear the robot's body: so near that what the room sends back does not count."""
    image = np.zeros(shape)
    body = Pose((PoseWaypoint(0.0, (0.0, 0.0, 0.0)),))
    free = SoundField(RoomAcoustics(Room(size=(1.0, 1.0, 1.0), rt60=0)), Receiver(body, real.positions, real.delays))
    for source in ego_sources(scene, shape[0], _rng(scene, _EGO)):
        place = Trajectory((Waypoint(0.0, source.position),))
        loudness = np.sqrt(np.mean(np.sum(free.response(PointSource(place), 0.0) ** 2, axis=0)))
        free.hear(PointSource(place), source.samples * pascals(source.level_db) / loudness, 0, image)
    return image


def _hear_loudspeaker(
    scene: Scene, field: SoundField, turns: list[PlacedTurn], shape: tuple[int, int]
) -> tuple[Audio | None, Audio]:
    image = np.zeros(shape)
    loudspeaker = scene.robot.loudspeaker
    if loudspeaker is None:
        return None, image
    playback = np.zeros(shape[0])
    for placed in turns:
        if placed.turn.talker == ROBOT:
            first, last = max(0, placed.onset), min(shape[0], placed.onset + len(placed.samples))
            playback[first:last] += PLAYBACK_RMS * placed.samples[first - placed.onset : last - placed.onset]
    playback = np.clip(playback, -1.0, 1.0)
    source = PointSource(carried(scene, loudspeaker), seed=(scene.seed, _ECHO))
    pressure = _driven(playback, loudspeaker) * pascals(loudspeaker.level_db) / PLAYBACK_RMS
    for start, stop in _sounding(playback):
        field.hear(source, pressure[start:stop], start + round(loudspeaker.delay * SAMPLE_RATE), image)
    return playback, image


def carried(scene: Scene, loudspeaker: Loudspeaker) -> Trajectory:
    """Return the way of the loudspeaker in the room."""
    position, pose = np.array(loudspeaker.position), scene.array.pose
    times = np.arange(0.0, scene.duration, CONTROL / SAMPLE_RATE * 16) if pose.moving else np.zeros(1)
    places = pose.to_room(position, times)
    return Trajectory([Waypoint(float(t), (x, y, z)) for t, (x, y, z) in zip(times, places.tolist(), strict=True)])


def _driven(playback: Audio, loudspeaker: Loudspeaker) -> Audio:
    """Return what a small loudspeaker makes of its input: no bass, no highest octave, and it saturates."""
    sounding: Audio = sosfilt(driven_band(), saturated(playback, loudspeaker.distortion))
    return sounding


def driven_band() -> Audio:
    """Return the filter of a small loudspeaker, as second-order sections: no bass, no highest octave."""
    band: Audio = butter(2, (150, 7000), "bandpass", fs=SAMPLE_RATE, output="sos")
    return band


def saturated(playback: Audio, distortion: float) -> Audio:
    """Return what a loudspeaker with a share of odd harmonics makes of its input."""
    driven: Audio = playback + distortion * (np.tanh(3 * playback) / 3 - playback)
    return driven


def microphone_rng(scene: Scene) -> np.random.Generator:
    """Return the randomness of a scene's microphones, for `draw_microphones`."""
    return _rng(scene, _MICROPHONES)


def _sounding(signal: Audio) -> list[tuple[int, int]]:
    """Return the stretches of a signal that are not silent, each with half a second after it to ring out."""
    loud = np.flatnonzero(signal)
    if not loud.size:
        return []
    breaks = np.flatnonzero(np.diff(loud) > SAMPLE_RATE // 2)
    starts, stops = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, -1]] + SAMPLE_RATE // 2
    return [(int(start), min(int(stop), len(signal))) for start, stop in zip(starts, stops, strict=True)]


def _snr_db(speech: Audio, machines: Audio, turns: list[PlacedTurn]) -> float | None:
    """Ratio of powers, averaged over microphones: speech while somebody speaks, machines all the time."""
    active = np.zeros(len(speech), dtype=bool)
    for placed in turns:
        if placed.turn.talker != ROBOT:
            active[round(placed.start * SAMPLE_RATE) : round(placed.end * SAMPLE_RATE)] = True
    if not active.any() or not machines.any():
        return None
    return float(10 * np.log10(np.mean(speech[active] ** 2) / np.mean(machines**2)))


def _measured_rt60(scene: Scene, acoustics: RoomAcoustics, field: SoundField) -> float:
    """Measure in the responses from up to three sources as they stand when the scene starts."""
    if acoustics.mixing_time == 0:
        return 0.0
    sources = (*scene.talkers, *scene.machines)[:3]
    ways = [source.trajectory for source in sources] or [Trajectory((Waypoint(0.0, _middle(scene)),))]
    measured = [
        measure_rt60(field.response(PointSource(way, seed=(scene.seed, i)), 0.0).T) for i, way in enumerate(ways)
    ]
    return float(np.mean(measured))


def _middle(scene: Scene) -> tuple[float, float, float]:
    x, y = np.mean(scene.room.corners, axis=0)
    return float(x), float(y), scene.room.ceiling / 2


def _check_ways(scene: Scene, microphones: Audio) -> None:
    times = np.linspace(0, scene.duration, round(scene.duration * 20) + 1)
    places = scene.array.pose.to_room(microphones, times[:, None])
    if not inside(scene.room, places).all():
        raise InputError(f"some microphones of {scene.array.geometry} get outside the room; move the array")
    for source in (*scene.talkers, *scene.machines):
        if not inside(scene.room, source.trajectory.at(times)).all():
            raise InputError(f"{source.name} walks through a wall; lead its path around the corner")
        distance = np.linalg.norm(places - source.trajectory.at(times)[:, None], axis=-1).min(axis=1)
        if distance.min() < MIN_DISTANCE:
            time = times[distance.argmin()]
            raise InputError(f"{source.name} is within {MIN_DISTANCE} m of a microphone at {time:.1f} s; move it away")


def pascals(level_db: float) -> float:
    """Root mean square in Pa of a level in dB SPL."""
    return float(10 ** ((level_db - PASCAL_DB) / 20))


def _rng(scene: Scene, stream: int) -> np.random.Generator:
    return np.random.default_rng((scene.seed, stream))
