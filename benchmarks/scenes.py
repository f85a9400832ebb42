"""Random scenes for measuring: quiet rooms, people who talk at once, busy workshops, machines alone.

The same seed gives the same scene.
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cache

import numpy as np
from hearing_datasets import Clip, Split, kit_clips, read_clip, split_of
from hearing_sim import ArrayPose, Machine, Room, Scene, Talker, Turn
from hearing_sim.scene import Vector
from hearing_sim.talkers import speech_stretch

from hearing.arrays import load_array
from hearing.types import SAMPLE_RATE

ARRAYS = ("respeaker_4mic", "respeaker_6mic", "xvf3800_4mic", "azure_kinect", "head_8mic")
# Where talkers come from, and how often: the accented speakers are many, and harder than all others.
COLLECTIONS = {"speech/read_5_speakers": 0.3, "speech/small_assets": 0.2, "speech/read_accented_speakers": 0.5}
# Transcripts of sb-spk2 are wrong; the so762 speakers from number 8000 on are beginners, of whose clean recordings
# Whisper base gets half the words wrong.
LEFT_OUT = ("sb-spk2", "so762-8", "so762-9")
# Machine-like noises of the kit in which nobody speaks.
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
PARAMETRIC_KINDS = ("motor", "fan", "compressor")
WALL_MARGIN = 0.4
MIN_ANGLE_DEG = 25.0

Rng = np.random.Generator


def random_quiet_scene(seed: int, split: Split) -> Scene:
    """Make a quiet room: two or three talkers in turn, a soft fan about 20 dB below them, 45 s."""
    rng = np.random.default_rng([1, seed])
    room = Room(_vector(rng, (4.0, 4.0, 2.5), (8.0, 8.0, 3.5)), round(rng.uniform(0.35, 0.45), 2))
    pose = _pose(rng, room, ARRAYS[seed % len(ARRAYS)])
    talkers, clips = _talkers(rng, room, pose, int(rng.integers(2, 4)), split, level_db=60.0)
    turns = _turns(rng, clips, duration=45.0, overlaps=0.0)
    fan = Machine("fan", "fan", _anywhere(rng, room, pose))
    name = f"quiet_{seed:02d}_{split}"
    return Scene(name, 45.0, room, pose, talkers, turns, (fan,), seed, snr_db=round(rng.uniform(18, 22), 1))


def random_overlap_scene(seed: int, split: Split) -> Scene:
    """Make a quiet room with two people who talk at the same time most of the time, 45 s."""
    rng = np.random.default_rng([4, seed])
    room = Room(_vector(rng, (4.0, 4.0, 2.5), (8.0, 8.0, 3.5)), round(rng.uniform(0.35, 0.45), 2))
    pose = _pose(rng, room, ARRAYS[seed % len(ARRAYS)])
    talkers, clips = _talkers(rng, room, pose, 2, split, level_db=60.0)
    turns = _turns(rng, clips, duration=45.0, overlaps=1.0, overlap=(2.0, 4.0))
    fan = Machine("fan", "fan", _anywhere(rng, room, pose))
    return Scene(f"overlap_{seed:02d}_{split}", 45.0, room, pose, talkers, turns, (fan,), seed, snr_db=20.0)


def random_busy_scene(seed: int, split: Split) -> Scene:
    """Make a workshop: three talkers who sometimes overlap, two machines 5 to 10 dB below them, 45 s."""
    rng = np.random.default_rng([2, seed])
    room = Room(_vector(rng, (7.0, 6.0, 3.0), (12.0, 10.0, 4.5)), round(rng.uniform(0.45, 0.7), 2))
    pose = _pose(rng, room, ARRAYS[seed % len(ARRAYS)])
    talkers, clips = _talkers(rng, room, pose, 3, split, level_db=66.0)
    turns = _turns(rng, clips, duration=45.0, overlaps=0.2)
    machines = _machines(rng, room, pose, 2, (65.0, 70.0))
    name = f"busy_{seed:02d}_{split}"
    return Scene(name, 45.0, room, pose, talkers, turns, machines, seed, snr_db=round(rng.uniform(5, 10), 1))


def random_noise_scene(seed: int) -> Scene:
    """Make a room with one to three loud machines and nobody in it, 30 s."""
    rng = np.random.default_rng([3, seed])
    room = Room(_vector(rng, (5.0, 5.0, 2.7), (10.0, 9.0, 4.5)), round(rng.uniform(0.4, 0.8), 2))
    pose = _pose(rng, room, ARRAYS[seed % len(ARRAYS)])
    machines = _machines(rng, room, pose, int(rng.integers(1, 4)), (65.0, 85.0))
    return Scene(f"noise_{seed:02d}", 30.0, room, pose, machines=machines, seed=seed)


@cache
def usable_clips(split: Split) -> dict[str, dict[str, list[Clip]]]:
    """List transcribed sentences of 1.5 to 10 s by collection and speaker, for speakers with at least three."""
    pool: dict[str, dict[str, list[Clip]]] = {}
    for collection in COLLECTIONS:
        speakers = defaultdict(list)
        for clip in kit_clips(collection):
            speaker = clip.speaker or ""
            good = clip.text and clip.label != "noisy" and not speaker.startswith(LEFT_OUT)
            if good and speaker and 1.5 <= clip.duration <= 10 and split_of(speaker) == split:
                speakers[speaker].append(clip)
        pool[collection] = {speaker: clips for speaker, clips in speakers.items() if len(clips) >= 3}
    return {collection: speakers for collection, speakers in pool.items() if speakers}


def _talkers(
    rng: Rng, room: Room, pose: ArrayPose, count: int, split: Split, level_db: float
) -> tuple[tuple[Talker, ...], dict[str, list[Clip]]]:
    """Choose people of different collections, and where they stand; also say what each of them can say."""
    pool = usable_clips(split)
    speakers: dict[str, list[Clip]] = {}
    while len(speakers) < count:
        weights = np.array([COLLECTIONS[name] for name in pool])
        collection = pool[str(rng.choice(list(pool), p=weights / weights.sum()))]
        speaker = str(rng.choice(list(collection)))
        speakers[speaker] = collection[speaker]
    azimuths = _azimuths(rng, count)
    talkers = tuple(
        Talker(f"talker_{i}", (speaker,), _around(rng, room, pose, azimuth), level_db)
        for i, (speaker, azimuth) in enumerate(zip(speakers, azimuths, strict=True), 1)
    )
    clips = {
        talker.name: [speakers[talker.voice[0]][i] for i in rng.permutation(len(speakers[talker.voice[0]]))]
        for talker in talkers
    }
    return talkers, clips


def _turns(
    rng: Rng,
    clips: dict[str, list[Clip]],
    duration: float,
    overlaps: float,
    overlap: tuple[float, float] = (0.4, 1.2),
) -> tuple[Turn, ...]:
    """Let everybody speak in rounds of random order until the time is over or nobody has anything left to say.

    A share of `overlaps` of the turns begins `overlap` seconds before the last one ends, at most half the turn's own
    length; nobody talks over himself.
    """
    turns: list[Turn] = []
    said: set[str] = set()
    end = 0.0
    while any(clips.values()):
        for talker in rng.permutation([name for name, left in clips.items() if left]):
            clip = clips[talker].pop()
            first, last = speech_stretch(read_clip(clip))
            length = (last - first) / SAMPLE_RATE
            overlapping = bool(turns) and turns[-1].talker != talker and rng.uniform() < overlaps
            gap = -min(rng.uniform(*overlap), length / 2) if overlapping else rng.uniform(0.3, 2.0)
            next_end = end + gap + length
            if clip.text in said or next_end > duration - 0.5:
                continue
            turns.append(Turn(str(talker), round(gap, 2), clip=clip.name))
            said.add(clip.text or "")
            end = next_end
    return tuple(turns)


def _machines(rng: Rng, room: Room, pose: ArrayPose, count: int, level: tuple[float, float]) -> tuple[Machine, ...]:
    machines = []
    for i in range(count):
        recorded = rng.uniform() < 0.5
        kind = "recording" if recorded else str(rng.choice(PARAMETRIC_KINDS))
        recording = str(rng.choice(RECORDINGS)) if recorded else None
        speed = None if recorded else round(rng.uniform(600, 1800))
        place = _anywhere(rng, room, pose)
        machines.append(Machine(f"{kind}_{i}", kind, place, round(rng.uniform(*level), 1), speed, recording))
    return tuple(machines)


def _pose(rng: Rng, room: Room, geometry: str) -> ArrayPose:
    x, y, _ = room.size
    position = (_round(rng.uniform(0.35, 0.65) * x), _round(rng.uniform(0.35, 0.65) * y), _round(rng.uniform(1.0, 1.3)))
    return ArrayPose(load_array(geometry).name, position, _round(rng.uniform(-180, 180)))


def _azimuths(rng: Rng, count: int) -> list[float]:
    """Angles in degrees, all at least MIN_ANGLE_DEG apart."""
    while True:
        angles = rng.uniform(-180, 180, count)
        apart = (angles[:, None] - angles + 180) % 360 - 180
        if np.all(np.abs(apart[~np.eye(count, dtype=bool)]) >= MIN_ANGLE_DEG):
            return [float(angle) for angle in angles]


def _around(rng: Rng, room: Room, pose: ArrayPose, azimuth_deg: float) -> Vector:
    """Place a mouth 1 to 3 m from the array in a direction of the room, away from the walls."""
    x, y, _ = pose.position
    while True:
        distance = rng.uniform(1.0, 3.0)
        px = x + distance * math.cos(math.radians(azimuth_deg))
        py = y + distance * math.sin(math.radians(azimuth_deg))
        if WALL_MARGIN < px < room.size[0] - WALL_MARGIN and WALL_MARGIN < py < room.size[1] - WALL_MARGIN:
            return _round(px), _round(py), _round(rng.uniform(1.2, 1.8))


def _anywhere(rng: Rng, room: Room, pose: ArrayPose) -> Vector:
    """Place a machine off the walls and at least 1.2 m from the array."""
    while True:
        place = _vector(rng, (WALL_MARGIN,) * 3, tuple(size - WALL_MARGIN for size in room.size))
        if math.dist(place, pose.position) > 1.2:
            return place


def _vector(rng: Rng, low: tuple[float, ...], high: tuple[float, ...]) -> Vector:
    x, y, z = (_round(value) for value in rng.uniform(low, high))
    return x, y, z


def _round(value: float) -> float:
    return round(float(value), 3)
