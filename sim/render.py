"""Rendering: a scene becomes a recording folder with its reference."""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml
from hearing_sim.machines import machine_signal
from hearing_sim.room import impulse_responses, measure_rt60
from hearing_sim.scene import Machine, Scene, Talker, Vector
from hearing_sim.talkers import PlacedTurn, place_turns
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from hearing.arrays import SPEED_OF_SOUND, MicrophoneArray, load_array
from hearing.errors import InputError
from hearing.outputs import check_out_dir
from hearing.types import SAMPLE_RATE, Direction

FULL_SCALE_DB = 94.0
"""Sound pressure level in dB whose root mean square is full scale."""
MAX_PEAK = 0.9
"""A mixture with a higher peak is scaled down to this one."""
MIN_DISTANCE = 0.1
"""Metres that a source must keep from every microphone: a point source is infinitely loud at its own place."""
REFERENCE_STEP = 0.1
"""Seconds between two lines of reference/sources.jsonl for the same source."""

logger = logging.getLogger(__name__)
Audio = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What the microphones of a scene hear, part by part; full scale is 1.

    Attributes
    ----------
    array
        The microphones.
    turns
        What is said, with times at the mouth.
    speech, machines, self_noise
        Arrays of shape (n_samples, n_microphones) whose sum is the mixture.
    """

    array: MicrophoneArray
    turns: list[PlacedTurn]
    speech: Audio
    machines: Audio
    self_noise: Audio

    @property
    def mixture(self) -> Audio:
        """Array of shape (n_samples, n_microphones): the recording, scaled down where it would clip."""
        mixture = self.speech + self.machines + self.self_noise
        return mixture * min(1.0, MAX_PEAK / float(np.abs(mixture).max()))


def simulate(scene: Scene) -> Simulation:
    """Compute what the microphones of a scene hear.

    Raises
    ------
    InputError
        If the scene names voices, clips, recordings or arrays that do not exist, or cannot be built as described.
    """
    array = load_array(scene.array.geometry)
    microphones = scene.array.to_room(array.positions)
    sources: tuple[Talker | Machine, ...] = (*scene.talkers, *scene.machines)
    _check_places(scene, sources, microphones)
    turns = place_turns(scene)

    shape = (round(scene.duration * SAMPLE_RATE), len(microphones))
    speech, machines = np.zeros(shape), np.zeros(shape)
    if sources:
        responses = impulse_responses(scene.room, np.array([source.position for source in sources]), microphones)
        logger.info(
            "%s: RT60 %.2f s measured, %.2f s asked", scene.name, measure_rt60(responses[0, 0]), scene.room.rt60
        )
        for index, (source, response) in enumerate(zip(sources, responses, strict=True)):
            gain = 10 ** ((source.level_db - FULL_SCALE_DB) / 20)
            if isinstance(source, Talker):
                _add_talker(speech, [turn for turn in turns if turn.turn.talker == source.name], gain * response)
            else:
                # A lead-in as long as the reverberation, so that the machine has been running when the scene starts.
                lead_in = response.shape[1]
                rng = np.random.default_rng([scene.seed, index])
                signal = machine_signal(source, lead_in + shape[0], rng)
                machines += oaconvolve(signal[:, None], gain * response.T, axes=0)[lead_in : lead_in + shape[0]]
    if scene.snr_db is not None:
        machines *= _snr_gain(speech, machines, turns, scene.snr_db)
    noise_level = 10 ** ((scene.self_noise_db - FULL_SCALE_DB) / 20)
    self_noise = noise_level * np.random.default_rng([scene.seed, len(sources)]).standard_normal(shape)
    return Simulation(array, turns, speech, machines, self_noise)


def render(scene: Scene, out_dir: str | Path) -> None:
    """Simulate a scene and write it as a recording folder with reference.

    The folder holds `audio.wav` (16 bit, 16 kHz), `array.yaml`, `reference/segments.json` and
    `reference/sources.jsonl`. It appears complete or not at all; an older recording of the same name is replaced.

    Raises
    ------
    InputError
        As `simulate`, or if `out_dir` holds something else than a rendered recording or cannot be written.
    """
    out_dir = Path(out_dir)
    if out_dir.exists() and not (out_dir.is_dir() and _names(out_dir) <= {"audio.wav", "array.yaml", "reference"}):
        raise InputError(f"{out_dir} exists and is not a rendered recording; choose another folder, or remove it")
    check_out_dir(out_dir)
    simulation = simulate(scene)
    try:
        _write(scene, simulation, out_dir)
    except OSError as error:
        raise InputError(f"{out_dir}: cannot be written ({error.strerror}); give another --out folder") from error


def reference_segments(scene: Scene, turns: list[PlacedTurn]) -> list[dict[str, Any]]:
    """List what is said as SegLST segments, with times as heard at the array and directions in its frame."""
    talkers = {talker.name: talker for talker in scene.talkers}
    segments = []
    for placed in turns:
        place = _place(scene, talkers[placed.turn.talker].position)
        travel = place["distance_m"] / SPEED_OF_SOUND
        segments.append(
            {
                "session_id": scene.name,
                "speaker": placed.turn.talker,
                "words": placed.words,
                "start_time": round(placed.start + travel, 3),
                "end_time": round(placed.end + travel, 3),
                **place,
                "addressed_to_robot": placed.turn.addressed_to_robot,
            }
        )
    return segments


def reference_sources(scene: Scene, segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List where every source is and whether it sounds, at every 0.1 s."""
    lines = []
    for step in range(round(scene.duration / REFERENCE_STEP)):
        time = round(step * REFERENCE_STEP, 3)
        speaking = {s["speaker"] for s in segments if s["start_time"] <= time < s["end_time"]}
        for kind, sources in (("talker", scene.talkers), ("noise", scene.machines)):
            for source in sources:
                active = kind == "noise" or source.name in speaking
                place = _place(scene, source.position)
                lines.append({"time": time, "source": source.name, "kind": kind, **place, "active": active})
    return lines


def _write(scene: Scene, simulation: Simulation, out_dir: Path) -> None:
    segments = reference_segments(scene, simulation.turns)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out_dir.name}-", dir=out_dir.parent) as temporary:
        folder = Path(temporary) / "recording"
        (folder / "reference").mkdir(parents=True)
        soundfile.write(folder / "audio.wav", simulation.mixture, SAMPLE_RATE, subtype="PCM_16")
        array = {"name": simulation.array.name, "microphones": simulation.array.positions.tolist()}
        (folder / "array.yaml").write_text(yaml.safe_dump(array, sort_keys=False), encoding="utf-8")
        (folder / "reference" / "segments.json").write_text(json.dumps(segments, indent=1), encoding="utf-8")
        with (folder / "reference" / "sources.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in reference_sources(scene, segments))
        if out_dir.exists():
            out_dir.rename(Path(temporary) / "older")
        folder.rename(out_dir)


def _check_places(scene: Scene, sources: tuple[Talker | Machine, ...], microphones: Audio) -> None:
    if not ((microphones > 0) & (microphones < np.array(scene.room.size))).all():
        raise InputError(f"some microphones of {scene.array.geometry} are outside the room; move the array")
    for source in sources:
        if np.linalg.norm(microphones - np.array(source.position), axis=1).min() < MIN_DISTANCE:
            raise InputError(f"{source.name} is less than {MIN_DISTANCE} m from a microphone; move it away")


def _add_talker(speech: Audio, turns: list[PlacedTurn], response: Audio) -> None:
    for turn in turns:
        image = oaconvolve(turn.samples[:, None], response.T, axes=0)
        first, last = max(0, turn.onset), min(len(speech), turn.onset + len(image))
        speech[first:last] += image[first - turn.onset : last - turn.onset]


def _snr_gain(speech: Audio, machines: Audio, turns: list[PlacedTurn], snr_db: float) -> float:
    """Gain of the machines that makes the ratio of powers, averaged over microphones, what is asked for."""
    active = np.zeros(len(speech), dtype=bool)
    for turn in turns:
        active[round(turn.start * SAMPLE_RATE) : round(turn.end * SAMPLE_RATE)] = True
    ratio = np.mean(speech[active] ** 2) / np.mean(machines**2)
    return float(np.sqrt(ratio / 10 ** (snr_db / 10)))


def _place(scene: Scene, position: Vector) -> dict[str, float]:
    vector = scene.array.to_array(np.array(position))
    direction = Direction.from_vector(vector)
    return {
        "azimuth_deg": round(direction.azimuth_deg, 2),
        "elevation_deg": round(direction.elevation_deg, 2),
        "distance_m": round(float(np.linalg.norm(vector)), 3),
    }


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
