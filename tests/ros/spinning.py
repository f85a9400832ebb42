"""Nodes of a test that spin in its own thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.executors import Executor

PATIENCE = 30.0


def spin_until(executor: Executor, condition: Callable[[], object], got: object = "") -> None:
    """Spin until something holds; `got` is what to look at if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"nothing happened {got}"
        executor.spin_once(timeout_sec=0.02)
