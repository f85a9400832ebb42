"""Recordings with a video: what is refused, and which frames come with which audio."""

import sys
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile as sf

from hearing.errors import InputError
from hearing.recording import open_recording
from hearing.types import SAMPLE_RATE

CAMERA = "{width: 64, height: 48, fx: 50, fy: 50, cx: 32, cy: 24}\n"
ARRAY = "name: square\nmicrophones: [[1, 1, 0], [1, -1, 0], [-1, -1, 0], [-1, 1, 0]]\n"


def write_video(path, seconds=2.0, rate=25, size=(64, 48), **options):
    """Grey frames, brighter and brighter."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=Fraction(rate))
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        rng = np.random.default_rng(0)
        for _ in range(round(seconds * rate)):
            picture = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "meeting"
    path.mkdir()
    sf.write(path / "audio.wav", np.random.default_rng(0).uniform(-0.5, 0.5, (2 * SAMPLE_RATE, 4)), SAMPLE_RATE)
    (path / "array.yaml").write_text(ARRAY)
    write_video(path / "camera.mp4")
    (path / "camera.yaml").write_text(CAMERA)
    return path


def watched(*arguments, **options):
    return open_recording(*arguments, **options, seeing=True)


def refusal(*arguments, **options):
    with pytest.raises(InputError) as caught:
        watched(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])


@pytest.mark.parametrize("size", [512, 700, 5000])
def test_a_frame_comes_with_the_block_that_contains_its_time(folder, size):
    recording = watched(folder)
    assert recording.notices == ()
    assert (recording.camera.width, recording.camera.height) == (64, 48)
    times = []
    for moment in recording.moments(size):
        for frame in moment.frames:
            assert moment.block.start_time <= frame.time < moment.block.end_time
            assert frame.image.shape == (48, 64, 3)
            times.append(frame.time)
    np.testing.assert_allclose(times, np.arange(50) / 25, atol=1e-4)


def test_audio_is_the_same_with_and_without_a_video(folder):
    heard = np.concatenate([moment.block.samples for moment in watched(folder).moments()])
    np.testing.assert_array_equal(heard, open_recording(folder / "audio.wav", folder / "array.yaml").read())


def test_without_a_video_there_are_no_frames(folder):
    (folder / "camera.mp4").unlink()
    recording = watched(folder)
    assert (recording.video, recording.camera) == (None, None)
    assert all(moment.frames == () for moment in recording.moments())


def test_who_does_not_want_to_see_is_not_bothered_by_a_bad_video(folder):
    (folder / "camera.mp4").write_text("no video")
    (folder / "camera.yaml").unlink()
    recording = open_recording(folder)
    assert (recording.video, recording.camera, recording.notices) == (None, None, ())


def test_a_given_video_takes_the_place_of_the_folders(folder, tmp_path):
    other = write_video(tmp_path / "other.mp4", rate=15)
    (folder / "camera.mp4").write_text("no video")
    assert watched(folder, video=other).video == other
    audio = open_recording(folder / "audio.wav", folder / "array.yaml", video=other, camera=folder / "camera.yaml")
    assert audio.video == other


@pytest.mark.parametrize(
    ("seconds", "rate", "notice"),
    [(1.0, 25, "ends 1.0 s before"), (3.0, 25, "goes on for 1.0 s after"), (2.0, 5, "5 frames per second are few")],
)
def test_a_video_that_fits_badly_is_used_with_a_notice(folder, seconds, rate, notice):
    write_video(folder / "camera.mp4", seconds, rate)
    recording = watched(folder)
    assert [notice in line for line in recording.notices] == [True]
    assert sum(len(moment.frames) for moment in recording.moments()) == round(min(seconds, 2.0) * rate)


def test_a_video_of_another_size_is_refused(folder):
    write_video(folder / "camera.mp4", size=(80, 48))
    assert "80 x 48 pixels, but" in refusal(folder)


def test_a_video_needs_a_calibration_and_the_other_way_round(folder):
    audio, array = folder / "audio.wav", folder / "array.yaml"
    assert "--camera" in refusal(audio, array, video=folder / "camera.mp4")
    assert "--video" in refusal(audio, array, camera=folder / "camera.yaml")
    (folder / "camera.yaml").write_text("width: 64")
    assert "camera.yaml: describes no camera" in refusal(folder)
    (folder / "camera.yaml").unlink()
    assert "camera.yaml" in refusal(folder)


def test_what_is_no_video_is_refused(folder):
    (folder / "camera.mp4").write_text("no video\n" * 50)
    assert "camera.mp4: not a video" in refusal(folder)
    (folder / "camera.mp4").write_bytes((folder / "audio.wav").read_bytes())
    assert "holds no pictures" in refusal(folder)
    assert "none.mp4: not a video that can be read (No such file" in refusal(folder, video=folder / "none.mp4")


@pytest.mark.parametrize("share", [0.3, 0.8])
@pytest.mark.parametrize(
    ("options", "what"), [({}, "not a video that can be read"), ({"movflags": "faststart"}, "cut off")]
)
def test_a_video_that_is_cut_off_is_refused(folder, share, options, what):
    write_video(folder / "camera.mp4", **options)
    cut(folder / "camera.mp4", share)
    assert what in refusal(folder)


def test_without_the_package_that_reads_videos_one_line_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    assert "pip install 'robot-hearing[vision]'" in refusal(folder)
