import math

import numpy as np
import pytest
import yaml
from hearing_sim import ArrayPose, Scene, load_scene, scene_names

from hearing.errors import InputError

GOOD = {
    "name": "test",
    "duration": 5.0,
    "room": {"size": [6, 5, 3], "rt60": 0.4},
    "array": {"geometry": "respeaker_6mic", "position": [3, 2.5, 1.2], "yaw_deg": 90},
    "talkers": [{"name": "eve", "voice": "eve", "position": [4, 2.5, 1.5]}],
    "turns": [{"talker": "eve", "gap": 0.5}],
    "machines": [{"name": "fan", "kind": "fan", "position": [1, 1, 2]}],
}


def load(tmp_path, text):
    path = tmp_path / "scene.yaml"
    path.write_text(text if isinstance(text, str) else yaml.safe_dump(text))
    return load_scene(path)


def changed(path, value):
    """GOOD with the entry at `path` (keys and indices joined by dots) replaced."""
    scene = yaml.safe_load(yaml.safe_dump(GOOD))
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    target = scene
    for key in parents:
        target = target[key]
    target[last] = value
    return scene


def test_description_becomes_a_scene(tmp_path):
    scene = load(tmp_path, GOOD)
    assert scene.talkers[0].voice == ("eve",)
    assert scene.room.size == (6.0, 5.0, 3.0)
    assert scene.snr_db is None


def test_every_builtin_scene_loads_under_its_name():
    assert {"factory_demo", "quiet_room", "machines_only"} <= set(scene_names())
    for name in scene_names():
        assert load_scene(name).name == name


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("talkerz", [], "did you mean 'talkers'"),
        ("room.rt61", 0.4, r"scene.room: key 'rt61' is unknown; did you mean 'rt60'"),
        ("room", {"size": [6, 5, 3]}, "scene.room lacks the key 'rt60'"),
        ("room.rt60", "long", "scene.room.rt60 must be a number, not 'long'"),
        ("room.rt60", math.nan, "must be a number"),
        ("room.size", [6, 5], "three numbers"),
        ("room.size", [6, 5, -3], "must be positive"),
        ("duration", 0, "duration is 0.0 s"),
        ("duration", True, "must be a number"),
        ("seed", 1.5, "must be a whole number"),
        ("talkers", {}, "scene.talkers must be a list"),
        ("talkers.0", "eve", r"scene.talkers\[0\] must be a mapping"),
        ("talkers.0.position", [4, 2.5, 3.1], r"talker eve at \[4.0, 2.5, 3.1\] is outside the room"),
        ("machines.0.position", [-1, 1, 2], "machine fan .* is outside the room"),
        ("array.position", [3, 6, 1], "the array .* is outside the room"),
        ("machines.0.name", "eve", "the name 'eve' is used twice"),
        ("machines.0.kind", "fann", "kind 'fann' is unknown; did you mean 'fan'"),
        ("machines.0.kind", "recording", "go together"),
        ("turns.0.talker", "adam", "talker 'adam' of a turn is unknown; known are: eve"),
        ("talkers.0.voice", [], "has no voice"),
        ("seed", -1, "seed is -1"),
        ("turns.0.text", " ", "empty text"),
        ("machines.0.speed_rpm", 0, "speed_rpm must be positive"),
        ("machines.0.level_db", 5000, "level_db of fan is 5000 dB"),
        ("self_noise_db", -10000, "self_noise_db is -10000 dB"),
    ],
)
def test_each_mistake_has_its_own_line(tmp_path, path, value, message):
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path, changed(path, value))
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_snr_needs_speech_and_machines(tmp_path):
    with pytest.raises(InputError, match="snr_db needs"):
        load(tmp_path, {**changed("turns", []), "snr_db": 10})


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [1", "\x00"])
def test_files_that_hold_no_scene(tmp_path, text):
    with pytest.raises(InputError, match=r"scene\.yaml: "):
        load(tmp_path, text)


def test_unknown_scene_name():
    with pytest.raises(InputError, match="did you mean 'factory_demo'"):
        load_scene("factory_demos")


def test_array_frame_is_rotated_counter_clockwise():
    pose = ArrayPose("any", (1.0, 2.0, 3.0), yaw_deg=90.0)
    np.testing.assert_allclose(pose.to_array(np.array([1.0, 3.0, 3.0])), [1, 0, 0], atol=1e-12)
    points = np.random.default_rng(0).standard_normal((5, 3))
    np.testing.assert_allclose(pose.to_array(pose.to_room(points)), points, atol=1e-12)


def test_scene_made_in_python_is_checked_too(tmp_path):
    scene = load(tmp_path, GOOD)
    with pytest.raises(InputError, match="duration"):
        Scene("test", -1.0, scene.room, scene.array)
