"""Microphone array geometries: built-in ones by name, any other from a YAML file.

A geometry file holds `name` and `microphones`, a list of [x, y, z] in metres in the array frame (REP-103: x forward,
y left, z up), one row per channel in channel order.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from hearing.errors import InputError

SPEED_OF_SOUND = 343.0
"""Metres per second, in air of 20 degrees Celsius."""

MIN_MICROPHONES = 2
MIN_SPACING = 1e-3
MAX_APERTURE = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class MicrophoneArray:
    """Where the microphones are.

    Attributes
    ----------
    name
        What people call it.
    positions
        Float64 array of shape (n_microphones, 3), metres in the array frame.
    """

    name: str
    positions: NDArray[np.float64]

    @property
    def n_microphones(self) -> int:
        """Number of microphones, which is the number of audio channels."""
        return len(self.positions)

    @property
    def centred(self) -> NDArray[np.float64]:
        """Positions of shape (n_microphones, 3) relative to their mean, the phase centre of all processing."""
        centred: NDArray[np.float64] = self.positions - self.positions.mean(axis=0)
        return centred

    @property
    def aperture(self) -> float:
        """Largest distance between two microphones in metres."""
        difference = self.positions[:, None] - self.positions[None]
        return float(np.linalg.norm(difference, axis=-1).max())

    @property
    def axes(self) -> NDArray[np.float64]:
        """Orthonormal directions of shape (rank, 3) along which the array extends, longest first.

        Rank 1 is a line, which knows only the angle to its axis; rank 2 a plane, which cannot tell above from below;
        rank 3 resolves every direction.
        """
        _, extent, axes = np.linalg.svd(self.centred, full_matrices=False)
        significant: NDArray[np.float64] = axes[extent > 0.05 * extent[0]]
        return significant

    def delays(self, directions: NDArray[np.float64], distance: float | None = None) -> NDArray[np.float64]:
        """Arrival times relative to the phase centre.

        Parameters
        ----------
        directions
            Unit vectors of shape (..., 3) towards the sources.
        distance
            Metres from the phase centre to the sources, whose wave fronts are spheres; None for plane waves.

        Returns
        -------
        Seconds, of shape (..., n_microphones); negative where the wave arrives before it reaches the centre.
        """
        if distance is None:
            delays: NDArray[np.float64] = -(directions @ self.centred.T) / SPEED_OF_SOUND
            return delays
        ways = np.linalg.norm(distance * directions[..., None, :] - self.centred, axis=-1)
        curved: NDArray[np.float64] = (ways - distance) / SPEED_OF_SOUND
        return curved


def array_names() -> list[str]:
    """Names of the built-in geometries, sorted."""
    return sorted(entry.name[:-5] for entry in resources.files(__package__).iterdir() if entry.name.endswith(".yaml"))


def load_array(name_or_path: str | Path) -> MicrophoneArray:
    """Load a built-in geometry by name, or one of your own from a YAML file.

    Raises
    ------
    InputError
        If there is no such geometry, or the file does not describe one.
    """
    text = str(name_or_path)
    if text in array_names():
        source = resources.files(__package__).joinpath(f"{text}.yaml")
        return parse_array(yaml.safe_load(source.read_text()), text)
    path = Path(text)
    if path.suffix not in {".yaml", ".yml"} and not path.is_file():
        close = difflib.get_close_matches(text, array_names(), n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}? " if close else ""
        raise InputError(f"unknown array {text!r}: {hint}use one of {', '.join(array_names())}, or a .yaml file")
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}): check the path of the array file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a YAML file: write `name: ...` and `microphones: [[x, y, z], ...]`") from error
    return parse_array(content, str(path))


def parse_array(content: Any, where: str) -> MicrophoneArray:
    """Check a geometry that was read from YAML.

    Parameters
    ----------
    content
        What the YAML file holds.
    where
        Name of the source, for error messages.

    Raises
    ------
    InputError
        If it is not a geometry.
    """
    if not isinstance(content, dict) or "microphones" not in content:
        raise InputError(f"{where}: no `microphones`: write `microphones: [[x, y, z], ...]` in metres")
    try:
        positions = np.array(content["microphones"], dtype=np.float64)
    except (TypeError, ValueError):
        positions = np.empty(0)
    if positions.ndim != 2 or positions.shape[1] != 3 or not np.isfinite(positions).all():
        raise InputError(f"{where}: every microphone needs three finite numbers [x, y, z] in metres")
    if len(positions) < MIN_MICROPHONES:
        raise InputError(f"{where}: {len(positions)} microphone cannot localize: at least {MIN_MICROPHONES} are needed")
    array = MicrophoneArray(str(content.get("name") or Path(where).stem), positions)
    spacing = np.linalg.norm(positions[:, None] - positions[None], axis=-1)[~np.eye(len(positions), dtype=bool)]
    if spacing.min() < MIN_SPACING:
        raise InputError(f"{where}: two microphones are at the same place: check `microphones`")
    if array.aperture > MAX_APERTURE:
        raise InputError(f"{where}: the array is {array.aperture:.0f} m wide: positions are metres, not millimetres")
    return array
