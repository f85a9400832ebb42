import dataclasses

import numpy as np
import pytest
from hearing_sim import load_scene, simulate
from hearing_sim.plot import plot_simulation
from PIL import Image

from hearing.errors import InputError


@pytest.mark.parametrize("name", ["machines_only", "factory_demo"])
def test_a_picture_of_the_scene(no_kit, tmp_path, name):
    scene = dataclasses.replace(load_scene(name))
    plot_simulation(scene, simulate(scene), tmp_path / "scene.png")
    picture = np.asarray(Image.open(tmp_path / "scene.png").convert("RGB"))
    assert picture.shape[1] > picture.shape[0] > 500
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100, "a spectrogram has many colours"


def test_picture_that_cannot_be_written(no_kit, tmp_path):
    scene = load_scene("machines_only")
    with pytest.raises(InputError, match="cannot be written"):
        plot_simulation(scene, simulate(scene), tmp_path / "missing" / "scene.png")
