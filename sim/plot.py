"""A look at a scene: its floor plan, what the first microphone hears, and who speaks when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hearing_sim.attention import way_of
from hearing_sim.ego import motion_states
from hearing_sim.scene import ROBOT, Scene
from hearing_sim.simulation import Simulation
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

DPI = 110
DYNAMIC_RANGE_DB = 70.0
ARROW = 0.6
"""Metres that the arrow of the array's heading is long."""
TURN_COLOUR, ADDRESSED_COLOUR, ROBOT_COLOUR, MACHINE_COLOUR = "tab:blue", "tab:orange", "tab:green", "0.45"
_STATE_SHADES = {"head_turning": "0.75", "driving": "0.5"}


def plot_simulation(scene: Scene, simulation: Simulation, path: Path) -> None:
    """Draw a scene as a PNG file.

    On the left is the floor plan with trajectories. On the right are the spectrogram of the first microphone, and below
    it on the same time axis a lane for each talker (orange where the robot is addressed), the robot, and each machine.
    The title gives the measured reverberation time and signal-to-noise ratio.

    Parameters
    ----------
    scene, simulation
        A scene and its simulation.
    path
        The file to write.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    figure = Figure(figsize=(15, 8), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(5, 8), height_ratios=(3, 2))
    spectrogram = figure.add_subplot(grid[0, 1])
    _floor_plan(figure.add_subplot(grid[:, 0]), scene)
    _spectrogram(spectrogram, simulation)
    _lanes(figure.add_subplot(grid[1, 1], sharex=spectrogram), scene, simulation)
    snr = "no speech or no machines" if simulation.snr_db is None else f"{simulation.snr_db:.1f} dB"
    figure.suptitle(
        f"{scene.name}: {scene.duration:g} s, {simulation.array.name}, RT60 {simulation.rt60:.2f} s measured, SNR {snr}"
    )
    try:
        figure.savefig(path, dpi=DPI)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another folder") from error


def _floor_plan(axes: Axes, scene: Scene) -> None:
    corners = np.array([*scene.room.corners, scene.room.corners[0]])
    axes.plot(*corners.T, color="black", linewidth=2)
    times = np.linspace(0, scene.duration, 400)
    for talker in scene.talkers:
        _way(axes, scene, talker.name, times, "o", "tab:blue")
    for machine in scene.machines:
        _way(axes, scene, machine.name, times, "s", MACHINE_COLOUR)
    _way(axes, scene, ROBOT, times, "^", ROBOT_COLOUR)
    marks = np.linspace(0, scene.duration, 9) if scene.array.pose.moving else np.zeros(1)
    origins, headings = scene.array.pose.origin(marks), scene.array.pose.yaw(marks)
    axes.quiver(
        *origins[:, :2].T, ARROW * np.cos(headings), ARROW * np.sin(headings),
        color=ROBOT_COLOUR, angles="xy", scale_units="xy", scale=1, width=0.006,
    )  # fmt: skip
    axes.set(aspect="equal", xlabel="x (m)", ylabel="y (m)", title="seen from above; hollow: where a path ends")
    axes.margins(0.08)


def _way(axes: Axes, scene: Scene, name: str, times: NDArray[np.float64], marker: str, colour: str) -> None:
    places = way_of(scene, name)(times)[:, :2]
    if np.ptp(places, axis=0).any():
        axes.plot(*places.T, color=colour, linewidth=1, linestyle=":")
        axes.plot(*places[-1], marker, color=colour, markerfacecolor="none")
    axes.plot(*places[0], marker, color=colour, markersize=8)
    axes.annotate(name, places[0], xytext=(7, 5), textcoords="offset points", fontsize=9)


def _spectrogram(axes: Axes, simulation: Simulation) -> None:
    signal = simulation.mixture[:, 0] + 1e-7
    *_, image = axes.specgram(signal, NFFT=512, Fs=SAMPLE_RATE, noverlap=256, cmap="magma")
    highest = image.get_array().max()
    image.set_clim(highest - DYNAMIC_RANGE_DB, highest)
    axes.set(ylabel="Hz", title="microphone 0")
    axes.tick_params(labelbottom=False)


def _lanes(axes: Axes, scene: Scene, simulation: Simulation) -> None:
    names = [talker.name for talker in scene.talkers]
    names += [ROBOT] if scene.robot.loudspeaker or scene.robot.ego_noise or scene.array.pose.moving else []
    names += [machine.name for machine in scene.machines]
    lane = {name: number for number, name in enumerate(names)}
    for placed in simulation.turns:
        addressed = ADDRESSED_COLOUR if placed.turn.to == ROBOT else TURN_COLOUR
        colour = ROBOT_COLOUR if placed.turn.talker == ROBOT else addressed
        row = lane[placed.turn.talker]
        (bar,) = axes.barh(row, placed.end - placed.start, 0.7, left=placed.start, color=colour, alpha=0.75)
        axes.text(placed.start, row, f" {placed.text}", fontsize=7, va="center", clip_on=True).set_clip_path(bar)
    for machine in scene.machines:
        spans = [(start, end - start) for start, end in machine.on or ((0.0, scene.duration),)]
        axes.broken_barh(spans, (lane[machine.name] - 0.2, 0.4), color=MACHINE_COLOUR, alpha=0.6)
    if ROBOT in lane:
        times = np.arange(0, scene.duration, 0.1)
        states = motion_states(scene, times)
        for state, shade in _STATE_SHADES.items():
            spans = [(float(time), 0.1) for time in times[states == state]]
            axes.broken_barh(spans, (lane[ROBOT] - 0.48, 0.12), color=shade)
    axes.set(yticks=range(len(names)), yticklabels=names, xlim=(0, scene.duration), xlabel="time (s)")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
