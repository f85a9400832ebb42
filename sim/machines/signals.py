"""What is meant to be heard: alarms, and a forklift with its reverse beeper."""

from __future__ import annotations

import numpy as np
from hearing_sim.machines.tools import Clock, Rng, Signal, low_noise, orders, phases, shaft_angle, unit
from hearing_sim.scene import Machine

from hearing.types import SAMPLE_RATE

BEEP_HZ, BEEP_PERIOD = 1250.0, 1.0
"""Pitch of a reverse beeper, and the seconds from one beep to the next; it sounds half of the time."""
ALARM_PATTERNS = ("two_tone", "sweep", "pulses")


def alarm(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Sounder: two tones in turn, a rising sweep, or pulses; the seed chooses which, and the pitch."""
    pattern = ALARM_PATTERNS[int(rng.integers(len(ALARM_PATTERNS)))]
    times = clock.times - clock.start
    base = rng.uniform(0.9, 1.1)
    if pattern == "two_tone":
        pitch, gate = base * np.where((2 * times) % 1 < 0.5, 800.0, 1000.0), np.ones_like(times)
    elif pattern == "sweep":
        pitch, gate = base * (500.0 + 700.0 * (1.2 * times % 1)), np.ones_like(times)
    else:
        pitch, gate = np.full_like(times, base * 2850.0), ((3 * times) % 1 < 0.5).astype(float)
    return _horn(pitch, gate)


def forklift(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Electric forklift: traction motor, pump of the lift, tyres, and a beeper while it reverses."""
    driving, lifting = phases(clock, (2.0, 6.0), (0.5, 2.0), rng, 0.5), phases(clock, (1.0, 2.5), (3.0, 7.0), rng, 0.3)
    angle = shaft_angle(machine, 1900.0, clock, rng)
    traction = orders(angle, [1, 2, 6, 12, 24], 0.5, rng) * (0.2 + driving)
    pump = orders(shaft_angle(Machine("pump", "motor"), 2600.0, clock, rng), [1, 7, 14, 21], 0.5, rng) * lifting
    tyres = low_noise(clock.n_samples, 0.96, rng) * (0.15 + driving)
    reversing = phases(clock, (3.0, 6.0), (3.0, 7.0), rng, 0.02) > 0.5
    gate = reversing & ((clock.times / BEEP_PERIOD) % 1 < 0.5)
    beeps = _horn(np.full(clock.n_samples, BEEP_HZ), gate.astype(float))
    return 0.5 * unit(traction) + 0.35 * unit(pump) + 0.5 * unit(tyres) + 1.3 * beeps


def _horn(pitch: Signal, gate: Signal) -> Signal:
    """Drive a membrane: a square-like wave of the pitch in Hz, switched by the gate without clicks."""
    smooth = np.convolve(gate, np.full(80, 1 / 80), mode="same")
    tone: Signal = smooth * np.tanh(3 * np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE))
    return tone
