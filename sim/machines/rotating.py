"""Machines that rotate: recognisable by order lines, tones at multiples of the speed of a shaft."""

from __future__ import annotations

import numpy as np
from hearing_sim.machines.tools import (
    Clock,
    Rng,
    Signal,
    band_noise,
    low_noise,
    orders,
    phases,
    shaft_angle,
    slow_noise,
    unit,
)
from hearing_sim.scene import Machine

from hearing.types import SAMPLE_RATE


def motor(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Electric motor with a gear train: unbalance, rotor slots, two gear meshes with sidebands, bearing noise."""
    angle = shaft_angle(machine, 1470.0, clock, rng)
    mesh = 1 + 0.3 * np.cos(angle)
    tones = orders(angle, [1, 2, 3, 4, 5, 6], 0.5, rng)
    tones += 0.8 * orders(angle, [36, 72], 0.5, rng)
    tones += mesh * orders(angle, [17, 34, 51, 68], 1.0, rng)
    tones += 0.6 * mesh * orders(angle, [17 * 23 / 41, 2 * 17 * 23 / 41], 1.0, rng)
    return tones + 0.8 * mesh * low_noise(clock.n_samples, 0.9, rng)


def fan(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Fan: broadband flow noise, lines at the blade passing frequency (7 blades), slow turbulence."""
    angle = shaft_angle(machine, 980.0, clock, rng)
    turbulence = 1 + 0.15 * slow_noise(clock.n_samples, 2.0, rng)
    return turbulence * low_noise(clock.n_samples, 0.93, rng) + 0.4 * orders(angle, [7, 14, 21], 1.0, rng)


def compressor(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Reciprocating compressor: a thump and a hiss of the valves in every revolution, and many harmonics."""
    angle = shaft_angle(machine, 730.0, clock, rng)
    stroke: Signal = np.exp(4 * (np.cos(angle) - 1))
    hiss = stroke * rng.standard_normal(clock.n_samples)
    noise = 0.5 * low_noise(clock.n_samples, 0.97, rng)
    return orders(angle, list(range(1, 13)), 0.7, rng) + 1.5 * hiss + noise


def grinder(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Angle grinder: a bevel gear's whine that sinks under load, and the hiss of the disc on steel while it cuts."""
    contact = phases(clock, (0.8, 3.0), (0.4, 1.5), rng, ramp=0.15)
    angle = shaft_angle(machine, 6600.0, clock, rng)
    angle = angle - 0.06 * 2 * np.pi * np.cumsum(contact * (machine.speed_rpm or 6600.0) / 60) / SAMPLE_RATE
    whine = orders(angle, [1, 2, 11, 22, 33], 0.6, rng)
    chatter = 1 + 0.3 * np.cos(angle) + 0.2 * slow_noise(clock.n_samples, 12.0, rng)
    return 0.35 * whine * (1 + contact) + (0.15 + 1.6 * contact) * chatter * band_noise(
        clock.n_samples, 1500, 7000, rng
    )


def cnc(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Milling machine: spindle, four flutes of the tool while it cuts, coolant, and servo whine as the axes move."""
    cutting = phases(clock, (1.5, 4.0), (0.4, 1.2), rng, ramp=0.1)
    angle = shaft_angle(machine, 7200.0, clock, rng)
    flutes = orders(angle, [4, 8, 12, 16, 20], 0.4, rng) * (1 + 0.2 * np.cos(angle))
    # The axes travel while the tool does not cut: their servos sweep up and down again.
    travel = 1 - cutting
    servo = np.cos(2 * np.pi * np.cumsum(250 + 900 * travel) / SAMPLE_RATE) * travel * (1 - travel) * 4
    coolant = 0.35 * band_noise(clock.n_samples, 900, 6500, rng)
    spindle = 0.4 * orders(angle, [1, 2, 3], 0.5, rng)
    return spindle + 0.8 * unit(flutes) * cutting + 0.8 * servo + coolant
