"""The weights of the package as a beginning: what training changes, read back from the ONNX files that robots run.

Eight bits are not what the network was trained in, but they are close enough to go on from, in a hall of one's own for
instance. Of the decoder only what is trained is read: the rest of it is Whisper's, which is there in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from hearing_models.recognizer.export import ZERO
from hearing_models.recognizer.network import Decoder, Encoder
from hearing_models.recognizer.training import cross_attention
from numpy.typing import NDArray
from onnx import numpy_helper

from hearing.errors import InputError

Arrays = dict[str, NDArray[Any]]


def load_packaged(encoder: Encoder, decoder: Decoder, folder: Path) -> None:
    """Take over what was trained of a network from its ONNX files.

    Parameters
    ----------
    encoder
        Is changed altogether.
    decoder
        Its attention to the encoder is changed.
    folder
        With `encoder.onnx` and `decoder.onnx`, as `export_encoder` and `export_decoder` write them.

    Raises
    ------
    InputError
        If they are not there, or of another network.
    """
    try:
        state = dict(_encoder_arrays(folder / "encoder.onnx")) | dict(_decoder_arrays(folder / "decoder.onnx"))
        # A copy: arrays that are read from a file may not be written to.
        tensors = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
        encoder.load_state_dict({name: tensors[f"encoder.{name}"] for name in encoder.state_dict()})
        decoder.load_state_dict({name: tensors[f"decoder.{name}"] for name in cross_attention(decoder)}, strict=False)
    except (OSError, KeyError, RuntimeError) as error:
        raise InputError(f"{folder}: no recognizer to go on from ({error}); `hearing train` exports one") from error


def _encoder_arrays(path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Read what `quantize_dynamic` left as it was, and the matrices (out, in) whose products are added to a bias."""
    graph = onnx.load(path).graph
    arrays = _arrays(graph)
    yield from arrays.items()
    matrices = {
        node.output[0].removesuffix("_output_quantized"): node.input[1].removesuffix("_quantized")
        for node in graph.node
        if node.op_type == "MatMulInteger"
    }
    for node in graph.node:
        if node.op_type == "Add" and node.input[1] in matrices:
            matrix = matrices[node.input[1]]
            numbers, zero, scale = (arrays[f"{matrix}_{kind}"] for kind in ("quantized", "zero_point", "scale"))
            weights = (numbers.astype(np.float32) - zero) * scale
            yield node.input[0].removesuffix("bias") + "weight", weights.T


def _decoder_arrays(path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Read what is exact, and the matrices (out, in) that are held in blocks with a scale each."""
    arrays = _arrays(onnx.load(path).graph)
    for name, array in arrays.items():
        if name.endswith(".blocks"):
            matrix = name.removesuffix(".blocks")
            blocks = (array.astype(np.float32) - ZERO) * arrays[f"{matrix}.scales"][..., None]
            yield matrix, blocks.reshape(len(blocks), -1)
        else:
            yield name, array


def _arrays(graph: onnx.GraphProto) -> Arrays:
    return {array.name: numpy_helper.to_array(array) for array in graph.initializer}
