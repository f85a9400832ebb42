"""`hearing transcribe` with a video."""

import json
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile as sf

from hearing import cli
from hearing.errors import InputError
from hearing.likeness import Profile
from hearing.memory import PeopleStore, load_key
from hearing.pipeline import Pipeline
from hearing.types import SAMPLE_RATE, Direction, FaceState, HearingOutput
from hearing.vision.camera import Video
from hearing.vision.gallery import FaceGallery
from hearing.vision.identity import FaceEncoder

FILES = {"segments.json", "words.jsonl", "tracks.jsonl", "timing.json"}
CAMERA = "{width: 64, height: 48, fx: 50, fy: 50, cx: 32, cy: 24}\n"


class WatchingPipeline:
    """Says after every block when what it was shown was seen."""

    latency = 0.5

    def __init__(self, array, config, people=None):
        self.compute_seconds, self.faults = {"localize": 0.001}, ()
        type(self).known = people

    def bias(self, phrases):
        pass

    def process(self, block, playback=None, motion=None, sights=()):
        assert all(block.start_time <= sight.time < block.end_time for sight in sights)
        box = (0.0, 0.0, 1.0, 1.0)
        return HearingOutput(
            faces=tuple(FaceState(sight.time, "face_1", Direction(0.0), 1.0, box, 0.5, 0.5) for sight in sights)
        )

    def flush(self):
        return HearingOutput()


@pytest.fixture
def recording(tmp_path, monkeypatch):
    monkeypatch.setattr(Pipeline, "create", WatchingPipeline)
    sf.write(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.01, (SAMPLE_RATE, 4)), SAMPLE_RATE)
    (tmp_path / "camera.yaml").write_text(CAMERA)
    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(20))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(20):
            picture = np.full((48, 64, 3), 10 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return tmp_path


def arguments(folder, *options):
    return ["transcribe", str(folder / "a.wav"), "--array", "respeaker_4mic", "--out", str(folder / "out"), *options]


def seen(folder):
    return ["--video", str(folder / "v.mp4"), "--camera", str(folder / "camera.yaml")]


def refusal(capsys, folder, *options):
    assert cli.main(arguments(folder, *options)) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert not (folder / "out").exists()
    return captured.err


def test_all_frames_are_looked_at_and_faces_and_their_cost_are_written(recording):
    assert cli.main(arguments(recording, *seen(recording))) == 0
    out = recording / "out"
    assert {path.name for path in out.iterdir()} == FILES | {"faces.jsonl"}
    faces = [json.loads(line) for line in (out / "faces.jsonl").read_text().splitlines()]
    assert [face["time"] for face in faces] == [round(number / 20, 3) for number in range(20)]
    stages = json.loads((out / "timing.json").read_text())["compute_seconds"]
    assert set(stages) == {"localize", "vision"}
    assert stages["vision"] > 0.0


def test_without_a_video_there_are_no_faces(recording):
    assert cli.main(arguments(recording)) == 0
    assert {path.name for path in (recording / "out").iterdir()} == FILES
    assert "vision" not in json.loads((recording / "out" / "timing.json").read_text())["compute_seconds"]


def test_people_are_known_to_ears_and_eyes(recording, capsys, monkeypatch):
    monkeypatch.delenv("HEARING_KEY", raising=False)
    here = ["--people", str(recording / "people")]
    assert "nobody is enrolled there" in refusal(capsys, recording, *here)
    looks = Profile()
    looks.update(np.ones(128, np.float32) / np.sqrt(128), 0.9)
    store = PeopleStore(recording / "people", load_key(recording / "people"))
    store.enroll("Ada", face=looks, faces=FaceEncoder().likelihood)
    shown = []
    monkeypatch.setattr(
        "hearing.vision.eyes.FaceGallery",
        lambda encoder, people: shown.append(people) or FaceGallery(encoder, people),
    )
    assert cli.main(arguments(recording, *seen(recording), *here)) == 0
    assert list(shown[0]) == list(WatchingPipeline.known) == ["Ada"]
    assert cli.main(arguments(recording)) == 0
    assert WatchingPipeline.known is None


def test_what_does_not_fit_is_refused(recording, capsys):
    assert "add --camera" in refusal(capsys, recording, "--video", str(recording / "v.mp4"))
    assert "add --video" in refusal(capsys, recording, "--camera", str(recording / "camera.yaml"))
    (recording / "camera.yaml").write_text(CAMERA.replace("64", "640"))
    assert "64 x 48 pixels, but" in refusal(capsys, recording, *seen(recording))


@pytest.mark.parametrize("package", ["cv2", "ai_edge_litert.interpreter"])
def test_missing_packages_are_named(recording, capsys, monkeypatch, package):
    for name in [name for name in sys.modules if name.startswith("hearing.vision.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    assert "pip install 'robot-hearing[vision]'" in refusal(capsys, recording, *seen(recording))


def test_a_video_that_turns_out_to_be_damaged_leaves_nothing_behind(recording, capsys, monkeypatch):
    whole = Video.frames

    def damaged(video):
        for frame in whole(video):
            if frame.time > 0.5:
                raise InputError("v.mp4: is damaged after 0.50 s; record or copy it again")
            yield frame

    monkeypatch.setattr(Video, "frames", damaged)
    assert "damaged after 0.50 s" in refusal(capsys, recording, *seen(recording))


def test_nothing_that_sees_is_imported_without_a_video(recording):
    code = (
        "import sys; from pathlib import Path; "
        "import hearing.cli, hearing.pipeline, hearing.recording, hearing.outputs; "
        f"hearing.recording.open_recording(Path({str(recording / 'a.wav')!r}), 'respeaker_4mic'); "
        "seeing = ('hearing.vision', 'cv2', 'ai_edge_litert', 'mediapipe', 'av'); "
        "print([name for name in seeing if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
