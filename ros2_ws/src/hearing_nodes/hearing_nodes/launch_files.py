"""Launch files without ROS 2's `launch`: they are run with stand-ins for its classes, which only say what to start.

That is how `hearing up` starts the very graph of `ros2 launch` where that is not installed, as with ROS 2 from wheels.
The stand-ins know what the launch files of this project use, and mean the same by it; whatever else a file asks for is
refused in one line.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from hearing.errors import InputError
from hearing_nodes.launch_actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    LaunchContext,
    LaunchDescription,
    LifecycleNode,
    Node,
    OnProcessExit,
    OpaqueFunction,
    ParameterFile,
    ParameterValue,
    Process,
    RegisterEventHandler,
    Shutdown,
    visit,
)

_MODULES: dict[str, tuple[type, ...]] = {
    "launch": (LaunchContext, LaunchDescription),
    "launch.actions": (*(DeclareLaunchArgument, EmitEvent, ExecuteProcess, OpaqueFunction, RegisterEventHandler),),
    "launch.event_handlers": (OnProcessExit,),
    "launch.events": (Shutdown,),
    "launch_ros": (),
    "launch_ros.actions": (LifecycleNode, Node),
    "launch_ros.parameter_descriptions": (ParameterFile, ParameterValue),
}


def evaluate(path: Path, arguments: Mapping[str, str], files: Path) -> list[Process]:
    """Say what a launch file starts.

    Parameters
    ----------
    path
        The file, in Python.
    arguments
        Values of its arguments by name.
    files
        Folder for the files of parameters that the processes read.

    Raises
    ------
    InputError
        If an argument is missing, unknown or none of its choices, or the file asks for what only `ros2 launch` knows.
    """
    context = LaunchContext(arguments, files)
    with _stand_ins():
        visit(_described(path).entities, context)
    if unknown := sorted(set(arguments) - set(context.declared)):
        raise InputError(f"{unknown[0]}:= is unknown; {path.name} takes {', '.join(context.declared)}")
    return [process for _, process in context.processes]


def declared(path: Path) -> list[DeclareLaunchArgument]:
    """Return the arguments of a launch file."""
    with _stand_ins():
        return [entity for entity in _described(path).entities if isinstance(entity, DeclareLaunchArgument)]


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Let the modules of `launch` and `launch_ros` be the stand-ins."""
    kept = {name: module for name, module in sys.modules.items() if _is_patched(name)}
    for name in kept:
        del sys.modules[name]
    for name, classes in _MODULES.items():
        sys.modules[name] = _module(name, classes)
    try:
        yield
    except (ImportError, TypeError) as error:
        other = isinstance(error, ImportError) and not _is_patched(error.name or "")
        remedy = "install it" if other else "`hearing up` does not know this, use `ros2 launch`"
        raise InputError(f"the launch file cannot be run: {error}; {remedy}") from error
    finally:
        for name in [name for name in sys.modules if _is_patched(name)]:
            del sys.modules[name]
        sys.modules.update(kept)


def _is_patched(name: str) -> bool:
    return name.split(".")[0] in ("launch", "launch_ros") or name == "hearing_nodes.bringup"


def _module(name: str, classes: Iterable[type]) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = []  # a package, so that it may have modules
    vars(module).update({kind.__name__: kind for kind in classes})
    return module


def _described(path: Path) -> LaunchDescription:
    """Run a launch file."""
    if not path.is_file():
        raise InputError(f"{path}: no such launch file; check the installation")
    specification = importlib.util.spec_from_file_location(f"launch_file_{path.stem.replace('.', '_')}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    described: LaunchDescription = module.generate_launch_description()
    return described
