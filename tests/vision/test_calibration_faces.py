"""Faces for `hearing calibrate`: where mouths are before the camera at given times."""

import av
import numpy as np
import pytest

from hearing.calibration_camera import find_faces
from hearing.errors import InputError


def test_faces_are_found_at_the_times_asked_for(stage, tmp_path):
    person = ("003", lambda t: (1.5, 0.3 * t, 0.1) if t < 0.65 else None, ())
    with av.open(str(tmp_path / "camera.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for picture, _ in stage.film(np.arange(0, 1, 0.1), person):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    faces = find_faces(tmp_path / "camera.mp4", stage.camera, np.array([0.1, 0.5, 0.9, 7.0]))
    assert faces.stretches.tolist() == [0, 1]
    for point, time in zip(faces.points, (0.1, 0.5), strict=True):
        view = stage.lens.see(np.array(person[1](time)), 0.0)
        x = stage.camera.cx - stage.camera.fx * point[1] / point[0]
        y = stage.camera.cy - stage.camera.fy * point[2] / point[0]
        assert np.hypot(x - view.x, y - view.y) < 4
        assert point[0] == pytest.approx(view.depth, rel=0.15)


def test_a_video_that_is_none_is_refused(stage, tmp_path):
    (tmp_path / "camera.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match="not a video"):
        find_faces(tmp_path / "camera.mp4", stage.camera, np.array([0.1]))
