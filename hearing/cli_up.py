"""`hearing up`: the graph of a launch file, where `ros2 launch` is not installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hearing.errors import InputError

SUFFIX = ".launch.py"


def up(
    name: Annotated[str, typer.Argument(help="Launch file: robot, sim, replay, gazebo or distributed.")],
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[ARGUMENT:=VALUE]...", help="As of it.")] = None,
    patience: Annotated[float, typer.Option(help="Seconds that nodes have to end before they are killed.")] = 5.0,
    show_args: Annotated[bool, typer.Option("--show-args", "-s", help="Only show which arguments there are.")] = False,
) -> int:
    """Start the nodes of a launch file as `ros2 launch robot_hearing NAME.launch.py` does; Ctrl-C ends them."""
    path = launch_file(name)
    try:
        from hearing_nodes.launch_files import declared
        from hearing_nodes.supervisor import bring_up
    except ImportError as error:
        raise InputError(f"{error}; this needs ROS 2: run `make setup`, or source a workspace") from error
    if show_args:
        for argument in declared(path):
            default = " (needed)" if argument.default_value is None else argument.default_value
            choices = f"; one of {', '.join(argument.choices)}" if argument.choices else ""
            print(f"{argument.name}:={default}\n    {argument.description}{choices}")
        return 0
    status: int = bring_up(path, given(arguments or []), patience)
    return status


def given(words: list[str]) -> dict[str, str]:
    """Return the values of arguments by name, from words like `namespace:=robot1`.

    Raises
    ------
    InputError
        If a word is of another form.
    """
    for word in words:
        if not word.partition(":=")[0].isidentifier() or ":=" not in word:
            raise InputError(f"{word!r} is no argument of a launch file; give NAME:=VALUE, see --show-args")
    return dict(word.split(":=", 1) for word in words)


def launch_file(name: str) -> Path:
    """Find a launch file by name, in the source tree or where it is installed.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    shares = [Path(prefix, "share") for prefix in (*_ament_prefixes(), sys.prefix)]
    folders = [Path(__file__).parents[1] / "launch", *(share / "robot_hearing" / "launch" for share in shares)]
    folder = next((folder for folder in folders if any(folder.glob(f"*{SUFFIX}"))), None)
    if folder is None:
        raise InputError("the launch files are not installed; install robot-hearing anew")
    path = folder / f"{name}{SUFFIX}"
    if not path.is_file():
        names = sorted(file.name.removesuffix(SUFFIX) for file in folder.glob(f"*{SUFFIX}"))
        raise InputError(f"there is no launch file {name}; give one of {', '.join(names)}")
    return path


def _ament_prefixes() -> list[str]:
    return [prefix for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
