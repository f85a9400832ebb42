"""Installation of the worlds and their nodes with colcon or pip."""

from glob import glob

from setuptools import setup

NODES = ["acoustics", "pose_player"]

setup(
    name="hearing_gazebo",
    version="0.1.0",
    packages=["hearing_gazebo"],
    package_data={"hearing_gazebo": ["worlds/*.sdf", "config/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/hearing_gazebo"]),
        ("share/hearing_gazebo", ["package.xml"]),
        ("share/hearing_gazebo/worlds", glob("hearing_gazebo/worlds/*.sdf")),
        ("share/hearing_gazebo/config", glob("hearing_gazebo/config/*.yaml")),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    maintainer="robot-hearing maintainers",
    maintainer_email="maintainers@robot-hearing.org",
    description="A factory in Gazebo that robot-hearing can listen to, and the same without Gazebo",
    license="Apache-2.0",
    entry_points={"console_scripts": [f"{node}_node = hearing_gazebo.{node}:main" for node in NODES]},
)
