"""Simulated scenes: rooms, machines, talkers and a robot, heard by a microphone array and seen by a camera."""

from hearing_sim.render import render
from hearing_sim.scene import (
    ArrayPose,
    Background,
    Camera,
    EgoNoise,
    Face,
    Loudspeaker,
    Machine,
    Microphones,
    Robot,
    Room,
    Scene,
    Talker,
    Turn,
    load_scene,
    scene_names,
)
from hearing_sim.simulation import Simulation, simulate

__all__ = [
    "ArrayPose",
    "Background",
    "Camera",
    "EgoNoise",
    "Face",
    "Loudspeaker",
    "Machine",
    "Microphones",
    "Robot",
    "Room",
    "Scene",
    "Simulation",
    "Talker",
    "Turn",
    "load_scene",
    "render",
    "scene_names",
    "simulate",
]
