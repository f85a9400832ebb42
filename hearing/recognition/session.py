"""How the recognizer's networks run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hearing.types import Float32Array

Memory = dict[str, Float32Array]
"""What a network is given again at its next step, by the names of its inputs."""


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Load an ONNX file to run on so many threads of the processor."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A plan of memory is only good for inputs of one length, and would be kept for every length that ever came.
    options.enable_mem_pattern = False
    # Threads that wait in a loop take the cores that the front end needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def empty_inputs(session: onnxruntime.InferenceSession, prefix: str) -> Memory:
    """Make what a network remembers before its first step: one batch, and nothing along axes of no fixed length."""
    return {
        entry.name: np.zeros([1 if n == "beam" else 0 if isinstance(n, str) else n for n in entry.shape], np.float32)
        for entry in session.get_inputs()
        if entry.name.startswith(prefix)
    }


def run_once(
    session: onnxruntime.InferenceSession, inputs: Mapping[str, NDArray[Any]], outputs: Mapping[str, Sequence[int]]
) -> list[Float32Array]:
    """Run on inputs that are rare and long: results are not held twice, and no memory is kept for the next run.

    Parameters
    ----------
    session
        What runs.
    inputs
        By name.
    outputs
        Their shapes, by name.

    Returns
    -------
    The outputs.
    """
    results = [np.empty(shape, np.float32) for shape in outputs.values()]
    binding = session.io_binding()
    for name, array in inputs.items():
        binding.bind_cpu_input(name, array)
    for name, array in zip(outputs, results, strict=True):
        binding.bind_ortvalue_output(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    session.run_with_iobinding(binding, options)
    return results
