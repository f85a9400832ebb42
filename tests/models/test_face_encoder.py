"""The face encoder's file, and the fit of what its likeness means."""

import numpy as np
import onnxruntime
import pytest
import torch
from hearing_models.faces.calibration import Seen, fit, log_ratios
from hearing_models.faces.export import LEVELS, SIZE, _tensors, export, read_tensors
from hearing_models.voices.calibration import calibration_cost
from torch.nn import functional

from hearing.errors import InputError
from hearing.vision.likelihood import FaceLikelihood


def made_up_tensors(rng):
    """Parameters of the right sizes, in dlib's order: of every convolution and the affine layer after it."""

    def layer(channels, filters, kernel=3):
        weights = rng.normal(0, 1 / (kernel * np.sqrt(channels)), filters * channels * kernel**2)
        yield np.concatenate([weights, rng.normal(0, 0.1, filters)]).astype(np.float32)
        yield np.concatenate([rng.uniform(0.5, 1.0, filters), rng.normal(0, 0.1, filters)]).astype(np.float32)

    yield from layer(3, 32, 7)
    channels = 32
    for filters, blocks, _ in LEVELS:
        for _ in range(blocks):
            yield from layer(channels, filters)
            yield from layer(filters, filters)
            channels = filters
    yield rng.normal(0, 0.1, 256 * 128).astype(np.float32)


def by_torch(tensors, image):
    """What dlib computes: its convolutions have a margin unless they halve; what is missing in a sum is zero."""
    tensors = iter([torch.from_numpy(tensor) for tensor in tensors])

    def convolved(x, filters, kernel=3, stride=1):
        size = filters * x.shape[1] * kernel**2
        parameters, affine = next(tensors), next(tensors)
        weights = parameters[:size].reshape(filters, x.shape[1], kernel, kernel)
        x = functional.conv2d(x, weights, parameters[size:], stride, 0 if stride > 1 else kernel // 2)
        return x * affine[:filters, None, None] + affine[filters:, None, None]

    x = (torch.from_numpy(image) - torch.tensor([122.782, 117.001, 104.298])[:, None, None]) / 256
    x = functional.max_pool2d(torch.relu(convolved(x, 32, 7, 2)), 3, 2)
    for filters, blocks, halves in LEVELS:
        for block in range(blocks):
            stride = 2 if halves and block == 0 else 1
            y = convolved(torch.relu(convolved(x, filters, stride=stride)), filters)
            x = functional.avg_pool2d(x, 2, 2) if stride == 2 else x
            shape = [max(sizes) for sizes in zip(x.shape, y.shape, strict=True)]
            total = torch.zeros(shape)
            for part in (x, y):
                total[:, : part.shape[1], : part.shape[2], : part.shape[3]] += part
            x = torch.relu(total)
    return functional.normalize(x.mean(dim=(2, 3)) @ next(tensors).reshape(256, 128), dim=1).numpy()


def test_the_exported_network_computes_what_dlib_does(tmp_path):
    rng = np.random.default_rng(0)
    tensors = list(made_up_tensors(rng))
    export(tensors, tmp_path / "face.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "face.onnx"), providers=["CPUExecutionProvider"])
    images = rng.uniform(0, 255, (2, 3, SIZE, SIZE)).astype(np.float32)
    (embeddings,) = session.run(None, {"image": images})
    exact = by_torch(tensors, images)
    assert embeddings.shape == exact.shape == (2, 128)
    assert (embeddings * exact).sum(axis=1).min() > 0.999
    assert (tmp_path / "face.onnx").stat().st_size < 6e6


def test_layers_are_found_in_what_dlib_writes():
    def integer(value):
        size = (value.bit_length() + 7) // 8 or 1
        return bytes([size]) + value.to_bytes(size, "little")

    convolution, dense = np.arange(300, dtype=np.float32), np.arange(6, dtype=np.float32)
    content = b"rubbish\x05con_4" + b"".join(map(integer, (2, 300, 1, 1, 1))) + convolution.tobytes()
    content += b"more\x04fc_2" + b"".join(map(integer, (2, 3, 2, 3, 2, 1, 1))) + dense.tobytes() + b"end"
    one, other = _tensors(content)
    np.testing.assert_array_equal(one, convolution)
    np.testing.assert_array_equal(other, dense)


def test_only_the_published_network_is_taken(tmp_path):
    (tmp_path / "other.dat").write_bytes(b"something else")
    with pytest.raises(InputError, match=r"other\.dat: sha256"):
        read_tensors(tmp_path / "other.dat")


def test_a_fit_learns_that_faces_that_are_seen_well_say_more():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 4)
    quality = np.tile([0.3, 1.0], 80)
    common = rng.standard_normal(16)
    looks = common + rng.standard_normal((40, 16))[people]
    embeddings = looks + (1.2 - quality)[:, None] * rng.standard_normal(looks.shape)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    kind = np.tile(["neutral", "neutral", "smiling", "smiling"], 40)
    seen = Seen(embeddings, quality, people.astype(str), kind, np.full(160, 80), quality < 1)
    assert seen.pairs()[2].sum() == 4 * 40
    fitted = fit(seen)
    assert calibration_cost(log_ratios(fitted, seen), seen.pairs()[2]) < 0.5
    likelihood = FaceLikelihood("made-up", **fitted)
    small, large = likelihood.quality(0.3), likelihood.quality(1.0)
    assert large > small + 0.2
    assert likelihood.log_ratio(0.95, large, large) > 2
    assert likelihood.log_ratio(0.2, large, large) < likelihood.log_ratio(0.2, small, small)
