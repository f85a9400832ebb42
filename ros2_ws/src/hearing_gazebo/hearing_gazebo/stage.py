"""A world that can be heard: models, actors and sounds put together, rendered as far as poses are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hearing_sim.microphones import convert
from hearing_sim.room import RoomAcoustics
from hearing_sim.scene import ROBOT, Room
from hearing_sim.schema import check_choice

from hearing.arrays import MicrophoneArray, load_array
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE, AudioBlock
from hearing_gazebo.field import BLOCK, Receiver, Source, StreamingField
from hearing_gazebo.poses import Carried, Fixed, FloatArray, Motion, Pose, Received
from hearing_gazebo.signals import Noise, Running, Speech, speech
from hearing_gazebo.sounds import load_sounds
from hearing_gazebo.world import load_world

BACKWARDS = 0.5
"""Seconds by which time must go back before it counts as a simulation that has begun anew."""


class Stage:
    """Turns poses into microphone audio.

    Audio begins once there are poses of all models that may move, and is rendered as far as all of them are known: the
    same poses give the same audio, however they are told.

    Parameters
    ----------
    world_file, sounds_file
        SDF world, and YAML file of what sounds in it.

    Attributes
    ----------
    array
        The microphones.
    sources
        Everything that sounds from a place.
    sounds, world
        What the files say.
    ears
        Where the array frame is.
    moving
        Names of the models whose poses are waited for.

    Raises
    ------
    InputError
        If a file cannot be read, or they do not fit each other.
    """

    def __init__(self, world_file: Path, sounds_file: Path) -> None:
        self.world, self.sounds = load_world(world_file), load_sounds(sounds_file)
        self.array: MicrophoneArray = load_array(self.sounds.ears.geometry)
        corner, far_corner = self.world.hall(self.sounds.hall.model)
        length, width, height = (far_corner - corner).tolist()
        hall = self.sounds.hall
        acoustics = RoomAcoustics(Room(size=(length, width, height), rt60=hall.rt60, materials=hall.materials))
        self._received = {
            name: Received() for name in self._heard_models() if not self.world.model(name, "sounds").static
        }
        self.moving = tuple(self._received)
        self.ears: Motion = self._ears()
        self.sources = (*self._talkers(sounds_file.parent), *self._machines())
        receiver = Receiver(self.ears, self.array.positions, self.sounds.ears.body_radius)
        seed = self.sounds.seed
        self._field = StreamingField(acoustics, corner, far_corner, receiver, self.sources, seed)
        self._noise = Noise(self.sounds, self.array.positions)
        self.reset()

    def reset(self) -> None:
        """Forget all poses and begin a new stream."""
        for received in self._received.values():
            received.clear()
        self._field.reset()
        self._begin: int | None = None
        self._rendered = 0

    @property
    def begin(self) -> int | None:
        """Sample of the simulation's clock at which the stream begins, once it has."""
        return self._begin

    @property
    def missing(self) -> list[str]:
        """Names of the models that may move of which there are no poses yet."""
        return [name for name, received in self._received.items() if received.last is None]

    def add(self, name: str, time: float, pose: Pose) -> None:
        """Take the pose of a model in the world at a time in seconds of simulation, if it is one of `moving`."""
        if name in self._received:
            self._received[name].add(time, pose)

    def restarts(self, name: str, time: float) -> bool:
        """Tell whether a pose comes from a simulation that has begun anew."""
        last = self._received[name].last if name in self._received else None
        return last is not None and time < last - BACKWARDS

    def blocks(self) -> Iterator[AudioBlock]:
        """Render what can be rendered; full scale is 1."""
        lasts = [received.last for received in self._received.values()]
        if any(last is None for last in lasts):
            return
        if self._begin is None:
            self._begin = int(np.ceil(max(received.first or 0.0 for received in self._received.values()) * SAMPLE_RATE))
        end = min(last for last in lasts if last is not None)
        while (self._begin + self._rendered + BLOCK) / SAMPLE_RATE <= end:
            yield self._block(self._begin + self._rendered)

    def _block(self, start: int) -> AudioBlock:
        pressure = self._field.render(start) + self._noise.read(start, BLOCK)
        samples, _ = convert(pressure, self.sounds.ears.full_scale_db)
        block = AudioBlock(samples.astype(np.float32), self._rendered)
        self._rendered += BLOCK
        return block

    def _heard_models(self) -> list[str]:
        return list(dict.fromkeys([self.sounds.ears.model, *(machine.name for machine in self.sounds.machines)]))

    def _motion(self, name: str) -> Motion:
        return self._received[name] if name in self._received else Fixed(self.world.models[name].pose)

    def _ears(self) -> Motion:
        ears = self.sounds.ears
        model = self.world.model(ears.model, "ears")
        check_choice(f"ears: link {ears.link!r} of model {ears.model!r}", ears.link, model.links)
        if model.static:
            raise InputError(f"ears: model {ears.model!r} is static, and Gazebo tells no poses of it; let it be moved")
        return Carried(self._motion(ears.model), model.links[ears.link])

    def _talkers(self, folder: Path) -> Iterator[Source]:
        for voice in self.sounds.voices:
            check_choice(f"voices: actor {voice.actor!r}", voice.actor, self.world.actors)
            for line in voice.lines:
                if line.to is not None:
                    check_choice(f"voice of {voice.actor}: to {line.to!r}", line.to, [ROBOT, *self.world.actors])
            signal: Speech = speech(voice, folder, self.sounds.period)
            mouth: FloatArray = np.array(voice.mouth)
            yield Source(voice.actor, signal, self.world.actors[voice.actor], mouth, talks=True)

    def _machines(self) -> Iterator[Source]:
        for index, machine in enumerate(self.sounds.machines):
            rng = np.random.default_rng((self.sounds.seed, 0, index))
            offset: FloatArray = np.array(machine.position or (0.0, 0.0, 0.0))
            yield Source(machine.name, Running(machine, rng), self._motion(machine.name), offset, talks=False)
