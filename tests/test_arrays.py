from pathlib import Path

import numpy as np
import pytest

from hearing.arrays import SPEED_OF_SOUND, array_names, load_array
from hearing.errors import InputError
from hearing.types import Direction


def test_the_promised_arrays_are_built_in():
    promised = {"respeaker_4mic", "respeaker_6mic", "xvf3800_4mic", "uma8", "azure_kinect", "head_8mic"}
    assert promised <= set(array_names())


@pytest.mark.parametrize("name", array_names())
def test_names_microphones_and_scale_are_plausible(name: str):
    array = load_array(name)
    assert array.name == name
    assert array.n_microphones >= 4
    assert 0.03 < array.aperture < 0.3


def test_a_wave_from_the_front_reaches_the_front_microphone_first():
    array = load_array("respeaker_4mic")
    delays = array.delays(Direction(0.0).vector)
    front = int(np.argmax(array.positions[:, 0]))
    assert delays.argmin() == front
    assert delays.max() - delays.min() == pytest.approx(0.064 / SPEED_OF_SOUND)


def test_rank_tells_lines_planes_and_volumes_apart(tmp_path: Path):
    line = tmp_path / "line.yaml"
    line.write_text("name: line\nmicrophones: [[0, -0.1, 0], [0, 0, 0], [0, 0.1, 0]]\n")
    assert len(load_array(line).axes) == 1
    assert len(load_array("respeaker_6mic").axes) == 2
    assert len(load_array("head_8mic").axes) == 3


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("name: a", "no `microphones`"),
        ("[1, 2]", "no `microphones`"),
        ("microphones: [[0, 0], [1, 1]]", "three finite numbers"),
        ("microphones: [[0, 0, 0], [0, .nan, 0]]", "three finite numbers"),
        ("microphones: [[0, 0, 0]]", "at least 2"),
        ("microphones: [[0, 0, 0], [0, 0, 0]]", "same place"),
        ("microphones: [[0, 0, 0], [40, 0, 0]]", "not millimetres"),
        ("microphones: [[0, 0", "not a YAML file"),
    ],
)
def test_a_bad_geometry_is_refused_with_its_reason(tmp_path: Path, content: str, complaint: str):
    path = tmp_path / "array.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=complaint):
        load_array(path)


def test_an_unknown_name_is_answered_with_the_closest_one():
    with pytest.raises(InputError, match="did you mean respeaker_4mic"):
        load_array("respeaker_4mics")


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        load_array("nowhere.yaml")
