"""Machines that strike, crackle and burst."""

from __future__ import annotations

import numpy as np
from hearing_sim.machines.tools import (
    Clock,
    Rng,
    Signal,
    band_noise,
    band_pass,
    impacts,
    low_noise,
    modes,
    orders,
    phases,
    shaft_angle,
    strokes,
    unit,
)
from hearing_sim.scene import Machine

from hearing.types import SAMPLE_RATE


def press(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Hydraulic press: the hum of a nine-tooth gear pump, a blow of the ram per stroke, oil let off after it."""
    period = 60 / (machine.speed_rpm or 28.0)
    onsets = strokes(clock, period, 0.008, rng)
    force = rng.uniform(0.8, 1.2, len(onsets))
    thump = modes(rng.uniform(45, 190, 5), rng.uniform(0.2, 0.5, 5), rng)
    clang = modes(rng.uniform(600, 3800, 9), rng.uniform(0.08, 0.35, 9), rng)
    blow = impacts(clock.n_samples, onsets, force, thump) + impacts(clock.n_samples, onsets, 0.5 * force, clang)
    release = np.exp(-np.arange(round(0.5 * SAMPLE_RATE)) / (0.12 * SAMPLE_RATE))
    let_off = (
        impacts(clock.n_samples, onsets + round(0.15 * period * SAMPLE_RATE), force, release) if len(onsets) else 0
    )
    pump = orders(
        shaft_angle(Machine("pump", "motor", speed_profile=()), 1470.0, clock, rng), [1, 9, 18, 27, 36], 0.6, rng
    )
    hiss = let_off * band_noise(clock.n_samples, 1200, 6000, rng)
    return unit(blow) + 0.25 * unit(pump) + 0.12 * hiss


def welder(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Arc welding: a buzz at twice the mains frequency, and droplets that crackle at random while the arc burns."""
    arc = phases(clock, (1.0, 4.0), (0.6, 2.0), rng, ramp=0.02)
    crackles = rng.poisson(180 / SAMPLE_RATE, clock.n_samples) * np.minimum(
        rng.lognormal(0.0, 0.8, clock.n_samples), 6.0
    )
    snap = modes([1900.0, 3400.0, 5200.0], [0.004, 0.003, 0.002], rng)
    crackle = impacts(clock.n_samples, np.arange(clock.n_samples), arc * crackles, snap)
    buzz = orders(2 * np.pi * 100 * clock.times, [1, 2, 3, 4, 5, 6, 7, 8], 0.4, rng)
    gas = band_noise(clock.n_samples, 2500, 7000, rng)
    return unit(crackle) + arc * (0.25 * unit(buzz) + 0.15 * gas) + 0.01 * gas


def conveyor(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Belt conveyor: rumbling rollers, the belt's joint that clacks over each of them, a roller that squeaks."""
    period = 60 / (machine.speed_rpm or 95.0)
    angle = shaft_angle(machine, 95.0, clock, rng)
    joint = modes(rng.uniform(250, 1500, 5), rng.uniform(0.03, 0.09, 5), rng)
    onsets = strokes(clock, period, 0.004, rng)
    clacks = impacts(clock.n_samples, onsets, rng.uniform(0.7, 1.3, len(onsets)), joint)
    rumble = low_noise(clock.n_samples, 0.98, rng) * (1 + 0.2 * np.cos(angle))
    squeak = np.maximum(np.cos(angle + rng.uniform(0, 6)), 0) ** 6 * np.cos(
        2 * np.pi * np.cumsum(rng.uniform(1700, 2500) + 60 * np.cos(angle)) / SAMPLE_RATE
    )
    return unit(rumble) + 0.8 * unit(clacks) + 0.25 * squeak


def air_burst(machine: Machine, clock: Clock, rng: Rng) -> Signal:
    """Compressed air: bursts that start at once, hiss, and die away, at odd intervals."""
    number = int(clock.duration / 1.2) + 2
    onsets = np.cumsum(rng.exponential(1.4, number) + 0.3) * SAMPLE_RATE
    onsets = onsets[onsets < clock.n_samples].astype(np.int64)
    if not len(onsets):
        onsets = np.array([0])
    length, decay = round(1.2 * SAMPLE_RATE), rng.uniform(0.08, 0.25)
    burst = np.minimum(np.arange(length) / 40, 1.0) * np.exp(-np.arange(length) / (decay * SAMPLE_RATE))
    envelope = impacts(clock.n_samples, onsets, rng.uniform(0.5, 1.0, len(onsets)), burst)
    whistle = band_pass(rng.standard_normal(clock.n_samples), 2800, 3600)
    return envelope * (band_noise(clock.n_samples, 1000, 7500, rng) + 0.5 * unit(whistle))
