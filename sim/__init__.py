"""Simulated scenes: rooms, machines and talkers heard by a microphone array."""

from hearing_sim.render import Simulation, render, simulate
from hearing_sim.scene import ArrayPose, Machine, Room, Scene, Talker, Turn, load_scene, scene_names

__all__ = [
    "ArrayPose",
    "Machine",
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
