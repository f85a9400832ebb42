"""From a face to a point that tells whose it is: embeddings of faces.

The network is dlib's (King 2017, "High quality face recognition with deep metric learning"; see the card of
`hearing_models.faces`).
"""

from __future__ import annotations

from functools import cached_property
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.recognition.session import open_session
from hearing.vision.likelihood import FaceLikelihood

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
Image = NDArray[np.uint8]

SIZE = 150
"""Pixels of the side of the picture that the network takes."""
_MARGIN = 0.25

# The mean face of dlib's `get_face_chip_details`, which the network was trained on: bridge and bottom of the nose, the
# eyes, the upper lip; and the points of MediaPipe's face mesh that are at these places.
_MEAN_FACE = np.array([
    (0.490127, 0.203352), (0.490127, 0.307009), (0.490127, 0.409805), (0.490127, 0.515625),
    (0.366880, 0.587326), (0.426036, 0.609345), (0.490127, 0.628106), (0.554217, 0.609345), (0.613373, 0.587326),
    (0.121737, 0.216423), (0.187122, 0.178758), (0.265825, 0.179852),
    (0.334606, 0.231733), (0.260918, 0.245099), (0.182743, 0.244077),
    (0.645647, 0.231733), (0.714428, 0.179852), (0.793132, 0.178758),
    (0.858516, 0.216423), (0.797510, 0.244077), (0.719335, 0.245099),
    (0.254149, 0.780233), (0.340985, 0.745405), (0.428858, 0.727388), (0.490127, 0.742578),
    (0.551395, 0.727388), (0.639268, 0.745405), (0.726104, 0.780233),
    (0.290379, 0.784792), (0.428096, 0.778746), (0.490127, 0.785343), (0.552157, 0.778746), (0.689874, 0.784792),
])  # fmt: skip
_POINTS = [
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 78, 82, 13, 312, 308),
]
_TARGET = (_MEAN_FACE + _MARGIN) / (1 + 2 * _MARGIN) * SIZE
_CENTRE = _TARGET.mean(axis=0)


def own_weights() -> Path:
    """Give the folder of the project's face encoder."""
    return Path(str(resources.files("hearing_models"))) / "faces" / "weights"


class FaceEncoder:
    """The network.

    Parameters
    ----------
    weights
        Folder of `face_encoder.onnx` and its calibration; by default that of the package `hearing_models`.

    Attributes
    ----------
    name
        Embeddings of encoders with different names cannot be compared.
    dimensions
        Of an embedding.

    Raises
    ------
    InputError
        If the network is missing.
    """

    def __init__(self, weights: Path | None = None) -> None:
        folder = weights or own_weights()
        path = folder / "face_encoder.onnx"
        if not path.is_file():
            raise InputError(f"{path}: the face encoder is missing; install the package again")
        self._session = open_session(path, threads=1)
        self.dimensions: int = self._session.get_outputs()[0].shape[1]
        self.name: str = self._session.get_modelmeta().custom_metadata_map["encoder"]
        self._folder = folder

    @cached_property
    def likelihood(self) -> FaceLikelihood:
        """What cosines of its embeddings mean.

        Raises
        ------
        InputError
            If the calibration is missing, or that of another network.
        """
        likelihood = FaceLikelihood.beside(self._folder)
        if likelihood.encoder != self.name:
            raise InputError(f"{self._folder}: the calibration is {likelihood.encoder}'s; fit it to {self.name}")
        return likelihood

    def embed(self, image: Image, landmarks: FloatArray) -> Float32Array:
        """Embed a face: a vector of length 1, of shape (128,).

        Parameters
        ----------
        image
            Blue, green, red: uint8 of shape (height, width, 3).
        landmarks
            Of the face in it, of shape (468, 3), as `Face` has them.
        """
        rgb = cv2.cvtColor(aligned(image, landmarks), cv2.COLOR_BGR2RGB).astype(np.float32)
        (embedding,) = self._session.run(None, {"image": rgb.transpose(2, 0, 1)[None]})
        unit: Float32Array = embedding[0]
        return unit


def aligned(image: Image, landmarks: FloatArray) -> Image:
    """Cut out a face as the network wants it: level, and eyes, nose and mouth where they are in the mean face.

    Parameters
    ----------
    image
        Of shape (height, width, 3).
    landmarks
        Of shape (468, 3).

    Returns
    -------
    Of shape (150, 150, 3).
    """
    points = landmarks[_POINTS, :2]
    middle = points.mean(axis=0)
    # The similarity of least squares in the plane, as a complex factor (Umeyama 1991).
    to, of = (_TARGET - _CENTRE) @ [1, 1j], (points - middle) @ [1, 1j]
    factor = np.vdot(to, of) / np.vdot(to, to).real
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    scale = max(1.0, float(abs(factor)))
    if scale > 1.5:  # larger than the network takes it: averaged first, so that nothing fine is aliased
        size = (max(1, round(image.shape[1] / scale)), max(1, round(image.shape[0] / scale)))
        ratio = np.array([size[0] / image.shape[1], size[1] / image.shape[0]])
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        turn, middle = turn * ratio[:, None], middle * ratio
    to_image = np.column_stack([turn, middle - turn @ _CENTRE])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(image, to_image, (SIZE, SIZE), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
