"""Frames: where the camera is in the array frame, and how the array moves, from tf and odometry (REP-103, REP-105)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hearing.bags.formats import nanoseconds
from hearing.types import ArrayMotion

Matrix = NDArray[np.float64]
SHORTEST = 20_000_000
"""Nanoseconds between two poses, at least: more than 50 in a second tell nothing new."""


def matrix(translation: Any, rotation: Any) -> Matrix:
    """Return a transform message as a matrix of shape (4, 4) that maps child coordinates to parent coordinates."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_quat([rotation.x, rotation.y, rotation.z, rotation.w]).as_matrix()
    pose[:3, 3] = translation.x, translation.y, translation.z
    return pose


class Frames:
    """A tree of frames, some of which move."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._poses: dict[str, list[tuple[int, Matrix]]] = {}
        self._static: set[str] = set()

    def add(self, message: Any, static: bool) -> None:
        """Take in the transforms of a `TFMessage`; static ones hold for all times."""
        for transform in message.transforms:
            child = transform.child_frame_id.lstrip("/")
            if static:
                self._static.add(child)
                self._poses.pop(child, None)
            pose = matrix(transform.transform.translation, transform.transform.rotation)
            self._put(transform.header, child, pose)

    def add_odometry(self, message: Any) -> None:
        """Take in a pose of the robot, if tf does not say the same."""
        child = message.child_frame_id.lstrip("/")
        if self._parents.get(child, message.header.frame_id.lstrip("/")) == message.header.frame_id.lstrip("/"):
            self._put(message.header, child, matrix(message.pose.pose.position, message.pose.pose.orientation))

    def _put(self, header: Any, child: str, pose: Matrix) -> None:
        self._parents[child] = header.frame_id.lstrip("/")
        self._poses.setdefault(child, []).append((nanoseconds(header.stamp), pose))

    def moves(self, frame: str) -> bool:
        """Tell whether a frame is known to move."""
        return any(child not in self._static for child in self._chain(frame))

    def between(self, frame: str, other: str) -> Matrix | None:
        """Return the matrix that maps coordinates in `other` to those in `frame`, or None if it is not known.

        Where joints lie between the two, they are taken as they were first known.
        """
        mine, others = self._with_ancestors(frame), self._with_ancestors(other)
        common = next((ancestor for ancestor in mine if ancestor in others), None)
        if common is None:
            return None
        return np.asarray(np.linalg.inv(self._up(frame, common)) @ self._up(other, common))

    def motion(self, frame: str, origin: int) -> Iterator[ArrayMotion]:
        """Tell how a frame moves in the frame that it had at `origin`, in nanoseconds, which is time 0.

        Every pose is what was known at its time: each joint as it was last reported.
        """
        chain = self._chain(frame)
        stamps = sorted({time for child in chain if child not in self._static for time, _ in self._poses[child]})
        times = np.array(_thinned(stamps), np.int64)
        first = np.linalg.inv(self._known(chain, np.array([origin]))[0])
        for time, pose in zip(times.tolist(), first @ self._known(chain, times), strict=True):
            yaw = float(np.arctan2(pose[1, 0], pose[0, 0]))
            yield ArrayMotion((time - origin) / 1e9, pose[:3, 3], yaw, None)

    def _chain(self, frame: str) -> list[str]:
        """Return the frames from this one up to the one below `odom`: what the map corrects is no motion."""
        chain: list[str] = []
        while frame in self._parents and frame not in chain and frame != "odom":
            chain.append(frame)
            frame = self._parents[frame]
        return chain

    def _with_ancestors(self, frame: str) -> list[str]:
        ancestors = [frame]
        while (parent := self._parents.get(ancestors[-1])) is not None and parent not in ancestors:
            ancestors.append(parent)
        return ancestors

    def _up(self, frame: str, ancestor: str) -> Matrix:
        pose = np.eye(4)
        while frame != ancestor:
            pose = self._poses[frame][0][1] @ pose
            frame = self._parents[frame]
        return pose

    def _known(self, chain: list[str], times: NDArray[np.int64]) -> Matrix:
        """Return the poses of a chain's first frame above its last one, of shape (n_times, 4, 4)."""
        pose = np.broadcast_to(np.eye(4), (len(times), 4, 4))
        for child in chain:
            known = sorted(self._poses[child], key=lambda entry: entry[0])
            index = np.searchsorted([time for time, _ in known], times, side="right") - 1
            if child in self._static:
                index = np.full(len(times), len(known) - 1)
            pose = np.stack([matrix for _, matrix in known])[np.maximum(index, 0)] @ pose
        return pose


def _thinned(stamps: list[int]) -> list[int]:
    kept: list[int] = []
    for stamp in stamps:
        if not kept or stamp - kept[-1] >= SHORTEST:
            kept.append(stamp)
    return kept
