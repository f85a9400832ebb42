"""Thin ROS 2 lifecycle nodes: each converts messages, calls the library and publishes what comes back."""
