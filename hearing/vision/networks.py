"""The networks that find faces and their landmarks: MediaPipe's, run by LiteRT on one thread."""

from __future__ import annotations

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from hearing.console import hushed
from hearing.recognition.catalogue import Model, ModelFile, PackageFile
from hearing.recognition.store import locate

Float32Array = NDArray[np.float32]


def _mediapipe(name: str, folder: str, file: str, sha256: str) -> Model:
    return Model(
        name=name,
        licence="Apache-2.0",
        source="Google (MediaPipe 0.10.21)",
        packages=("mediapipe==0.10.21",),
        files=(ModelFile(file, sha256, (PackageFile("mediapipe", f"modules/{folder}/{file}"),)),),
    )


FACE_DETECTION = _mediapipe(
    "face-detection",
    "face_detection",
    "face_detection_full_range_sparse.tflite",
    "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
)
"""BlazeFace for faces up to 5 m away (Bazarevsky et al., 2019)."""
FACE_LANDMARKS = _mediapipe(
    "face-landmarks",
    "face_landmark",
    "face_landmark.tflite",
    "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
)
"""468 points of a face in three dimensions (Kartynnik et al., 2019)."""


class Network:
    """A TensorFlow Lite model.

    Parameters
    ----------
    model
        One of this module, with a single file.

    Raises
    ------
    InputError
        If its file is not on this machine.
    """

    def __init__(self, model: Model) -> None:
        path = locate(model) / model.files[0].name
        # LiteRT's C++ code alone decides that it tells the terminal about the processor.
        with hushed():
            self._interpreter = Interpreter(model_path=str(path), num_threads=1)
            self._interpreter.allocate_tensors()
        (entry,) = self._interpreter.get_input_details()
        self._input = entry["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]
        self.size: int = int(entry["shape"][1])
        """Height and width of the pictures that it takes."""

    def run(self, image: Float32Array) -> list[Float32Array]:
        """Compute all outputs for a picture of shape (size, size, 3): red, green, blue."""
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]
