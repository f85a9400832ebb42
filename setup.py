"""What colcon needs besides pyproject.toml to install this package into a ROS 2 workspace."""

from glob import glob

from setuptools import setup

setup(
    python_requires=">=3.11,<3.13",  # colcon cannot read it from pyproject.toml
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/robot_hearing"]),
        ("share/robot_hearing", ["package.xml"]),
        ("share/robot_hearing/launch", glob("launch/*.launch.py")),
        ("share/robot_hearing/launch/params", glob("launch/params/*.yaml")),
        ("share/robot_hearing/launch/rviz", glob("launch/rviz/*.rviz")),
        ("share/robot_hearing/launch/foxglove", glob("launch/foxglove/*.json")),
    ],
)
