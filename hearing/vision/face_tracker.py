"""Faces followed through a camera's frames.

The landmarks of the faces that are known lead from frame to frame; several times a second a detector looks for others.
Who is who is the assignment of least cost (Kuhn, 1955) under a Kalman filter of place and size for every face: faces
that cross keep their way, those that hide for a moment are expected behind. A camera has a tracker of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hearing.errors import InputError
from hearing.vision.camera import Camera
from hearing.vision.covers import MouthLooks
from hearing.vision.detector import Detection, DetectorConfig, FaceDetector, areas, intersections
from hearing.vision.face import Face
from hearing.vision.head import HEIGHT, LIPS, WIDTH, Head, facing_probability, head_of
from hearing.vision.landmarks import FaceLandmarks, Landmarks, Region
from hearing.vision.lips import own_weights
from hearing.vision.motion import FaceMotion, MotionConfig
from hearing.vision.mouth import mouth_picture
from hearing.vision.quality import quality_of

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]

EYES_TO_MOUTH, EYES_TO_MIDDLE = 0.394, 0.44
"""From the eyes to the mouth of a detection, as a share of the face's height; on this line the middle of the face."""
AROUND = 1.5
"""Side of the square in which landmarks are looked for, in heights of the face."""

_NEW = 0.2
"""Weight of a frame against those before in whether a mouth is covered."""


@dataclass(frozen=True, slots=True)
class FaceTrackerConfig:
    """How to follow faces. Times in seconds.

    Attributes
    ----------
    detection_period
        Time between two searches of the whole picture.
    landmark_period
        Frames that follow sooner than this on the last one that was looked at are not; 0 to look at all.
    min_score
        Probability, by its landmarks, that something is a face.
    hold
        For so long after it was seen, a face is looked for where it should be; later only the detector finds it again.
    timeout
        A face that is not seen for so long, or not detected for twice as long, is lost, and the next one there is new:
        people look at each other for seconds, and are the same when they look back.
    spread
        Standard deviation of a measured place, in heights of the face, and of the logarithm of a measured height.
    gate
        Squared Mahalanobis distance from which on a face cannot be the one that is expected.
    same
        Share of the smaller of two boxes that lies in the other from which on they are one face.
    confirm
        Detections after which a face is reported.
    """

    detection_period: float = 0.2
    landmark_period: float = 0.0
    min_score: float = 0.5
    hold: float = 0.3
    timeout: float = 8.0
    spread: tuple[float, float] = (0.03, 0.04)
    gate: float = 25.0
    same: float = 0.5
    confirm: int = 2
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)


@dataclass(frozen=True, slots=True, eq=False)
class _Sight:
    """A face in a frame, whosever it is: its landmarks and what they say, and whether the detector came upon it."""

    landmarks: Landmarks
    head: Head
    detected: bool = False

    @property
    def lips(self) -> FloatArray:
        """From the middle of the face to the mouth, in heights of the face, of shape (2,)."""
        mouth = self.landmarks.points[LIPS, :2].mean(axis=0)
        return np.asarray((mouth - (self.head.x, self.head.y)) / self.head.size)


@dataclass(slots=True, eq=False)
class _Track:
    """A face that is followed.

    Attributes
    ----------
    motion
        Where it is.
    sight
        How it was last seen.
    seen, detected
        When it was last seen, and detected, in seconds.
    detections
        How often it was detected.
    strange
        How little its mouth looked like one of late, see `MouthLooks`; None as long as it was not seen.
    id
        None as long as it is not confirmed.
    """

    motion: FaceMotion
    sight: _Sight
    seen: float
    detected: float
    detections: int = 1
    strange: float | None = None
    id: str | None = None


class FaceTracker:
    """Follows the faces that a camera sees.

    With several cameras each has its tracker and its name, so that ids differ; which faces of two cameras are the same
    person follows from their directions.

    Parameters
    ----------
    camera
        Its calibration.
    config
        How to follow.
    name
        Of the camera, put before the ids.

    Raises
    ------
    InputError
        If a network's file is not on this machine.
    """

    def __init__(self, camera: Camera, config: FaceTrackerConfig | None = None, name: str = "") -> None:
        self.config = config or FaceTrackerConfig()
        self._camera, self._prefix = camera, f"{name}_" if name else ""
        self._detector, self._landmarks = FaceDetector(self.config.detector), FaceLandmarks()
        self._looks = MouthLooks.beside(own_weights())
        self.reset()

    @property
    def latency(self) -> float:
        """Seconds until a new face is reported; faces that are known are reported with their frame."""
        return (self.config.confirm - 1) * self.config.detection_period

    def reset(self) -> None:
        """Start a new stream."""
        self._tracks: list[_Track] = []
        self._time = self._searched = self._looked = -math.inf
        self._count = 0
        self.late = 0
        """Frames that came after newer ones and were ignored."""

    def process(self, image: Image, time: float) -> tuple[Face, ...]:
        """Follow the faces into a new frame.

        Parameters
        ----------
        image
            Blue, green, red: uint8 of shape (height, width, 3), as the camera's calibration says.
        time
            Stream time of the frame in seconds. A frame that is not newer than the last one is ignored and counted.

        Returns
        -------
        All faces that are confirmed and not lost, the oldest first; none for a late frame.

        Raises
        ------
        InputError
            If the image has another size or type, or the time is no number.
        """
        self._check(image, time)
        if time <= self._time:
            self.late += 1
            return ()
        for track in self._tracks:
            track.motion.predict(time - self._time, track.seen == self._time)
        self._time = time
        if _due(time, self._looked, self.config.landmark_period):
            self._looked = time
            self._look(image)
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        return tuple(self._face(track, track.id, grey) for track in self._tracks if track.id is not None)

    def _check(self, image: Image, time: float) -> None:
        shape = (round(self._camera.height), round(self._camera.width), 3)
        if not isinstance(image, np.ndarray) or image.shape != shape or image.dtype != np.uint8:
            what = f"{image.dtype} of shape {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
            raise InputError(f"a frame is {what}, the camera's are uint8 of shape {shape}; mend camera.yaml")
        if not math.isfinite(time):
            raise InputError(f"a frame's time is {time}; give seconds of the stream")

    def _look(self, image: Image) -> None:
        """Find the faces in a frame, and who they are."""
        sights = self._expected(image)
        if _due(self._time, self._searched, self.config.detection_period):
            self._searched = self._time
            self._search(image, sights)
        rest = list(range(len(sights)))
        for index, track in self._assign(sights):
            rest.remove(index)
            self._update(track, sights[index])
        for sight in (sights[index] for index in rest):
            if sight.detected:
                motion = FaceMotion(sight.head.place, self.config.spread, self.config.motion)
                self._tracks.append(_Track(motion, sight, self._time, self._time))
        self._tracks = [track for track in self._tracks if not self._lost(track)]

    def _expected(self, image: Image) -> list[_Sight]:
        """See known faces where they should be; where one hides another, it is the larger one that is seen."""
        known = [track for track in self._tracks if self._time - track.seen <= self.config.hold]
        looks = [self._see(image, track.motion.place, track.sight.head.roll) for track in known]
        sights: list[_Sight] = []
        for sight in sorted((look for look in looks if look), key=lambda look: -look.head.size):
            if self._same(sight.landmarks.box, sights) is None:
                sights.append(sight)
        return sights

    def _search(self, image: Image, sights: list[_Sight]) -> None:
        """Search the whole picture: add faces to what is seen already, and mark all that the detector finds."""
        for detection in self._detector.detect(image):
            place = _place(detection)
            index = self._same(_box(place), sights)
            if index is None:
                sight = self._see(image, place, detection.roll)
                if sight is None:
                    continue
                index = self._same(sight.landmarks.box, sights)
                if index is None:
                    index = len(sights)
                    sights.append(sight)
            sights[index] = replace(sights[index], detected=True)

    def _see(self, image: Image, place: FloatArray, roll: float) -> _Sight | None:
        """Find the landmarks of a face near a place, if one is there."""
        x, y, log_size = place.tolist()
        landmarks = self._landmarks.find(image, Region(x, y, AROUND * math.exp(log_size), roll))
        return _Sight(landmarks, head_of(landmarks.points)) if landmarks.score >= self.config.min_score else None

    def _same(self, box: FloatArray, sights: Sequence[_Sight]) -> int | None:
        """Return the number of the face that is at a box already."""
        if not sights:
            return None
        boxes = np.array([sight.landmarks.box for sight in sights])
        shares = intersections(box, boxes) / np.minimum(areas(box), areas(boxes))
        return int(shares.argmax()) if shares.max() >= self.config.same else None

    def _assign(self, sights: Sequence[_Sight]) -> list[tuple[int, _Track]]:
        """Pair sights and tracks, oldest first, so that the sum of misfits is least; what does not fit stays alone."""
        gate, spread = self.config.gate, self.config.spread
        cost = [[track.motion.misfit(sight.head.place, spread) for track in self._tracks] for sight in sights]
        costs = np.minimum(np.reshape(cost, (len(sights), len(self._tracks))), gate)
        columns, rows = linear_sum_assignment(costs.T)
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        return [(row, self._tracks[column]) for row, column in pairs if costs[row, column] < gate]

    def _update(self, track: _Track, sight: _Sight) -> None:
        track.motion.update(sight.head.place, self.config.spread)
        track.sight, track.seen = sight, self._time
        if sight.detected:
            track.detections, track.detected = track.detections + 1, self._time
            if track.id is None and track.detections >= self.config.confirm:
                self._count += 1
                track.id = f"{self._prefix}face_{self._count}"

    def _lost(self, track: _Track) -> bool:
        """Whether a face was not seen for long, left the picture, or was not detected a second time."""
        unseen, undetected = self._time - track.seen, self._time - track.detected
        if track.id is None:
            return undetected > 1.5 * self.config.detection_period
        x, y, _ = track.motion.place
        inside = 0 <= x < self._camera.width and 0 <= y < self._camera.height
        return unseen > (self.config.timeout if inside else self.config.hold) or undetected > 2 * self.config.timeout

    def _face(self, track: _Track, name: str, grey: Image) -> Face:
        motion, head = track.motion, track.sight.head
        landmarks = track.sight.landmarks if track.seen == self._time else None
        x, y = motion.place[:2] + motion.size * track.sight.lips
        direction, distance = self._camera.locate(x, y, self._camera.depth(motion.size, HEIGHT))
        box = landmarks.box if landmarks else _box(motion.place)
        left, top, right, bottom = box.tolist()
        return Face(
            id=name,
            time=self._time,
            box=(left, top, right - left, bottom - top),
            direction=direction,
            distance=distance,
            yaw=head.yaw,
            pitch=head.pitch,
            facing=facing_probability(head.yaw, head.pitch),
            opening=head.opening,
            landmarks=landmarks.points if landmarks else None,
            mouth=self._mouth(track, landmarks, grey) if landmarks else None,
            quality=quality_of(grey, landmarks, head) if landmarks else 0.0,
        )

    def _mouth(self, track: _Track, landmarks: Landmarks, grey: Image) -> NDArray[np.float32] | None:
        """Cut out a mouth; None if it is covered."""
        picture = mouth_picture(grey, landmarks.points, track.sight.head)
        strange = float(self._looks.strangeness(picture))
        before = strange if track.strange is None else track.strange
        track.strange = before + _NEW * (strange - before)
        return picture if track.strange <= self._looks.limit else None


def _due(time: float, last: float, period: float) -> bool:
    """Whether a period is over, but for what rounding does to times of frames."""
    return time - last >= period - 1e-3


def _place(detection: Detection) -> FloatArray:
    """Return the middle of a face in pixels and the logarithm of its height, of shape (3,), as landmarks place it."""
    down = detection.mouth - detection.eyes
    x, y = detection.eyes + EYES_TO_MIDDLE * down
    return np.array([x, y, math.log(max(float(np.hypot(*down)) / EYES_TO_MOUTH, 1.0))])


def _box(place: FloatArray) -> FloatArray:
    """Return left, top, right, bottom in pixels, of shape (4,), of a face at a place as `FaceMotion` has it."""
    middle, half = place[:2], np.array([WIDTH, 1.0]) * np.exp(place[2]) / 2
    return np.concatenate([middle - half, middle + half])
