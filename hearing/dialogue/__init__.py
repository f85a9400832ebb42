"""Dialogue: when the robot speaks, what it says, and what it does when it is told to."""
