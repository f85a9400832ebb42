"""The markers node: what is heard and seen, to look at in RViz or Foxglove."""

from __future__ import annotations

import math
import sys
import textwrap
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Vector3
from hearing_msgs.msg import Faces, TrackArray, Utterance
from numpy.typing import NDArray
from rclpy.qos import QoSProfile
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from hearing import types
from hearing.errors import InputError
from hearing_nodes import conversions, sights
from hearing_nodes.human_topics import NEW_QOS
from hearing_nodes.node import OK, Diagnosis, StageNode, run

Colour = tuple[float, float, float]
COLOURS: tuple[Colour, ...] = (
    (0.20, 0.60, 1.00), (1.00, 0.55, 0.15), (0.30, 0.80, 0.35),
    (0.90, 0.35, 0.75), (0.95, 0.85, 0.20), (0.25, 0.85, 0.85),
)  # fmt: skip
MACHINE: Colour = (0.55, 0.55, 0.55)
ROBOT: Colour = (0.85, 0.25, 0.25)
TO_ROBOT, TO_OTHERS = (1.0, 0.8, 0.3), (1.0, 1.0, 1.0)
SHORT = 0.5
"""Seconds for which a marker that is published ten times a second stays."""
BUBBLE = 8.0
"""Seconds for which words stay that do not change any more."""
LINE, LINES = 40, 3
"""Letters of a line, and lines of a bubble: the latest."""


class Markers(StageNode):
    """Publishes beams towards who talks, tracks, machines, faces and speech bubbles, in the frame of the array.

    Subscribes `hearing/tracks`, `hearing/utterances` and `hearing/faces`; publishes `hearing/markers`.
    """

    aspect = "markers"

    def __init__(self) -> None:
        super().__init__("markers")
        self.declare("distance", 2.0, "Metres at which is drawn what is heard and not seen", (0.1, 20.0), live=True)
        self.declare("threshold", 0.5, "Words that are so likely said to the robot are coloured", (0.0, 1.0), live=True)

    def activate(self) -> None:
        """Make the topics."""
        self._count, self._last_bad = 0, ""
        self._distances: dict[str, float] = {}
        self._markers = self.create_publisher(MarkerArray, "hearing/markers", QoSProfile(depth=50))
        self._topics = [
            self.create_subscription(TrackArray, "hearing/tracks", self._on_tracks, NEW_QOS),
            self.create_subscription(Utterance, "hearing/utterances", self._on_utterance, NEW_QOS),
            self.create_subscription(Faces, "hearing/faces", self._on_faces, NEW_QOS),
        ]

    def deactivate(self) -> None:
        """Drop the topics."""
        for subscription in self._topics:
            self.destroy_subscription(subscription)
        self.destroy_publisher(self._markers)

    def _on_tracks(self, message: TrackArray) -> None:
        drawn = [marker for track in conversions.tracks(message) for marker in self._drawn(track, message.header)]
        self._publish(drawn)

    def _drawn(self, track: types.Track, header: Header) -> Iterator[Marker]:
        place = self.value("distance") * track.direction.vector
        if track.kind != "talker":
            colour = MACHINE if track.kind == "noise" else ROBOT
            size = 0.2 + 0.3 * track.activity
            yield marker(header, "noise", track.id, Marker.CYLINDER, place, (size, size, 0.4), colour, 0.6)
            return
        colour, loud = COLOURS[track.id % len(COLOURS)], 0.2 + 0.8 * track.activity
        size = 0.1 + 0.15 * track.activity
        yield marker(header, "tracks", track.id, Marker.SPHERE, place, (size, size, size), colour, loud)
        beam = marker(header, "beams", track.id, Marker.ARROW, (0, 0, 0), (0.03, 0.08, 0.12), colour, loud)
        beam.points = [Point(), _point(place)]
        yield beam

    def _on_utterance(self, message: Utterance) -> None:
        utterance = conversions.utterance(message)
        number = zlib.crc32(utterance.id.encode()) >> 1  # the same in all revisions, of 31 bits
        distance = self._distances.get(utterance.face_id or "", self.value("distance"))
        place = distance * utterance.direction.vector + (0.0, 0.0, 0.35)
        to_robot = utterance.addressed_to_robot >= self.value("threshold")
        bubble = marker(
            message.header, "speech", number, Marker.TEXT_VIEW_FACING, place, (0.0, 0.0, 0.12),
            TO_ROBOT if to_robot else TO_OTHERS, 1.0, BUBBLE,
        )  # fmt: skip
        lines = textwrap.wrap(f"{utterance.speaker}: {utterance.text}", LINE)
        bubble.text = "\n".join(lines[-LINES:])
        if not utterance.words:
            bubble.action = Marker.DELETE
        self._publish([bubble])

    def _on_faces(self, message: Faces) -> None:
        try:
            seen = sights.sight(message, 0.0)
        except InputError as error:
            self._last_bad = str(error)
            return
        self._distances = {face.id: face.distance for face in seen.faces}
        self._publish(
            [
                marker(
                    message.header, f"faces {message.camera}".strip(), number, Marker.SPHERE,
                    face.distance * face.direction.vector, (0.16, 0.16, 0.22), COLOURS[number % len(COLOURS)],
                    0.2 + 0.7 * lips.speaking,
                )
                for number, (face, lips) in enumerate(zip(seen.faces, seen.lips, strict=True))
                if face.quality > 0
            ]
        )  # fmt: skip

    def _publish(self, markers: Sequence[Marker]) -> None:
        if markers:
            self._markers.publish(MarkerArray(markers=list(markers)))
            self._count += len(markers)

    def diagnose(self) -> Diagnosis:
        """Tell how much was drawn."""
        return Diagnosis(OK, self._last_bad or "drawing", {"markers": self._count})


def marker(
    header: Header,
    group: str,
    number: int,
    kind: int,
    place: NDArray[np.float64] | Sequence[float],
    size: Sequence[float],
    colour: Colour,
    opacity: float,
    seconds: float = SHORT,
) -> Marker:
    """Return a marker that goes away by itself.

    Parameters
    ----------
    header
        Time, and frame of the place.
    group, number
        Which one it replaces.
    kind
        Its shape, as `visualization_msgs/Marker` has it.
    place, size
        In metres.
    colour, opacity
        From 0 to 1.
    seconds
        For which it stays.
    """
    red, green, blue = colour
    whole = math.floor(seconds)
    return Marker(
        header=header,
        ns=group,
        id=number,
        type=kind,
        action=Marker.ADD,
        pose=Pose(position=_point(place)),
        scale=Vector3(x=float(size[0]), y=float(size[1]), z=float(size[2])),
        color=ColorRGBA(r=red, g=green, b=blue, a=float(opacity)),
        lifetime=Duration(sec=whole, nanosec=round((seconds - whole) * 1e9)),
    )


def _point(place: NDArray[np.float64] | Sequence[float]) -> Point:
    x, y, z = (float(value) for value in place)
    return Point(x=x, y=y, z=z)


def main() -> None:
    """Run the node."""
    sys.exit(run(Markers))


if __name__ == "__main__":
    main()
