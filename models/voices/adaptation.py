"""What noise and rooms do to embeddings, undone by a linear map.

Embeddings of one speaker, in other rooms and among other machines, differ along some directions more than along others.
Within-class covariance normalisation (Hatch, Kajarekar & Stolcke 2006) makes these differences alike in all
directions, so that cosines count each for what it tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from hearing_models.voices.calibration import Heard
from numpy.typing import NDArray
from onnx import helper, numpy_helper

FloatArray = NDArray[np.float64]
NAME = "halls"
"""Added to the name of an encoder whose embeddings are adapted."""


def fit(heard: Heard, trust: float) -> FloatArray:
    """Fit a map, of shape (n_dimensions, n_dimensions), to utterances of many speakers, some of each.

    Parameters
    ----------
    heard
        The utterances.
    trust
        Share of the covariance that is believed, in [0, 1); the rest is alike in all directions.
    """
    speakers, number = np.unique(heard.speaker, return_inverse=True)
    means = np.stack([heard.embeddings[number == index].mean(axis=0) for index in range(len(speakers))])
    within = heard.embeddings - means[number]
    covariance = within.T @ within / len(within)
    even = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
    values, vectors = np.linalg.eigh(trust * covariance + (1 - trust) * even)
    matrix: FloatArray = (vectors / np.sqrt(values)) @ vectors.T
    return matrix


def adapted(heard: Heard, matrix: FloatArray) -> Heard:
    """Return utterances with their embeddings mapped; these are of length 1 again."""
    mapped = heard.embeddings @ matrix
    return replace(heard, embeddings=mapped / np.linalg.norm(mapped, axis=1, keepdims=True))


def folds(heard: Heard, number: int, rng: np.random.Generator) -> Iterator[tuple[Heard, Heard]]:
    """Part speakers, so that each is once among those that are left out: the others, and those."""
    speakers = rng.permutation(np.unique(heard.speaker))
    for index in range(number):
        out = np.isin(heard.speaker, speakers[index::number])
        yield chosen(heard, ~out), chosen(heard, out)


def chosen(heard: Heard, rows: NDArray[np.bool_]) -> Heard:
    """Return some of the utterances."""
    return Heard(*(getattr(heard, name)[rows] for name in Heard.__dataclass_fields__))


def write(encoder: Path, matrix: FloatArray, path: Path) -> None:
    """Add a map to the ONNX file of an encoder, and write it elsewhere."""
    model = onnx.load(str(encoder))
    graph, output = model.graph, model.graph.output[0].name
    for node in graph.node:
        node.output[:] = ["embedding/plain" if name == output else name for name in node.output]
    graph.initializer.append(numpy_helper.from_array(matrix.astype(np.float32), "adaptation/matrix"))
    graph.node.extend(
        [
            helper.make_node("MatMul", ["embedding/plain", "adaptation/matrix"], ["embedding/mapped"]),
            helper.make_node("LpNormalization", ["embedding/mapped"], [output], axis=1, p=2),
        ]
    )
    names = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(model, names | {"encoder": f"{names['encoder']}-{NAME}"})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
