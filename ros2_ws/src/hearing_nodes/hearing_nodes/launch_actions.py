"""Stand-ins for the classes of ROS 2's `launch` that launch files of this project are made of, see `launch_files`."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hearing.errors import InputError

OWN_PACKAGES = ("hearing_nodes", "hearing_gazebo")
"""Their executables are modules, which run in this very Python."""


@dataclass(slots=True)
class Process:
    """What a launch file starts.

    Attributes
    ----------
    name
        Of the node with its namespace, or of the executable.
    command
        Its words.
    respawn, respawn_delay
        Whether it is started again after it has died, and how many seconds later.
    ends_all
        Whether all others are ended once it has ended.
    own
        Whether it is a node of this project.
    """

    name: str
    command: list[str]
    respawn: bool = False
    respawn_delay: float = 0.0
    ends_all: bool = False
    own: bool = False


class LaunchContext:
    """What is known while a launch file is evaluated.

    Attributes
    ----------
    launch_configurations
        Values of the arguments by name.
    declared
        The arguments that there are.
    processes
        What is to be started, with the actions that said so.
    files
        Folder for files of parameters.
    """

    def __init__(self, arguments: Mapping[str, str], files: Path) -> None:
        self.launch_configurations = dict(arguments)
        self.declared: dict[str, DeclareLaunchArgument] = {}
        self.processes: list[tuple[Action, Process]] = []
        self.files = files


class Action:
    """Something that a launch file does."""

    def execute(self, context: LaunchContext) -> None:
        """Do it."""


class LaunchDescription:
    """All that a launch file does, in its order."""

    def __init__(self, entities: Iterable[Action] = ()) -> None:
        self.entities = list(entities)


class DeclareLaunchArgument(Action):
    """Names an argument, and checks what is given for it."""

    def __init__(
        self,
        name: str,
        *,
        default_value: str | None = None,
        description: str = "",
        choices: Sequence[str] | None = None,
    ) -> None:
        self.name, self.default_value, self.description, self.choices = name, default_value, description, choices

    def execute(self, context: LaunchContext) -> None:
        """Take its default unless it is given."""
        context.declared[self.name] = self
        values = context.launch_configurations
        if self.name not in values:
            if self.default_value is None:
                raise InputError(f"{self.name}:= is missing ({self.description}); see --show-args")
            values[self.name] = self.default_value
        if self.choices and values[self.name] not in self.choices:
            raise InputError(f"{self.name}:={values[self.name]}: give one of {', '.join(self.choices)}")


class OpaqueFunction(Action):
    """Calls a function, and does what it returns."""

    def __init__(self, *, function: Callable[[LaunchContext], Iterable[Action] | None]) -> None:
        self._function = function

    def execute(self, context: LaunchContext) -> None:
        """Call it."""
        visit(self._function(context) or (), context)


class ExecuteProcess(Action):
    """Starts a process; where its output goes, and whether into a terminal, is not this one's business."""

    def __init__(
        self,
        *,
        cmd: Iterable[str] = (),
        name: str | None = None,
        respawn: bool = False,
        respawn_delay: float = 0.0,
        output: str = "screen",
        emulate_tty: bool = False,
    ) -> None:
        self._cmd, self._name = list(cmd), name
        self._respawn, self._delay = respawn, respawn_delay

    def command(self, context: LaunchContext) -> list[str]:
        """Return the words of its command."""
        if shutil.which(self._cmd[0]) is None:
            raise InputError(f"{self._cmd[0]} is not installed, which this launch file starts")
        return self._cmd

    def is_own(self) -> bool:
        """Tell whether it is a node of this project."""
        return False

    def title(self) -> str:
        """Return what it is called."""
        return self._name or Path(self._cmd[0]).name

    def execute(self, context: LaunchContext) -> None:
        """Note what is to be started."""
        process = Process(self.title(), self.command(context), self._respawn, self._delay, own=self.is_own())
        context.processes.append((self, process))


class Node(ExecuteProcess):
    """Starts a node."""

    def __init__(
        self,
        *,
        package: str,
        executable: str,
        name: str,
        namespace: str = "",
        parameters: Iterable[Mapping[str, Any] | ParameterFile] = (),
        remappings: Iterable[tuple[str, str]] = (),
        arguments: Iterable[str] = (),
        ros_arguments: Iterable[str] = (),
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        self._package, self._executable = package, executable
        self._namespace = f"/{namespace.strip('/')}"
        self._parameters, self._remappings = parameters, remappings
        self._arguments, self._ros_arguments = arguments, ros_arguments

    def command(self, context: LaunchContext) -> list[str]:
        """Return the words of its command."""
        words = [*_executable(self._package, self._executable), *self._arguments, "--ros-args", *self._ros_arguments]
        words += ["-r", f"__node:={self._name}", "-r", f"__ns:={self._namespace}"]
        for parameters in self._parameters:
            words += ["--params-file", _parameter_file(parameters, context)]
        for source, target in self._remappings:
            words += ["-r", f"{source}:={target}"]
        return words

    def is_own(self) -> bool:
        """Tell whether it is a node of this project."""
        return self._package in OWN_PACKAGES

    def title(self) -> str:
        """Return its name with its namespace."""
        return f"{self._namespace.rstrip('/')}/{self._name}"


class LifecycleNode(Node):
    """Starts a lifecycle node."""


@dataclass
class ParameterFile:
    """A file of parameters; in it `$(var NAME)` may stand for an argument, and `$(env NAME)` for a variable."""

    param_file: str | Path
    allow_substs: bool = False

    def path(self, context: LaunchContext) -> str:
        """Return the file, with its substitutions made."""
        try:
            content = Path(self.param_file).read_text(encoding="utf-8")
        except OSError as error:
            reason = f"the parameters cannot be read ({error.strerror}); check the path"
            raise InputError(f"{self.param_file}: {reason}") from error
        if not self.allow_substs or "$(" not in content:
            return str(self.param_file)

        def made(match: re.Match[str]) -> str:
            values = context.launch_configurations if match[1] == "var" else os.environ
            if match[2] not in values:
                raise InputError(f"{self.param_file}: {match[0]} is not known; give {match[2]}, or write its value")
            return values[match[2]]

        return _write(re.sub(r"\$\((var|env)\s+(\w+)\)", made, content), context)


@dataclass
class ParameterValue:
    """A parameter's value with its type."""

    value: str | bool | int | float
    value_type: type | None = None


@dataclass
class Shutdown:
    """The end of everything."""


@dataclass
class EmitEvent:
    """An action that makes something happen."""

    event: Shutdown


@dataclass
class OnProcessExit:
    """What is done when a process has ended."""

    target_action: Action
    on_exit: Sequence[EmitEvent]


@dataclass
class RegisterEventHandler(Action):
    """Ends everything at the end of a process, the only thing that is done at an end here."""

    event_handler: OnProcessExit

    def execute(self, context: LaunchContext) -> None:
        """Note it with the process."""
        for action, process in context.processes:
            if action is self.event_handler.target_action:
                process.ends_all = True


def visit(actions: Iterable[Action], context: LaunchContext) -> None:
    """Do what a launch file says, in its order."""
    for action in actions:
        action.execute(context)


def _executable(package: str, executable: str) -> list[str]:
    """Return how an executable of a package is started."""
    if package in OWN_PACKAGES:
        return [sys.executable, "-m", f"{package}.{executable.removesuffix('_node')}"]
    for prefix in filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)):
        path = Path(prefix, "lib", package, executable)
        if path.is_file():
            return [str(path)]
    raise InputError(f"{executable} of the package {package} is not installed; install it, or source its workspace")


def _parameter_file(parameters: Mapping[str, Any] | ParameterFile, context: LaunchContext) -> str:
    """Return a file of parameters: one that is given, or one that is written here."""
    if isinstance(parameters, ParameterFile):
        return parameters.path(context)
    values = {name: _value(parameter) for name, parameter in parameters.items()}
    return _write(yaml.safe_dump({"/**": {"ros__parameters": values}}), context)


def _value(parameter: Any) -> Any:
    """Return a parameter's value; text whose type is not said means what it means in YAML, as for `launch`."""
    if isinstance(parameter, ParameterValue):
        return parameter.value
    return yaml.safe_load(parameter) if isinstance(parameter, str) else parameter


def _write(content: str, context: LaunchContext) -> str:
    with tempfile.NamedTemporaryFile("w", dir=context.files, suffix=".yaml", delete=False, encoding="utf-8") as file:
        file.write(content)
    return file.name
