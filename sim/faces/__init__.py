"""Talking faces: a camera video of a scene, in step with its sound."""

from hearing_sim.faces.camera import camera_yaml
from hearing_sim.faces.video import FaceTracks, render_video

__all__ = ["FaceTracks", "camera_yaml", "render_video"]
