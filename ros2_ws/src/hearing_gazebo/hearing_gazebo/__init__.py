"""Gazebo worlds that can be heard: acoustics from the simulator's poses, and the poses without the simulator."""
