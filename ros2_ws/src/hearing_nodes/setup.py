"""Installation of the nodes with colcon or pip."""

from setuptools import setup

NODES = [
    "audio_source",
    "vision",
    "hearing",
    "recognition",
    "dialogue",
    "loudspeaker",
    "captions",
    "player",
    "hri",
    "markers",
]

setup(
    name="hearing_nodes",
    version="0.1.0",
    packages=["hearing_nodes"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/hearing_nodes"]),
        ("share/hearing_nodes", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer="robot-hearing maintainers",
    maintainer_email="maintainers@robot-hearing.org",
    description="Thin ROS 2 lifecycle nodes around the robot-hearing library",
    license="Apache-2.0",
    # `hearing` itself is the command of the library: the executables are named NODE_node.
    entry_points={"console_scripts": [f"{node}_node = hearing_nodes.{node}:main" for node in NODES]},
)
