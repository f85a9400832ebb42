import dataclasses
import json

import numpy as np
import pytest
import soundfile
from hearing_sim import ArrayPose, Machine, Robot, Room, Scene, Talker, Turn, load_scene, render, simulate
from hearing_sim.motion import PoseWaypoint
from hearing_sim.scene import StateChange

from hearing.arrays import SPEED_OF_SOUND, load_array
from hearing.errors import InputError
from hearing.motion import MotionLog
from hearing.types import SAMPLE_RATE

SCENE = Scene(
    name="small",
    duration=4.0,
    room=Room((5.0, 4.0, 3.0), 0.3),
    array=ArrayPose("respeaker_4mic", (2.0, 2.0, 1.0), yaw_deg=90.0),
    talkers=(Talker("ann", ("eve",), (2.0, 3.5, 1.0)), Talker("bob", ("eve",), (4.0, 2.0, 1.0))),
    turns=(Turn("ann", 0.5, to="robot", kind="command"), Turn("bob", -0.3)),
    machines=(Machine("saw", "motor", (1.0, 1.0, 1.0)), Machine("vent", "fan", (1.0, 3.0, 2.0))),
    snr_db=8.0,
)


@pytest.fixture
def recording(kit, tmp_path):
    render(SCENE, tmp_path / "out")
    return tmp_path / "out"


def test_folder_holds_a_recording(recording):
    audio, rate = soundfile.read(recording / "audio.wav")
    assert rate == SAMPLE_RATE
    assert soundfile.info(recording / "audio.wav").subtype == "PCM_16"
    assert audio.shape == (4 * SAMPLE_RATE, 4)
    np.testing.assert_array_equal(
        load_array(recording / "array.yaml").positions, load_array("respeaker_4mic").positions
    )
    assert [path.name for path in recording.parent.iterdir() if path.name.startswith(".")] == []


def test_segments_say_who_spoke_what_when_and_from_where(recording):
    ann, bob = json.loads((recording / "reference" / "segments.json").read_text())
    assert ann["session_id"] == "small"
    assert (ann["speaker"], ann["words"]) == ("ann", "the first sentence")
    assert ann["start_time"] == pytest.approx(0.5 + 1.5 / SPEED_OF_SOUND, abs=0.001)
    assert ann["end_time"] - bob["start_time"] == pytest.approx(0.3, abs=0.01)
    assert (ann["azimuth_deg"], ann["elevation_deg"], ann["distance_m"]) == (0.0, 0.0, 1.5)
    assert bob["azimuth_deg"] == -90.0
    assert (ann["addressed_to_robot"], bob["addressed_to_robot"]) == (True, False)
    assert (ann["addressed_to"], bob["addressed_to"]) == ("robot", "ann")
    assert (ann["kind"], bob["kind"]) == ("command", "statement")


def test_words_are_timed_inside_their_segment(recording):
    for segment in json.loads((recording / "reference" / "segments.json").read_text()):
        assert [word for word, _, _ in segment["word_times"]] == segment["words"].split()
        times = [time for _, *span in segment["word_times"] for time in span]
        assert times == sorted(times)
        assert segment["start_time"] - 0.05 <= times[0]
        assert times[-1] <= segment["end_time"] + 0.05


def test_speech_is_heard_where_the_segments_say(kit, recording):
    speech = simulate(SCENE).speech[:, 0] ** 2
    start = json.loads((recording / "reference" / "segments.json").read_text())[0]["start_time"]
    before, after = round((start - 0.01) * SAMPLE_RATE), round((start + 0.05) * SAMPLE_RATE)
    assert speech[:before].max() < 1e-4 * speech[before:after].max()


def test_sources_are_listed_every_tenth_of_a_second(recording):
    lines = [json.loads(line) for line in (recording / "reference" / "sources.jsonl").read_text().splitlines()]
    assert len(lines) == 40 * 4
    assert {(line["source"], line["kind"]) for line in lines} == {
        ("ann", "talker"),
        ("bob", "talker"),
        ("saw", "noise"),
        ("vent", "noise"),
    }
    assert all(line["active"] for line in lines if line["kind"] == "noise")
    spoken = [line["time"] for line in lines if line["source"] == "ann" and line["active"]]
    assert 0.5 < spoken[0] <= 0.7
    assert len(spoken) == pytest.approx(10, abs=1)


def test_speech_to_machine_ratio_is_as_asked(kit):
    simulation = simulate(SCENE)
    start, end = simulation.turns[0].start, simulation.turns[-1].end
    speaking = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
    ratio = np.mean(simulation.speech[speaking] ** 2) / np.mean(simulation.machines**2)
    assert 10 * np.log10(ratio) == pytest.approx(8.0, abs=0.1)


def test_level_of_a_machine_is_absolute_without_ratio(kit):
    quiet, loud = (
        simulate(
            dataclasses.replace(
                SCENE, snr_db=None, turns=(), machines=(Machine("saw", "motor", (1.0, 1.0, 1.0), level_db=level),)
            )
        )
        for level in (50.0, 70.0)
    )
    np.testing.assert_allclose(loud.machines, 10 * quiet.machines, rtol=1e-9)


def test_machines_run_before_the_scene_starts(kit):
    machines = simulate(SCENE).machines
    assert np.std(machines[:1600]) == pytest.approx(np.std(machines), rel=0.3)


def test_mixture_never_clips(kit):
    loud = tuple(dataclasses.replace(machine, level_db=120.0) for machine in SCENE.machines)
    mixture = simulate(dataclasses.replace(SCENE, snr_db=None, machines=loud)).mixture
    assert np.abs(mixture).max() == pytest.approx(0.9)


def test_same_seed_same_bytes(kit, recording, tmp_path):
    render(SCENE, tmp_path / "again")
    for name in ("audio.wav", "array.yaml", "reference/segments.json", "reference/sources.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (recording / name).read_bytes()
    render(dataclasses.replace(SCENE, seed=1), tmp_path / "again")
    assert (tmp_path / "again" / "audio.wav").read_bytes() != (recording / "audio.wav").read_bytes()


def test_a_robot_that_rests_has_no_motion(recording):
    assert not (recording / "motion.jsonl").exists()


def test_motion_is_where_the_robot_goes_from_where_it_starts(kit, tmp_path):
    path = (PoseWaypoint(0.0, (2.0, 2.0, 1.0), 90.0), PoseWaypoint(2.0, (2.0, 3.0, 1.0), 90.0))
    path = (*path, PoseWaypoint(4.0, (2.0, 3.0, 1.0), 150.0))
    array = ArrayPose("respeaker_4mic", path=path)
    quiet = dataclasses.replace(SCENE, snr_db=None, machines=())
    scene = dataclasses.replace(quiet, array=array, talkers=SCENE.talkers[1:], turns=(Turn("bob", 0.5),))
    render(scene, tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / "motion.jsonl").read_text().splitlines()]
    assert len(lines) == 81
    assert lines[0]["position"] == [0.0, 0.0, 0.0]
    assert (lines[0]["yaw_deg"], lines[-1]["yaw_deg"]) == (0.0, 60.0)
    log = MotionLog.load(tmp_path / "out" / "motion.jsonl")
    np.testing.assert_allclose(log.at(2.0).position, [1.0, 0.0, 0.0], atol=1e-9)  # what was y in the room is ahead
    assert (log.at(1.0).state, log.at(3.0).state) == ("driving", "head_turning")
    before = (tmp_path / "out" / "motion.jsonl").read_bytes()
    render(scene, tmp_path / "out")  # over the older recording
    assert (tmp_path / "out" / "motion.jsonl").read_bytes() == before


def test_motion_states_alone_are_written_too(kit, tmp_path):
    robot = Robot(states=(StateChange(1.0, "head_turning"), StateChange(2.0, "idle")))
    render(dataclasses.replace(SCENE, robot=robot), tmp_path / "out")
    log = MotionLog.load(tmp_path / "out" / "motion.jsonl")
    assert [log.at(time).state for time in (0.5, 1.5, 2.5)] == ["idle", "head_turning", "idle"]
    assert not log.at(1.5).position.any()


def test_foreign_folder_is_left_alone(kit, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="choose another folder"):
        render(SCENE, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize("place", ["file/recording", "/proc/recording"])
def test_folder_that_cannot_be_made_is_refused(kit, tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        render(SCENE, tmp_path / place)


def test_array_that_sticks_out_of_the_wall(kit):
    with pytest.raises(InputError, match="move the array"):
        simulate(dataclasses.replace(SCENE, array=ArrayPose("respeaker_4mic", (0.01, 2.0, 1.0))))


def test_talker_inside_the_array(kit):
    inside = dataclasses.replace(SCENE.talkers[1], position=SCENE.array.position)
    with pytest.raises(InputError, match=r"bob is within 0\.1 m of a microphone at 0\.0 s"):
        simulate(dataclasses.replace(SCENE, talkers=(SCENE.talkers[0], inside)))


def test_failure_leaves_nothing_behind(kit, tmp_path):
    with pytest.raises(InputError):
        render(dataclasses.replace(SCENE, turns=(Turn("ann", 9.0),)), tmp_path / "new" / "out")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["factory_demo", "quiet_room"])
def test_builtin_scene_works_without_the_kit(no_kit, tmp_path, name):
    render(load_scene(name), tmp_path / name)
    segments = json.loads((tmp_path / name / "reference" / "segments.json").read_text())
    assert len({segment["speaker"] for segment in segments}) == 3
