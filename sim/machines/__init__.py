"""Machines and backgrounds: parametric models by the mechanism that makes each sound, and recordings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hearing_sim.machines.backgrounds import background_signals
from hearing_sim.machines.impacts import air_burst, conveyor, press, welder
from hearing_sim.machines.recorded import recorded_noise
from hearing_sim.machines.rotating import cnc, compressor, fan, grinder, motor
from hearing_sim.machines.signals import alarm, forklift
from hearing_sim.machines.tools import Clock, Signal, running
from hearing_sim.machines.voices import announcement, radio
from hearing_sim.scene import Machine

__all__ = ["KINDS", "background_signals", "machine_signal"]

_Model = Callable[[Machine, Clock, np.random.Generator], Signal]

KINDS: dict[str, _Model] = {
    "motor": motor,
    "fan": fan,
    "compressor": compressor,
    "press": press,
    "grinder": grinder,
    "cnc": cnc,
    "welder": welder,
    "conveyor": conveyor,
    "forklift": forklift,
    "air_burst": air_burst,
    "alarm": alarm,
    "announcement": announcement,
    "radio": radio,
    "recording": recorded_noise,
}


def machine_signal(machine: Machine, start: float, n_samples: int, rng: np.random.Generator) -> Signal:
    """Make the sound of a machine.

    Parameters
    ----------
    machine
        What it is, how fast, and when it runs.
    start
        Scene time in seconds of the first sample; negative for what sounds before the scene.
    n_samples
        How much.
    rng
        Source of everything that differs between two machines of the same make.

    Returns
    -------
    Array of shape (n_samples,) with root mean square 1 over the time it runs, and silent elsewhere.

    Raises
    ------
    InputError
        If the recording it names is not in the data kit.
    """
    clock = Clock(start, n_samples)
    on = running(machine, clock)
    signal = on * KINDS[machine.kind](machine, clock, rng)
    power = np.sum(signal**2) / max(np.count_nonzero(on), 1)
    normalized: Signal = signal / np.sqrt(max(power, 1e-12))
    return normalized
