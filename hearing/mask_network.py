"""Running the front end's networks: masks and activities, frame by frame, with their memory held per stream.

The networks are trained in `hearing_models.frontend` and run by ONNX Runtime; see the model cards there.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.features import to_bins
from hearing.types import Float32Array

NOBODY: Float32Array = np.array([-1.0, -3.0], np.float32)[:, None, None]
"""Direction features of rivals where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """What a network says about some frames of some streams.

    Attributes
    ----------
    direct, speech
        Share of power that is direct, and that is direct or reverberant sound of whom the network listens to, in
        [0, 1], of shape (n_streams, n_frames, N_BINS).
    active
        Probability that this talker talks, of shape (n_streams, n_frames).
    """

    direct: Float32Array
    speech: Float32Array
    active: Float32Array


def rivals(features: Float32Array) -> Float32Array:
    """Pool the direction features of all others.

    Parameters
    ----------
    features
        Of shape (n_directions, 2, n_frames, N_BANDS), at least two directions.

    Returns
    -------
    The maximum over the other directions, of the same shape.
    """
    others = np.where(np.eye(len(features), dtype=bool)[:, :, None, None, None], -np.inf, features[None])
    pooled: Float32Array = others.max(axis=1)
    return pooled


class MaskNetwork:
    """A network with its memory outside: every call takes the memory and gives the new one back.

    Parameters
    ----------
    name
        Of the weights, `speech_mask` or `separator`.

    Raises
    ------
    InputError
        If the weights are not installed.
    """

    def __init__(self, name: str) -> None:
        weights = resources.files("hearing_models.frontend") / "weights" / f"{name}.onnx"
        if not weights.is_file():
            raise InputError(f"{weights}: the network is missing; install the package again, or run `hearing train`")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(weights.read_bytes(), options, providers=["CPUExecutionProvider"])
        blocks, _, channels = self._session.get_inputs()[1].shape
        bands = int(self._session.get_modelmeta().custom_metadata_map["bands"])
        self._silence: Float32Array = np.zeros((blocks, bands, channels), np.float32)

    @property
    def silence(self) -> Float32Array:
        """Memory of a stream that starts, of shape (blocks, bands, channels)."""
        return self._silence

    def process(self, features: Float32Array, memories: NDArray[np.float32]) -> tuple[Masks, Float32Array]:
        """Advance all streams.

        Parameters
        ----------
        features
            Of shape (n_streams, inputs, n_frames, N_BANDS).
        memories
            Of shape (n_streams, blocks, bands, channels).

        Returns
        -------
        What the network says, and the new memories.
        """
        n_streams, blocks, bands, channels = memories.shape
        stacked = memories.transpose(1, 0, 2, 3).reshape(blocks, n_streams * bands, channels)
        masks, active, after = self._session.run(None, {"features": features, "memory": stacked})
        memories = after.reshape(blocks, n_streams, bands, channels).transpose(1, 0, 2, 3)
        bins = to_bins(masks)
        return Masks(bins[:, 0], bins[:, 1], active[..., 0]), memories
