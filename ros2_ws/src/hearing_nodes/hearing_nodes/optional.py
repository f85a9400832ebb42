"""Messages of packages that a robot may lack."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from hearing.errors import InputError


def installed(package: str) -> ModuleType | None:
    """Return the messages of a ROS package, or None if it is not installed."""
    try:
        return import_module(f"{package}.msg")
    except ImportError:
        return None


def needed(package: str, purpose: str) -> ModuleType:
    """Return the messages of a ROS package.

    Raises
    ------
    InputError
        If it is not installed.
    """
    messages = installed(package)
    if messages is None:
        name = package.replace("_", "-")
        raise InputError(f"{purpose} needs {package}, which is not installed: apt install ros-$ROS_DISTRO-{name}")
    return messages
