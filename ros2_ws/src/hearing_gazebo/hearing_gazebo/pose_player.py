"""The pose player: a world's motions from a file, with its clock, as if Gazebo ran."""

from __future__ import annotations

import sys
import threading
import time
from itertools import count
from pathlib import Path

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, TransformStamped
from hearing_nodes.conversions import time_message
from hearing_nodes.frames import FramePublisher, transform
from hearing_nodes.node import StageNode, run
from hearing_sim import motion
from hearing_sim.schema import check_choice, load_yaml
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock

from hearing.errors import InputError
from hearing_gazebo.frames import BASE, POSES_QOS
from hearing_gazebo.poses import Pose
from hearing_gazebo.world import FACTORY, World, load_world

MOTIONS = Path(__file__).with_name("config") / "motions.yaml"
"""Motions in the world that comes with the package."""
POSE_RATE = 50
"""Poses a second of simulation, as Gazebo publishes them in that world."""
POLL = 0.05
"""Seconds between looks for a subscriber."""

Motions = dict[str, motion.Pose]


def load_motions(path: Path, world: World) -> Motions:
    """Read how models move: waypoints by the models' names; models that are not named stay where the world has them.

    Raises
    ------
    InputError
        If the file cannot be read, or names a model that the world lacks or that is static.
    """
    waypoints = load_yaml(dict[str, tuple[motion.PoseWaypoint, ...]], path, "motions")
    motions = {name: _standing(model.pose) for name, model in world.models.items() if not model.static}
    for name, places in waypoints.items():
        check_choice(f"{path}: model {name!r} that may move", name, motions)
        times = [place.time for place in places]
        if not times or (np.diff(times) <= 0).any():
            raise InputError(f"{path}: the times of {name} must rise, and there must be one")
        motions[name] = motion.Pose(places)
    return motions


class PosePlayer(StageNode):
    """Publishes `poses`, `/clock`, and a robot's `odom` (also in tf), from 0 on, once somebody listens."""

    aspect = "poses"

    def __init__(self) -> None:
        super().__init__("pose_player")
        self.declare("world", str(FACTORY), "SDF file of the world")
        self.declare("motions", str(MOTIONS), "YAML file of how models move in it")
        self.declare("rate", 1.0, "How many times faster than real time the simulation runs", (0.01, 100.0))
        self.declare("duration", 0.0, "Seconds of simulation after which it stands still; 0: never", (0.0, 86400.0))
        self.declare("robot", "robot", "Model whose odometry is published; empty: none")

    def configure(self) -> None:
        """Read world and motions."""
        self._world = load_world(Path(self.value("world")))
        self._motions = load_motions(Path(self.value("motions")), self._world)
        if self.value("robot"):
            check_choice(f"robot: model {self.value('robot')!r} that may move", self.value("robot"), self._motions)

    def activate(self) -> None:
        """Make the topics and start to play."""
        self._poses = self.create_publisher(TransformStamped, "poses", POSES_QOS)
        self._clocks = self.create_publisher(Clock, "/clock", 10)
        self._odometry = self.create_publisher(Odometry, "odom", 50)
        self._frames = FramePublisher(self)
        self._stopping = threading.Event()
        self._worker = self.begin_work(self._work, "player")

    def deactivate(self) -> None:
        """Stop to play."""
        self._stopping.set()
        self._worker.join()
        self._frames.close()
        for publisher in (self._poses, self._clocks, self._odometry):
            self.destroy_publisher(publisher)

    def _work(self) -> None:
        while not self._poses.get_subscription_count():
            if self._stopping.wait(POLL):
                return
        self._play()

    def _play(self) -> None:
        begin, rate, duration = time.monotonic(), self.value("rate"), self.value("duration")
        for now in (tick / POSE_RATE for tick in count()):
            if duration and now > duration:
                return
            if self._stopping.wait(max(0.0, begin + now / rate - time.monotonic())):
                return
            stamp = time_message(round(now * 1e9))
            for name, way in self._motions.items():
                pose = Pose.from_numbers(np.array([*way.origin(now), 0.0, 0.0, way.yaw(now)]))
                self._poses.publish(transform(self._world.name, name, stamp, pose.matrix))
                if name == self.value("robot"):
                    self._tell_odometry(name, stamp, self._world.models[name].pose.inverse() @ pose)
            self._clocks.publish(Clock(clock=stamp))

    def _tell_odometry(self, name: str, stamp: Time, moved: Pose) -> None:
        """Publish where a robot is in the frame that it has in the world's file, as Gazebo's wheels count."""
        message = transform(f"{name}/odom", f"{name}/{BASE}", stamp, moved.matrix)
        self._frames.send([message])
        odometry = Odometry(header=message.header, child_frame_id=message.child_frame_id)
        place, turn = message.transform.translation, message.transform.rotation
        odometry.pose.pose.position = Point(x=place.x, y=place.y, z=place.z)
        odometry.pose.pose.orientation = turn
        self._odometry.publish(odometry)


def _standing(pose: Pose) -> motion.Pose:
    x, y, z = pose.position.tolist()
    return motion.Pose([motion.PoseWaypoint(0.0, (x, y, z), float(np.degrees(pose.yaw)))])


def main() -> None:
    """Run the node."""
    sys.exit(run(PosePlayer))


if __name__ == "__main__":
    main()
