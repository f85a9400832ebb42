"""The world: Debian's parser accepts it, what acoustics reads of it, and mistakes in worlds and sounds."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from hearing_datasets import packaged_clips
from hearing_gazebo.pose_player import MOTIONS, load_motions
from hearing_gazebo.sounds import SOUNDS, load_sounds
from hearing_gazebo.world import FACTORY, load_world

from hearing.errors import InputError

BRIDGE = SOUNDS.with_name("bridge.yaml")
PARSERS = ("libsdformat12.so.12", "libsdformat13.so.13", "libsdformat14.so.14")

NEWER = {"camera_info_topic", "optical_frame_id"}
"""Elements of a camera that the format has had for longer than Debian's description of it."""


def sdformat() -> ctypes.CDLL:
    """The parser that Gazebo uses, as Debian packages it."""
    for name in PARSERS:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    reason = "needs libsdformat (apt install libsdformat12-12 sdformat-sdf)"
    if os.environ.get("SDFORMAT_INSTALLED"):
        pytest.fail(reason)
    pytest.skip(reason)


def test_the_parser_of_gazebo_accepts_the_world() -> None:
    assert sdformat().cmdCheck(str(FACTORY).encode()) == 0


def test_the_world_has_only_elements_of_the_format() -> None:
    """The parser lets others pass: they may be a plugin's."""
    sdformat()
    folder = next(Path("/usr/share").glob("sdformat1[2-9]/1.9"))
    found = unknown(ElementTree.parse(FACTORY).getroot(), ElementTree.parse(folder / "root.sdf").getroot(), folder)
    assert {path.rpartition("/")[2] for path in found} <= NEWER


def unknown(element: ElementTree.Element, description: ElementTree.Element, folder: Path) -> list[str]:
    """Paths of elements that are not in the descriptions that come with the parser."""
    described = {child.get("name"): child for child in description.findall("element")}
    files = [folder / include.get("filename") for include in description.findall("include")]
    for file in (file for file in files if file.is_file()):  # Debian's lacks one
        content = ElementTree.parse(file).getroot()
        described.setdefault(content.get("name"), content)
    found = []
    for child in element:
        if child.tag not in described:
            found.append(child.tag)
        elif child.tag != "plugin":
            inner = description if described[child.tag].get("ref") else described[child.tag]
            found += [f"{child.tag}/{path}" for path in unknown(child, inner, folder)]
    return found


def test_the_parser_of_gazebo_refuses_a_broken_world(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sdf"
    broken.write_text(FACTORY.read_text().replace("<child>left_wheel</child>", "<child>left_wing</child>"))
    assert sdformat().cmdCheck(str(broken).encode()) != 0


def test_the_hall_is_the_room_between_its_walls() -> None:
    low, high = load_world(FACTORY).hall("hall")
    assert np.allclose(low, [-6.0, -4.5, 0.0])
    assert np.allclose(high, [6.0, 4.5, 4.5])


def test_the_camera_has_an_optical_sibling() -> None:
    robot = load_world(FACTORY).models["robot"]
    camera, optical = robot.links["camera_link"], robot.links["camera_optical_frame"]
    assert np.allclose(optical.position, camera.position)
    # REP-103: z looks where the camera's x does, x points right, y down.
    assert np.allclose(optical.rotation, np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]]), atol=1e-9)
    sensor = ElementTree.parse(FACTORY).find(".//sensor[@type='camera']")
    assert sensor.findtext("camera/optical_frame_id") == "robot/camera_optical_frame"


def test_everything_stays_in_the_hall() -> None:
    world = load_world(FACTORY)
    low, high = world.hall("hall")
    motions = load_motions(MOTIONS, world)
    for time in np.arange(0, 40, 0.25):
        places = [actor.at(time).position for actor in world.actors.values()]
        places += [way.origin(time) for way in motions.values()]
        assert (np.array(places) > low - 1e-9).all()
        assert (np.array(places) < high).all()


def test_sounds_and_motions_name_what_is_in_the_world() -> None:
    world, sounds = load_world(FACTORY), load_sounds(SOUNDS)
    assert {voice.actor for voice in sounds.voices} == set(world.actors)
    assert {machine.name for machine in sounds.machines} <= set(world.models)
    clips = {line.clip for voice in sounds.voices for line in voice.lines} - {None}
    assert clips <= {clip.name for clip in packaged_clips()}
    assert set(load_motions(MOTIONS, world)) == {name for name, model in world.models.items() if not model.static}


def test_the_bridge_carries_what_the_world_publishes() -> None:
    """Topics of plugins and sensors are named in the world or follow from the models' names."""
    root = ElementTree.parse(FACTORY).getroot()
    named = {f"/{topic.text.strip('/')}" for topic in root.iter() if topic.tag in ("topic", "camera_info_topic")}
    derived = {"gz::sim::systems::PosePublisher": ("pose",), "gz::sim::systems::DiffDrive": ("odometry", "tf")}
    for model in root.iter("model"):
        for plugin in model.findall("plugin"):
            named |= {f"/model/{model.get('name')}/{topic}" for topic in derived.get(plugin.get("name"), ())}
    entries = yaml.safe_load(BRIDGE.read_text())
    assert {entry["gz_topic_name"] for entry in entries} == named | {"/clock"}
    assert all(entry["direction"] in ("GZ_TO_ROS", "ROS_TO_GZ") for entry in entries)
    assert {entry["ros_type_name"] for entry in entries if entry["ros_topic_name"] == "poses"} == {
        "geometry_msgs/msg/TransformStamped"
    }


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("<sdf ", "<sdf", "not an SDF file"),
        ('<link name="west">', '<link name="left">', "'west'"),
        ("<pose>-6.1 0 2.25 0 0 0</pose>", "<pose>-6.1 0 2.25 0 0 0.3</pose>", "along the world's axes"),
        ("<pose>-6.1 0 2.25 0 0 0</pose>", "<pose>-6.1 0 2.25</pose>", "must be 6 numbers"),
        ("<pose>-6.1 0 2.25 0 0 0</pose>", '<pose degrees="true">-6.1 0 2.25 0 0 0</pose>', "has attributes"),
        ("<time>7</time>", "<time>5</time>", "'anna': the times of its waypoints must rise"),
    ],
)
def test_mistakes_in_a_world(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / "world.sdf"
    path.write_text(FACTORY.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=complaint):
        load_world(path).hall("hall")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("kind: fan", "kind: fann", "did you mean 'fan'"),
        ("at: 0.5, ", "", "lacks the key 'at'"),
        ('text: "hello robot", ', "", "a file with its text"),
        ("at: 0.5", "at: -0.5", "between 0 and the period"),
    ],
)
def test_mistakes_in_sounds(sounds_file: Path, tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / "sounds.yaml"
    path.write_text(sounds_file.read_text().replace(old, new))
    with pytest.raises(InputError, match=complaint):
        load_sounds(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("hall: [{time: 0, position: [0, 0, 0]}]", "'hall' that may move"),
        ("robot: [{time: 1, position: [0, 0, 0]}, {time: 1, position: [0, 0, 0]}]", "times of robot must rise"),
    ],
)
def test_mistakes_in_motions(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "motions.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=complaint):
        load_motions(path, load_world(FACTORY))
