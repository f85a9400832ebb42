"""Rooms: their walls, how fast sound decays in them, and where their walls mirror a source (with pyroomacoustics)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyroomacoustics as pra
from hearing_sim.scene import Room
from hearing_sim.schema import check_choice
from numpy.typing import NDArray
from pyroomacoustics.parameters import Physics
from scipy.optimize import brentq
from scipy.spatial import cKDTree

from hearing.arrays import SPEED_OF_SOUND
from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

FloatArray = NDArray[np.float64]

OCTAVES = np.array([125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0])
"""Centre frequencies in Hz of the bands in which walls and air absorb."""
AIR = np.array(Physics(temperature=20, humidity=50).get_air_absorption()["coeffs"])
"""Energy that a metre of air absorbs, per octave band, at 20 degrees and 50 % relative humidity."""
MAX_POLYGON_ORDER = 3
"""A polygon's images multiply with every reflection; what more reflections bring is left to the late reverberation."""

_SHOEBOX_WALLS = ("south", "east", "north", "west")
_EYRING = 24 * math.log(10) / SPEED_OF_SOUND
_SAME_PLACE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Reflections:
    """Where the walls mirror a source: its images are `linear @ position + offset`, the source itself among them.

    Attributes
    ----------
    linear, offset
        Arrays of shape (n_images, 3, 3) and (n_images, 3) in metres: products of mirrorings.
    damping
        Share of the amplitude that the walls leave, of shape (n_images, n_octaves).
    visibility
        1 where the receiver sees the image, else 0, of shape (n_places, n_images).
    """

    linear: FloatArray
    offset: FloatArray
    damping: FloatArray
    visibility: FloatArray


class RoomAcoustics:
    """The acoustics of a room.

    Parameters
    ----------
    room
        Its shape, materials and reverberation time. Absorption is scaled, octave by octave, until Eyring's formula with
        the absorption of air gives that time, as long as air alone leaves it.

    Attributes
    ----------
    volume, surface
        In cubic and square metres.
    rt60
        Reverberation time in seconds of each octave band, of shape (n_octaves,); 0 for a room without reflections.
    mixing_time
        Seconds after the direct sound from which on reflections are too many to be told apart.

    Raises
    ------
    InputError
        If there is no such material, or no material gives this room the reverberation time.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._anechoic = room.rt60 == 0
        bare = self._build(np.full((len(room.corners) + 2, len(OCTAVES)), 0.5), max_order=0)
        areas = np.array([wall.area() for wall in bare.walls])
        self.volume, self.surface = float(bare.get_volume()), float(areas.sum())
        if self._anechoic:
            self.rt60 = np.zeros(len(OCTAVES))
            self.mixing_time = 0.0
            return
        self._absorption = self._wall_absorption(areas)
        mean = areas @ self._absorption / self.surface
        self.rt60 = _EYRING * self.volume / (-self.surface * np.log1p(-mean) + 4 * AIR * self.volume)
        # Lindau, Kosanke & Weinzierl (2012), equation 15: the perceptual mixing time of rooms, on average.
        self.mixing_time = (20 * self.volume / self.surface + 12) / 1000

    @property
    def reverberant_gain(self) -> float:
        """Power of the reverberation of a steady source whose power at 1 m in free field is 1, broadband."""
        return 4 * np.pi * SPEED_OF_SOUND / self.volume * float(self.rt60.mean()) / (6 * math.log(10))

    def reflections(self, sources: FloatArray, receivers: FloatArray) -> Reflections:
        """Find the images of a source that moves that a receiver gets before the mixing time.

        Parameters
        ----------
        sources, receivers
            Places on their ways at the same times, of shape (n_places, 3) in metres in the room.
        """
        identity = np.eye(3)[None]
        if self._anechoic:
            return Reflections(identity, np.zeros((1, 3)), np.ones((1, len(OCTAVES))), np.ones((len(sources), 1)))
        reach = np.linalg.norm(sources - receivers, axis=1) + SPEED_OF_SOUND * self.mixing_time
        if self._room.size is not None:
            linear, offset, damping = self._mirror_shoebox(sources[0], float(reach.max()))
            visibility = np.ones((len(sources), len(linear)))
        else:
            linear, offset, damping, visibility = self._mirror_polygon(sources, receivers)
        images = np.einsum("nij,kj->kni", linear, sources) + offset
        heard = visibility * (np.linalg.norm(images - receivers[:, None], axis=2) < reach[:, None])
        kept = heard.any(axis=0)
        return Reflections(linear[kept], offset[kept], damping[kept], visibility[:, kept])

    def _build(self, absorption: FloatArray, max_order: int) -> pra.Room:
        """Build the room with absorptions of shape (n_walls, n_octaves) in pyroomacoustics' order of walls."""
        materials = [pra.Material({"coeffs": list(row), "center_freqs": list(OCTAVES)}) for row in absorption]
        if self._room.size is not None:
            named = dict(zip(("west", "east", "south", "north", "floor", "ceiling"), materials, strict=True))
            return pra.ShoeBox(self._room.size, fs=SAMPLE_RATE, max_order=max_order, materials=named)
        corners = np.array(self._room.corners).T
        room = pra.Room.from_corners(corners, fs=SAMPLE_RATE, max_order=max_order, materials=materials[:-2])
        room.extrude(self._room.ceiling, materials={"floor": materials[-2], "ceiling": materials[-1]})
        return room

    def _wall_absorption(self, areas: FloatArray) -> FloatArray:
        """Return the share of energy that every wall absorbs, of shape (n_walls, n_octaves)."""
        absorption = np.clip(self._material_absorption(), 1e-3, 0.99)
        if self._room.rt60 is None:
            return absorption
        # Eyring (1930) solved for what the walls have to absorb; each one's share grows by the same exponent.
        wanted = (_EYRING * self.volume / self._room.rt60 - 4 * AIR * self.volume) / self.surface
        if wanted[2] <= 0.005 or wanted[2] > 3:
            change = "raise" if wanted[2] > 3 else "lower"
            raise InputError(
                f"room: no walls give {self.volume:.0f} m3 an rt60 of {self._room.rt60:g} s; {change} rt60"
            )
        scaled = np.empty_like(absorption)
        for band, target in enumerate(np.maximum(wanted, 0.002)):
            decay = -np.log1p(-absorption[:, band])

            def excess(exponent: float, decay: FloatArray = decay, target: float = target) -> float:
                return float(-np.log(areas @ np.exp(-exponent * decay) / self.surface) - target)

            scaled[:, band] = -np.expm1(-brentq(excess, 0.0, target / decay.min() + 1.0) * decay)
        return scaled

    def _material_absorption(self) -> FloatArray:
        """Return the absorption of the walls' materials, of shape (n_walls, n_octaves)."""
        known = [name for group in pra.materials_data["absorption"].values() for name in group]
        room = self._room
        if room.size is not None:
            walls = ["west", "east", "south", "north", "floor", "ceiling"]
        else:
            walls = [f"wall_{i}" for i in range(1, len(room.corners) + 1)] + ["floor", "ceiling"]
        for wall, material in room.materials.items():
            check_choice(f"room.materials: wall {wall!r}", wall, ["walls", *walls])
            check_choice(f"room.materials: {material!r}", material, known)
        rows = []
        for wall in walls:
            general = room.materials.get("walls") if wall not in ("floor", "ceiling") else None
            name = room.materials.get(wall, general)
            if name is None and room.rt60 is None:
                raise InputError(f"room.materials lacks {wall!r}, and there is no rt60 to choose by; add either")
            coefficients = pra.Material(name).absorption_coeffs if name is not None else [0.3] * len(OCTAVES)
            # Materials of lists without the highest octaves keep their last value there.
            rows.append((list(coefficients) + [coefficients[-1]] * len(OCTAVES))[: len(OCTAVES)])
        return np.array(rows)

    def _mirror_shoebox(self, source: FloatArray, reach: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mirror by the lattice of Allen & Berkley (1979)."""
        order = math.ceil(reach / min(self._room.size or (1.0,))) + 1
        room = self._build(self._absorption, max_order=order)
        room.add_source(source)
        room.add_microphone(source + 0.01)
        room.image_source_model()
        found = room.sources[0]
        signs = np.where(found.orders_xyz.T % 2 == 0, 1.0, -1.0)
        linear = signs[:, :, None] * np.eye(3)
        return linear, found.images.T - signs * source, found.damping.T.astype(np.float64)

    def _mirror_polygon(
        self, sources: FloatArray, receivers: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Mirror at all sequences of walls, and ask pyroomacoustics at every place which of the images are seen."""
        room = self._build(self._absorption, max_order=MAX_POLYGON_ORDER)
        linear, offset = _mirrorings(room.walls, MAX_POLYGON_ORDER)
        damping = np.ones((len(linear), len(OCTAVES)))
        visibility = np.zeros((len(sources), len(linear)))
        for place, (source, receiver) in enumerate(zip(sources, receivers, strict=True)):
            room = self._build(self._absorption, max_order=MAX_POLYGON_ORDER)
            room.add_source(source)
            room.add_microphone(receiver)
            room.image_source_model()
            found = room.sources[0]
            if not room.visibility[0].any():
                continue
            distance, match = cKDTree(linear @ source + offset).query(found.images.T)
            seen = (room.visibility[0][0] > 0) & (distance < _SAME_PLACE)
            damping[match[seen]] = found.damping.T[seen]
            visibility[place, match[seen]] = 1.0
        return linear, offset, damping, visibility


def measure_rt60(responses: FloatArray) -> float:
    """Measure the reverberation time of impulse responses of shape (n, n_taps) in seconds.

    Their energies are summed before Schroeder's backward integration (1965); the decay is taken between -5 and
    -35 dB.
    """
    energy = np.sum(responses**2, axis=0)
    decay = np.cumsum(energy[::-1])[::-1]
    level = 10 * np.log10(np.maximum(decay / decay[0], 1e-12))
    fitted = (level <= -5) & (level >= -35)
    if fitted.sum() < 2:
        return 0.0
    slope = np.polyfit(np.flatnonzero(fitted) / SAMPLE_RATE, level[fitted], 1)[0]
    return float(-60 / slope)


def _mirrorings(walls: list[pra.wall_factory], max_order: int) -> tuple[FloatArray, FloatArray]:
    """Return the maps (linear, offset) of all sequences of up to `max_order` walls; equal ones only once."""
    normals = np.array([wall.normal for wall in walls], dtype=np.float64)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = np.array([wall.corners[:, 0] for wall in walls], dtype=np.float64)
    # Householder (1958): a point is mirrored by I - 2 n n', and moved by twice the wall's distance along its normal.
    mirrors = np.eye(3) - 2 * normals[:, :, None] * normals[:, None, :]
    shifts = 2 * np.sum(points * normals, axis=1, keepdims=True) * normals
    linear, offset = [np.eye(3)[None]], [np.zeros((1, 3))]
    for _ in range(max_order):
        linear.append(np.einsum("wij,njk->nwik", mirrors, linear[-1]).reshape(-1, 3, 3))
        offset.append((np.einsum("wij,nj->nwi", mirrors, offset[-1]) + shifts).reshape(-1, 3))
    maps = np.concatenate([np.concatenate(linear).reshape(-1, 9), np.concatenate(offset)], axis=1)
    _, first = np.unique(maps.round(4), axis=0, return_index=True)
    first.sort()
    return maps[first, :9].reshape(-1, 3, 3), maps[first, 9:]
