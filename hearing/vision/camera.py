"""A camera: where its pixels look in the array frame, and the frames of its video."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from hearing.errors import InputError
from hearing.types import Direction

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.error import FFmpegError

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

_WHOLE = 0.98
"""Share of the frames that its header promises that a video must hold: editors count some that they leave out."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera as camera.yaml describes it.

    Attributes
    ----------
    width, height
        Pixels.
    fx, fy, cx, cy
        Focal lengths and centre in pixels, from the left upper corner of the picture.
    position
        Metres in the array frame.
    yaw, pitch, roll
        Its rotation in the array frame in degrees: it looks along x, turned by yaw about z (to the left), then by pitch
        about y (down), then by roll about x.
    """

    width: float
    height: float
    fx: float
    fy: float
    cx: float
    cy: float
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def rays(self, pixels: ArrayLike) -> FloatArray:
        """Return unit vectors in the array frame, of shape (..., 3), along which pixels (x, y), (..., 2), look."""
        rays = self._turned(self.local(pixels))
        unit: FloatArray = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
        return unit

    def points(self, pixels: ArrayLike, depths: ArrayLike) -> FloatArray:
        """Return points in metres in the array frame, of shape (..., 3).

        Parameters
        ----------
        pixels
            Where they are seen, (x, y), of shape (..., 2).
        depths
            Metres in front of the camera, along its axis, of shape (...).
        """
        points: FloatArray = self._turned(np.asarray(depths)[..., None] * self.local(pixels)) + self.position
        return points

    def locate(self, x: float, y: float, depth: float) -> tuple[Direction, float]:
        """Return direction and distance in metres, as seen from the array, of what is `depth` metres before the camera.

        The camera is not where the microphones are: what is near has another direction for it than for them.
        """
        point = self.points((x, y), depth)
        return Direction.from_vector(point), float(np.linalg.norm(point))

    def depth(self, pixels: float, metres: float) -> float:
        """Return how many metres in front of the camera something is that is so many metres, and pixels, high."""
        return self.fy * metres / max(pixels, 1e-6)

    def local(self, pixels: ArrayLike) -> FloatArray:
        """Return the points that pixels (x, y), (..., 2), see 1 m ahead: forward, left, up, of shape (..., 3)."""
        x, y = np.moveaxis(np.asarray(pixels, dtype=np.float64), -1, 0)
        return np.stack([np.ones_like(x), (self.cx - x) / self.fx, (self.cy - y) / self.fy], axis=-1)

    def _turned(self, local: FloatArray) -> FloatArray:
        """Turn vectors of shape (..., 3) along the camera's axes into the array frame."""
        turned: FloatArray = local @ _rotation(self.yaw, self.pitch, self.roll).T
        return turned


@functools.lru_cache(maxsize=16)
def _rotation(yaw: float, pitch: float, roll: float) -> FloatArray:
    matrix: FloatArray = Rotation.from_euler("ZYX", [yaw, pitch, roll], degrees=True).as_matrix()
    return matrix


def load_camera(path: Path) -> Camera:
    """Read a camera.yaml.

    Raises
    ------
    InputError
        If it cannot be read or describes no camera.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        known = {key: content[key] for key in Camera.__dataclass_fields__ if key in content}
        position = tuple(float(value) for value in known.pop("position", (0.0, 0.0, 0.0)))
        if len(position) != 3:
            raise ValueError("position needs three numbers")
        numbers = {key: float(value) for key, value in known.items()}
        camera = Camera(**numbers, position=position)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError) as error:
        what = " ".join(str(error).split())
        raise InputError(f"{path}: describes no camera ({what}); give width, height, fx, fy, cx, cy") from error
    if not np.isfinite([*position, *numbers.values()]).all():
        raise InputError(f"{path}: describes no camera (a number is not finite); mend it")
    if min(camera.fx, camera.fy, camera.width, camera.height) <= 0:
        raise InputError(f"{path}: width, height, fx and fy must be greater than 0")
    return camera


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture of a video.

    Attributes
    ----------
    time
        Seconds since the video began.
    image
        Blue, green, red: uint8 of shape (height, width, 3).
    """

    time: float
    image: Image


class Video:
    """A video file that is open, made by `open_video`; a context manager.

    Attributes
    ----------
    width, height
        Pixels.
    rate
        Frames per second, on average; 0 if the file does not say.
    """

    def __init__(self, path: Path, container: InputContainer) -> None:
        self._path, self._container = path, container
        self._stream = container.streams.video[0]
        self._stream.codec_context.thread_count = 1
        self.width, self.height = self._stream.width, self._stream.height
        self.rate = float(self._stream.average_rate or 0)
        # MPEG streams count time from anywhere, all others from the beginning.
        streamed = container.format.name.startswith("mpeg")
        self._start = (container.start_time or 0) / 1e6 if streamed else 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def check(self) -> float:
        """Read the file once without decoding it, so that one that is cut off is refused before anything is made of it.

        Afterwards the video is at its end: open it anew for its frames.

        Returns
        -------
        Seconds that it lasts.

        Raises
        ------
        InputError
            If it is cut off, or holds no frame.
        """
        from av.error import FFmpegError

        count, end = 0, 0.0
        try:
            for packet in self._container.demux(self._stream):
                if not packet.size or packet.is_corrupt:
                    continue
                count += 1
                if packet.pts is None:
                    end = count * self._period
                else:
                    end = max(end, float(packet.pts * packet.time_base) - self._start + self._period)
        except FFmpegError as error:
            raise self._damaged(end, error) from error
        promised = self._stream.frames
        if count < _WHOLE * promised:
            raise InputError(
                f"{self._path}: the file is cut off: its header promises {promised} frames, {count} are there; "
                "record or copy it again"
            )
        if not count:
            raise InputError(f"{self._path}: the file holds no frame; record or copy it again")
        return end

    def frames(self) -> Iterator[Frame]:
        """Read the frames, whatever the times between them are.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        from av.error import FFmpegError

        time: float | None = None
        try:
            for picture in self._container.decode(self._stream):
                if picture.time is not None:
                    time = picture.time - self._start
                else:
                    time = 0.0 if time is None else time + self._period
                image = picture.to_ndarray(format="bgr24")
                # Telephones are held upright: they write down how their pictures are to be turned.
                yield Frame(time, np.ascontiguousarray(np.rot90(image, round(picture.rotation / 90)), np.uint8))
        except FFmpegError as error:
            raise self._damaged(time or 0.0, error) from error

    @property
    def _period(self) -> float:
        """Seconds between two frames, as far as the file knows."""
        return 1 / (self.rate or 25.0)

    def _damaged(self, time: float, error: FFmpegError) -> InputError:
        when = f"after {time:.2f} s" if time else "at the beginning"
        return InputError(f"{self._path}: is damaged {when} ({_reason(error)}); record or copy it again")


def open_video(path: Path) -> Video:
    """Open a video file.

    Raises
    ------
    InputError
        If it cannot be read or is no video, or if the packages that read videos are not installed.
    """
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        raise InputError(f"{error}; videos need more packages: pip install 'robot-hearing[vision]'") from error
    try:
        container = av.open(str(path))
    except FFmpegError as error:
        raise InputError(f"{path}: not a video that can be read ({_reason(error)}); record or copy it again") from error
    if not container.streams.video:
        container.close()
        raise InputError(f"{path}: holds no pictures; give a video file")
    return Video(path, container)


def _reason(error: FFmpegError) -> str:
    return str(error.strerror or error).splitlines()[0]
