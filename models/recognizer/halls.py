"""Halls on the device that trains: impulse responses of many random rooms at once.

The product's simulator (`hearing_sim`) takes seconds for a room; a graphics processor trains on fifty examples in a
tenth of one. Here early reflections are those of the image method (Allen and Berkley 1979, equation 10) in a box, and
what comes after them is noise that decays as fast. Tensors are named by their axes: B rooms, S sources, M microphones,
I images, K frequency bands, N taps.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from hearing.types import SAMPLE_RATE

SPEED_OF_SOUND = 343.0
TAPS = 16_384
"""Length of a response: one second."""
_GRID = 2
"""Arrivals are placed on a grid that is so many times as fine as the samples."""
_ONSET = 8
_ORDERS = (4, 4, 8)
"""Images along length, width and height on either side; rooms are low, so there are more of them above each other."""
_CROSSOVERS = (500.0, 2000.0)
_STRAY = 0.08
"""Metres that an image may be off its place along each axis: walls are not flat, and flat ones would ring."""
_DECAY = math.log(1e3)
KEPT = 256
"""Rooms that `Rooms` keeps to be heard again."""
FRESH = 0.2
"""Share of the rooms of a batch that are new."""


@dataclass(frozen=True, slots=True)
class Halls:
    """How rooms are drawn; intervals are drawn from evenly.

    Attributes
    ----------
    smallest, largest
        Length, width and height in metres.
    rt60
        Reverberation time in seconds at middle frequencies.
    distance
        From the microphones to a talker, in metres.
    radius
        Of a circle of microphones, in metres.
    """

    smallest: tuple[float, float, float] = (3.0, 3.0, 2.4)
    largest: tuple[float, float, float] = (25.0, 18.0, 8.0)
    rt60: tuple[float, float] = (0.2, 1.1)
    distance: tuple[float, float] = (0.4, 5.0)
    radius: tuple[float, float] = (0.03, 0.1)


class Rooms:
    """Responses of rooms that are heard several times: to draw a room takes longer than all that is played in it.

    Parameters
    ----------
    halls
        How rooms are drawn.
    n_talkers, n_machines, n_mics
        Sources in each of them, and microphones.
    generator
        Draws; what is kept is on its device.
    """

    def __init__(self, halls: Halls, n_talkers: int, n_machines: int, n_mics: int, generator: torch.Generator) -> None:
        self._halls, self._sizes, self._generator = halls, (n_talkers, n_machines, n_mics), generator
        shape = (KEPT, n_talkers + n_machines, n_mics, TAPS)
        self._kept = torch.zeros(shape, device=generator.device)
        self._drawn = 0

    def draw(self, number: int) -> Tensor:
        """Return responses of rooms, of shape (B, S, M, N): new ones first, then those that were heard before."""
        device = self._generator.device
        fresh = min(number if self._drawn < KEPT else math.ceil(number * FRESH), KEPT)
        new = draw_responses(self._halls, fresh, *self._sizes, self._generator)
        self._kept[(self._drawn + torch.arange(fresh, device=device)) % KEPT] = new
        self._drawn += fresh
        known = min(self._drawn, KEPT)
        old = torch.randint(known, (number - fresh,), generator=self._generator, device=device)
        return torch.cat([new, self._kept[old]])


def draw_responses(
    halls: Halls, n_rooms: int, n_talkers: int, n_machines: int, n_mics: int, generator: torch.Generator
) -> Tensor:
    """Draw rooms, and the responses from sources in them to microphones, of shape (B, S, M, N).

    Talkers come first; they turn to the microphones more or less. Machines are anywhere. See `responses`.
    """

    def between(bounds: tuple[float, float], *shape: int) -> Tensor:
        return bounds[0] + (bounds[1] - bounds[0]) * torch.rand(*shape, generator=generator, device=generator.device)

    low, high = (torch.tensor(size, device=generator.device) for size in (halls.smallest, halls.largest))
    room = low + (high - low) * between((0, 1), n_rooms, 1) ** 1.5 * between((0.5, 1), n_rooms, 3)
    # Curtains, furniture and the air swallow the highs, thin walls the lows.
    spread = torch.cat([between(band, n_rooms, 1) for band in ((0.7, 1.3), (1.0, 1.0), (0.4, 1.0))], dim=1)
    rt60 = (between(halls.rt60, n_rooms, 1) * spread).clamp(min=0.12)
    centre = room * between((0.15, 0.85), n_rooms, 3)
    centre[:, 2] = between((0.5, 1.7), n_rooms)
    turn = 2 * math.pi * (between((0, 1), n_rooms, 1) + torch.arange(n_mics, device=room.device) / n_mics)
    radius = between(halls.radius, n_rooms, 1)
    mics = centre[:, None] + torch.stack([radius * turn.cos(), radius * turn.sin(), 0 * turn], dim=2)
    distance, way = between(halls.distance, n_rooms, n_talkers), between((0, 2 * math.pi), n_rooms, n_talkers)
    talkers = centre[:, None] + torch.stack([distance * way.cos(), distance * way.sin(), 0 * way], dim=2)
    talkers[..., 2] = between((1.1, 1.9), n_rooms, n_talkers)
    sources = torch.cat([talkers, room[:, None] * between((0, 1), n_rooms, n_machines, 3)], dim=1)
    sources = torch.minimum(sources.clamp(min=0.1), room[:, None] - 0.1)
    # What a mouth that is turned away sends straight ahead lacks highs; what comes by the walls always does.
    facing = torch.ones(n_rooms, n_talkers + n_machines, 2, 3, device=room.device)
    facing[:, :n_talkers, 0, 2] = between((0.35, 1.0), n_rooms, n_talkers)
    facing[:, :n_talkers, 1, 1:] = between((0.5, 1.0), n_rooms, n_talkers, 2)
    return responses(room, rt60, sources, mics, facing, generator)


def responses(
    room: Tensor, rt60: Tensor, sources: Tensor, mics: Tensor, facing: Tensor, generator: torch.Generator
) -> Tensor:
    """Return the responses between points of rooms.

    Parameters
    ----------
    room
        Length, width and height in metres, of shape (B, 3).
    rt60
        Reverberation times in seconds below 500 Hz, up to 2 kHz and above, of shape (B, K).
    sources, mics
        Positions in metres, of shape (B, S, 3) and (B, M, 3).
    facing
        Gains of what arrives directly and of what arrives by the walls, of shape (B, S, 2, K).
    generator
        Draws the late part, and how far images are off their places.

    Returns
    -------
    Of shape (B, S, M, N): the direct sound of a source arrives at the first microphone at tap 8, and there the first 50
    ms carry unit energy.
    """
    signs, offsets, bounces = _lattice(str(room.device))
    images = sources[:, :, None] * signs + offsets * room[:, None, None]
    stray = torch.rand(images.shape, generator=generator, device=room.device) * 2 - 1
    images = images + _STRAY * stray * (bounces > 0)
    distance = torch.linalg.vector_norm(images[:, :, None] - mics[:, None, :, None], dim=-1)
    direct = torch.linalg.vector_norm(sources - mics[:, :1], dim=-1)
    volume, (length, width, height) = room.prod(dim=1), room.unbind(dim=1)
    surface = 2 * (length * width + width * height + length * height)
    # Eyring's formula, solved for the logarithm of the amplitude that a wall gives back.
    log_reflection = -0.5 * 0.161 * (volume / surface)[:, None] / rt60
    gain = torch.exp(log_reflection[:, None, None] * bounces)
    gain = gain * torch.where((bounces > 0), facing[:, :, 1, None], facing[:, :, 0, None])
    complete = ((2 * torch.tensor(_ORDERS, device=room.device) - 1) * room).amin(dim=1)
    heard = (distance < complete[:, None, None, None]) / distance.clamp(min=0.1)
    delay = (distance - direct[..., None, None]) / SPEED_OF_SOUND * SAMPLE_RATE + _ONSET
    early = _bands(_scattered(heard[..., None] * gain[:, :, None], delay), _GRID)
    ends = (complete[:, None] - direct) / SPEED_OF_SOUND * SAMPLE_RATE + _ONSET
    response = (early + _late(early, ends, rt60, generator)).sum(dim=3)
    energy = response[:, :, :1, : SAMPLE_RATE // 20].square().sum(dim=-1, keepdim=True)
    return response / (energy + 1e-12).sqrt()


@cache
def _lattice(device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return signs (I, 3) and offsets in rooms (I, 3) of all images, and how many walls each has met (I, 1)."""
    axes = [[(1 - 2 * p, 2 * n, abs(n - p) + abs(n)) for n in range(-k, k + 1) for p in (0, 1)] for k in _ORDERS]
    table = torch.tensor(list(itertools.product(*axes)), dtype=torch.float32, device=device)
    return table[..., 0], table[..., 1], table[..., 2].sum(dim=1, keepdim=True)


def _scattered(values: Tensor, delay: Tensor) -> Tensor:
    """Put arrivals (B, S, M, I, K) at delays in samples (B, S, M, I) on the fine grid: (B, S, M, K, grid N)."""
    taps, bands = _GRID * TAPS, values.shape[-1]
    place = delay * _GRID
    left = place.floor()
    share = (place - left)[..., None]
    inside = ((left >= 0) & (left < taps - 1))[..., None]
    row = torch.arange(left[..., 0].numel(), device=left.device).view(*left.shape[:-1], 1) * taps
    index = (row + left.clamp(0, taps - 2).long()).flatten()
    out = torch.zeros(left[..., 0].numel() * taps, bands, device=values.device)
    out.index_add_(0, index, (values * (1 - share) * inside).flatten(0, -2))
    out.index_add_(0, index + 1, (values * share * inside).flatten(0, -2))
    return out.view(*left.shape[:-1], taps, bands).transpose(-1, -2)


def _bands(signals: Tensor, grid: int) -> Tensor:
    """Cut signals (..., K, grid N) to a band each and to the sample rate: (..., K, N)."""
    spectra = torch.fft.rfft(signals)[..., : TAPS // 2 + 1]
    return torch.fft.irfft(spectra * _windows(str(signals.device)), n=TAPS)


@cache
def _windows(device: str) -> Tensor:
    """Return gains of the bands, of shape (K, N / 2 + 1), which add up to one; slopes are an octave wide."""
    octave = torch.log2(torch.linspace(0, SAMPLE_RATE / 2, TAPS // 2 + 1, device=device).clamp(min=1.0))
    above = [0.5 - 0.5 * torch.cos(math.pi * (octave - math.log2(f) + 0.5).clamp(0, 1)) for f in _CROSSOVERS]
    edges = [torch.ones_like(octave), *above, torch.zeros_like(octave)]
    return torch.stack([edges[k] - edges[k + 1] for k in range(len(edges) - 1)])


def _late(early: Tensor, ends: Tensor, rt60: Tensor, generator: torch.Generator) -> Tensor:
    """Go on where images end, (B, S) in samples, as loud as they were just before: noise of shape (B, S, M, K, N)."""
    noise = torch.randn(*early.shape[:3], 1, TAPS, generator=generator, device=early.device)
    noise = _bands(noise.expand_as(early), 1)
    noise = noise / noise.square().mean(dim=-1, keepdim=True).sqrt()
    tap = torch.arange(TAPS, device=early.device)
    ends = ends.clamp(max=0.9 * TAPS)[:, :, None, None, None]
    before = (tap > 0.75 * ends) & (tap <= ends)
    level = ((early.square() * before).sum(dim=-1, keepdim=True) / before.sum(dim=-1, keepdim=True)).sqrt()
    past = (tap - 0.875 * ends) / SAMPLE_RATE
    return noise * level * torch.exp(-_DECAY * past / rt60[:, None, None, :, None]) * (tap > ends)
