import math

import pytest
import yaml
from hearing_sim import Room, Scene, load_scene, scene_names
from hearing_sim.checks import inside

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


def walk(*places):
    return {"name": "eve", "voice": "eve", "path": [{"time": t, "position": p} for t, p in places]}


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
        ("room", {"size": [6, 5, 3]}, "nothing says how it sounds"),
        ("room", {"rt60": 0.4}, "either size"),
        ("room", {"polygon": [[0, 0], [0, 5], [6, 5]], "height": 3, "rt60": 0.4}, "counter-clockwise"),
        ("room", {"polygon": [[0, 0], [6, 0], [6, 5]], "rt60": 0.4}, "positive height"),
        ("room.materials", {"walls": 3}, "room.materials.walls must be text, not 3"),
        ("room.rt60", -1, "rt60 not negative"),
        ("room.rt60", "long", "scene.room.rt60 must be a number, not 'long'"),
        ("room.rt60", math.nan, "must be a number"),
        ("array", {"geometry": "respeaker_6mic"}, "the array: give either position"),
        ("array", {"geometry": 6, "position": [3, 2.5, 1]}, "must be text, not 6"),
        ("array.path", [{"time": 0, "position": [3, 2, 1]}], "the array: give either position"),
        ("array.body_radius", 5, "body_radius is 5 m"),
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
        ("microphones", {"self_noise_db": -10000}, "self_noise_db is -10000 dB"),
        ("microphones", {"gain_spread_db": -1}, "spreads must not be negative"),
        ("microphones", {"clock_ppm": 1e5}, "clock_ppm is 100000"),
        ("camera", {"fps": 0}, "fps 1 to 120"),
        ("camera", {"width": 5}, "between 16 and 4096"),
        ("talkers.0.pitch", 9, "pitch is 9"),
        ("talkers.0.lombard", 2, "lombard is 2"),
        ("talkers.0.looks_at", "adam", "looks_at 'adam' is unknown; known are: ahead, robot, eve, fan"),
        ("talkers.0.face", {"habit": "chew"}, "did you mean 'chewing'"),
        ("talkers.0.present", [3, 1], "leaves before he comes"),
        ("talkers.0.name", "robot", "the robot's own name"),
        ("turns.0.talker", "robot", "talker 'robot' of a turn is unknown"),
        ("turns.0.to", "adam", "to 'adam' is unknown"),
        ("turns.0.kind", "shout", "kind 'shout' of a turn of eve is unknown"),
        ("turns.0.breaks_off_after", 0, "breaks off before it starts"),
        ("machines.0.speed_profile", [[1, 1], [0, 1]], "speed_profile needs rising times"),
        ("machines.0.on", [[2, 1]], "on needs pairs"),
        ("machines.0.text", "Hello", "only an announcement has a text"),
        ("backgrounds", [{"kind": "party"}], "kind 'party' of a background is unknown"),
        ("robot", {"states": [{"time": 0, "state": "flying"}]}, "state 'flying' is unknown"),
        ("robot", {"loudspeaker": {"delay": 3}}, "delay must be 0 to 1"),
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


def test_on_is_a_word_and_not_a_truth_value(tmp_path):
    text = yaml.safe_dump(changed("machines.0.level_db", 61)).replace("level_db: 61", "level_db: 61\n  on: [[1, 2]]")
    assert load(tmp_path, text).machines[0].on == ((1.0, 2.0),)


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [1", "\x00"])
def test_files_that_hold_no_scene(tmp_path, text):
    with pytest.raises(InputError, match=r"scene\.yaml: "):
        load(tmp_path, text)


def test_unknown_scene_name():
    with pytest.raises(InputError, match="did you mean 'factory_demo'"):
        load_scene("factory_demos")


@pytest.mark.parametrize(
    ("talker", "message"),
    [
        (walk((1, [1, 1, 1]), (1, [2, 1, 1])), "talker eve: the times of its path do not rise at 1 s"),
        (walk((0, [1, 1, 1]), (0.1, [5, 1, 1])), "talker eve moves at 40 m/s"),
        (walk((0, [1, 1, 1]), (5, [7, 1, 1])), "outside the room"),
        ({**walk((0, [1, 1, 1])), "position": [1, 1, 1]}, "give either position"),
    ],
)
def test_paths_that_nobody_walks(tmp_path, talker, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, changed("talkers", [talker]))


def test_robot_speaks_with_a_loudspeaker(tmp_path):
    scene = changed("turns", [{"talker": "robot", "gap": 0.5, "text": "Hello."}])
    assert load(tmp_path, {**scene, "robot": {"loudspeaker": {}}}).robot.loudspeaker.level_db > 0


def test_places_in_an_l_shaped_room():
    room = Room(polygon=((0, 0), (8, 0), (8, 6), (4, 6), (4, 3), (0, 3)), height=3.0, rt60=0.5)
    places = [(1, 1, 1), (7, 5, 1), (2, 5, 1), (1, 1, 3.5), (9, 1, 1), (-1, 1, 1)]
    assert inside(room, places).tolist() == [True, True, False, False, False, False]


def test_scene_made_in_python_is_checked_too(tmp_path):
    scene = load(tmp_path, GOOD)
    with pytest.raises(InputError, match="duration"):
        Scene("test", -1.0, scene.room, scene.array)
