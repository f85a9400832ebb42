"""The table of all parameters of all nodes, from the nodes themselves.

python -m hearing_nodes.parameter_table docs/parameters.md
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import rclpy
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.parameter import Parameter

from hearing_nodes.node import StageNode

PACKAGES = ("hearing_nodes", "hearing_gazebo")
HEAD = """# Parameters of the nodes

Made by `python -m hearing_nodes.parameter_table docs/parameters.md` from what the nodes declare; a test fails if it is
not current. `ros2 param describe NODE NAME` tells the same of a running node.

*When they may change*: **live** ones at any time, with effect from then on; **configure** ones are refused, with the
reason, while the node is configured (deactivate and clean it up, set them, configure and activate it); **start** ones
are fixed when the process starts. What is out of its range, or none of its choices, is refused at all times. Besides
these every node has `use_sim_time`.

| node | parameter | type | default | range or choices | may change | meaning |
|---|---|---|---|---|---|---|
"""

_TYPES = {
    Parameter.Type.BOOL: "bool",
    Parameter.Type.INTEGER: "int",
    Parameter.Type.DOUBLE: "float",
    Parameter.Type.STRING: "text",
    Parameter.Type.STRING_ARRAY: "texts",
    Parameter.Type.DOUBLE_ARRAY: "floats",
    Parameter.Type.INTEGER_ARRAY: "ints",
}


def stages() -> list[type[StageNode]]:
    """Find the classes of all nodes of the project's packages, in order of their modules' names."""
    found = []
    for package in PACKAGES:
        modules = {entry.name for entry in pkgutil.iter_modules(import_module(package).__path__)}
        for module in sorted(modules - {"bringup"}):  # it needs `launch`
            content = vars(import_module(f"{package}.{module}")).values()
            found += [kind for kind in content if isinstance(kind, type) and _is_stage(kind, f"{package}.{module}")]
    return found


def table() -> str:
    """Return the page as Markdown; `rclpy` has to be initialized, without overrides of parameters."""
    lines = []
    for stage in stages():
        node = stage()
        lines += _lines(node)
        node.destroy_node()
    return HEAD + "\n".join(lines) + "\n"


def _is_stage(kind: type, module: str) -> bool:
    return issubclass(kind, StageNode) and kind is not StageNode and kind.__module__ == module


def _lines(node: StageNode) -> Iterator[str]:
    names = sorted(name for name in node.list_parameters([], 0).names if _is_own(name))
    for name in names:
        parameter, descriptor = node.get_parameter(name), node.describe_parameter(name)
        change = "start" if descriptor.read_only else "live" if node.is_live(name) else "configure"
        cells = (
            f"`{node.get_name()}`",
            f"`{name}`",
            _TYPES[parameter.type_],
            _written(parameter.value),
            _valid(descriptor),
            change,
            descriptor.description,
        )
        yield f"| {' | '.join(cells)} |"


def _is_own(name: str) -> bool:
    """Tell the project's parameters from those that rclpy gives every node."""
    return name not in ("use_sim_time", "start_type_description_service") and not name.startswith("qos_overrides.")


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # Files that come with a package are named from its folder on: the page is the same wherever it is installed.
        package = next((package for package in PACKAGES if f"/{package}/" in value), "")
        named = f"{package}/{value.rpartition(f'/{package}/')[2]}" if package else value
        return f"`{named}`" if named else "empty"
    if isinstance(value, int | float):
        return f"{value:g}"
    return ", ".join(_written(item) for item in value if item != "") or "empty"


def _valid(descriptor: ParameterDescriptor) -> str:
    ranges = (*descriptor.floating_point_range, *descriptor.integer_range)
    if ranges:
        return f"{ranges[0].from_value:g} to {ranges[0].to_value:g}"
    return descriptor.additional_constraints


def main() -> None:
    """Write the page to the file that is named."""
    rclpy.init(args=[])
    try:
        Path(sys.argv[1]).write_text(table(), encoding="utf-8")
    finally:
        rclpy.shutdown()


if __name__ == "__main__":
    main()
