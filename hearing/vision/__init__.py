"""Faces that the robot's cameras see: where they are, whether their mouths move, whom they look at.

Needs more packages than hearing does: `pip install 'robot-hearing[vision]'`. Nothing outside imports it before there is
a camera.
"""
