"""The way of sound from a source to the microphones, both of which may move.

Every image of the source is heard with its own delay and gain. Where nothing moves they make an impulse response; where
something moves the signal is read at times that run with the delay, which is the Doppler effect and has no clicks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hearing_sim.directivity import CROSSOVER, body_detour, body_gain, talker_gain, talker_power
from hearing_sim.motion import Pose, Trajectory
from hearing_sim.reverberation import DiffuseField, early_weight
from hearing_sim.room import OCTAVES, Reflections, RoomAcoustics
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import firwin, oaconvolve, upfirdn

from hearing.arrays import SPEED_OF_SOUND
from hearing.types import SAMPLE_RATE

FloatArray = NDArray[np.float64]
Facing = Callable[[FloatArray], FloatArray]
"""Unit vectors of shape (n_times, 3) in the room in which a source faces, at times of shape (n_times,) in seconds."""

CONTROL = 64
"""Samples from one exact delay to the next; between them it runs linearly."""
CHUNK = 64 * CONTROL
"""Samples that are rendered at once."""
OVERSAMPLING = 4
"""Cubic interpolation in a signal of four times the rate is exact to -60 dB up to 4 kHz and -40 dB up to 8 kHz."""
KNOT_DISTANCE = 0.5
KNOT_ANGLE = np.radians(20.0)
"""Metres, and radians, that a source or the array may move before the late reverberation is another one."""
STANDSTILL = 1e-3
"""Metres, and size of a unit vector's turn, below which nothing has moved."""
MIN_DISTANCE = 0.05
"""Metres within which a source gets no louder: nothing is a point."""

_INTERPOLATOR = firwin(OVERSAMPLING * 48 + 1, 0.97 / OVERSAMPLING, window=("kaiser", 7.0)) * OVERSAMPLING
_LOW_PASS = firwin(65, CROSSOVER, fs=SAMPLE_RATE)
_HIGH_OCTAVES = OCTAVES > CROSSOVER
_BANDS = (~_HIGH_OCTAVES & (OCTAVES > 200), _HIGH_OCTAVES)


@dataclass(frozen=True, slots=True, eq=False)
class Receiver:
    """The microphones of an array that may move.

    Attributes
    ----------
    pose
        Where the array frame is.
    microphones
        Positions in the array frame, of shape (n_microphones, 3) in metres.
    delays
        Of the microphones, of shape (n_microphones,) in seconds.
    body_radius
        Of the body that carries them, or None.
    """

    pose: Pose
    microphones: FloatArray
    delays: FloatArray
    body_radius: float | None = None

    def positions(self, times: FloatArray) -> FloatArray:
        """Return positions in the room, of shape (n_times, n_microphones, 3)."""
        return self.pose.to_room(self.microphones, times[:, None])

    def outward(self, times: FloatArray) -> FloatArray:
        """Return unit vectors in the room from the array's middle to the microphones; up for one in the middle."""
        centred = self.microphones - self.microphones.mean(axis=0)
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        outward = np.where(length > 1e-4, centred / np.maximum(length, 1e-9), [0.0, 0.0, 1.0])
        return self.pose.to_room(outward, times[:, None]) - self.pose.origin(times)[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class PointSource:
    """Something that sounds from a place.

    Attributes
    ----------
    trajectory
        Where it is.
    facing
        Where it faces, if it radiates forward like a talker.
    seed
        Of its late reverberation.
    """

    trajectory: Trajectory
    facing: Facing | None = None
    seed: tuple[int, ...] = (0,)


class SoundField:
    """What microphones hear of the sources in a room.

    Parameters
    ----------
    acoustics
        The room.
    receiver
        The microphones.
    """

    def __init__(self, acoustics: RoomAcoustics, receiver: Receiver) -> None:
        self._acoustics = acoustics
        self._receiver = receiver
        self._diffuse = DiffuseField(receiver.microphones)

    def hear(self, source: PointSource, signal: FloatArray, onset: int, out: FloatArray) -> None:
        """Add what the microphones hear of a signal.

        Parameters
        ----------
        source
            Where it comes from.
        signal
            Pressure at 1 m straight ahead, of shape (n_samples,).
        onset
            Index in `out` at which the signal's first sample is emitted; may be negative.
        out
            Array of shape (n_out, n_microphones) that is added to.
        """
        times = np.arange(onset, onset + len(signal) + SAMPLE_RATE // 10, CONTROL) / SAMPLE_RATE
        ways = [source.trajectory.at(times), self._receiver.positions(times)]
        ways += [source.facing(times)] if source.facing is not None else []
        if any(np.ptp(way, axis=0).max() > STANDSTILL for way in ways):
            self._hear_moving(source, signal, onset, out)
        else:
            _add(out, oaconvolve(signal[:, None], self.response(source, float(times[0])), axes=0), onset)

    def response(self, source: PointSource, time: float) -> FloatArray:
        """Return the impulse responses at a time, of shape (n_taps, n_microphones); the first tap is the emission."""
        times = np.array([time])
        delays, gains = self._paths(source, self._reflections(source, times), times)
        early = _impulses(delays[0], gains[0])
        if self._acoustics.mixing_time == 0:
            return early
        late = self._late(source, time, np.random.default_rng(source.seed))
        response = np.zeros((max(len(early), len(late)), early.shape[1]))
        response[: len(early)] += early
        response[: len(late)] += late
        return response

    def _hear_moving(self, source: PointSource, signal: FloatArray, onset: int, out: FloatArray) -> None:
        knots = self._knots(source, onset, len(signal))
        reflections = self._reflections(source, knots)
        first, last = max(0, onset), min(len(out), onset + len(signal) + _LONGEST_WAY)
        bands = _oversampled_bands(signal)
        for start in range(first, last, CHUNK):
            stop = min(start + CHUNK, last)
            times = (start + np.arange(0, stop - start + CONTROL, CONTROL)) / SAMPLE_RATE
            visible = Reflections(
                reflections.linear, reflections.offset, reflections.damping, _at(reflections.visibility, knots, times)
            )
            delays, gains = self._paths(source, visible, times)
            out[start:stop] += _read(bands, start - onset, stop - start, delays, gains)
        if self._acoustics.mixing_time > 0:
            for number, (weight, time) in enumerate(zip(_crossfades(knots, onset, len(signal)), knots, strict=True)):
                rng = np.random.default_rng((*source.seed, number))
                used = np.flatnonzero(weight)
                part = slice(used[0], used[-1] + 1)
                late = self._late(source, float(time), rng)
                _add(out, oaconvolve((weight * signal)[part, None], late, axes=0), onset + part.start)

    def _knots(self, source: PointSource, onset: int, n_samples: int) -> FloatArray:
        """Return times in seconds between which neither source nor array moves or turns by more than a knot."""
        times = (onset + np.linspace(0, n_samples, max(2, n_samples // (4 * CONTROL)))) / SAMPLE_RATE
        moved = [source.trajectory.at(times), self._receiver.pose.origin(times)]
        way = sum(np.linalg.norm(np.diff(places, axis=0), axis=1) for places in moved) / KNOT_DISTANCE
        way = np.cumsum(way + np.abs(np.diff(self._receiver.pose.yaw(times))) / KNOT_ANGLE)
        number = max(2, int(np.ceil(way[-1])) + 1)
        knots: FloatArray = (
            np.interp(np.linspace(0, way[-1], number), way, times[1:]) if way[-1] > 0 else times[[0, -1]]
        )
        knots[0], knots[-1] = times[0], times[-1]
        return knots

    def _reflections(self, source: PointSource, times: FloatArray) -> Reflections:
        return self._acoustics.reflections(source.trajectory.at(times), self._receiver.pose.origin(times))

    def _late(self, source: PointSource, time: float, rng: np.random.Generator) -> FloatArray:
        distance = np.linalg.norm(source.trajectory.at(time) - self._receiver.pose.origin(time))
        onset = float(distance) / SPEED_OF_SOUND + self._acoustics.mixing_time
        power = talker_power() if source.facing is not None else np.ones(2)
        return self._diffuse.reverberation(self._acoustics, onset, power[_HIGH_OCTAVES.astype(int)], rng)

    def _paths(self, source: PointSource, images: Reflections, times: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return delays in samples and gains, of shape (n_times, n_images, n_microphones) and (..., 2), at arrival."""
        microphones = self._receiver.positions(times)[:, None]

        def places(emitted: FloatArray) -> FloatArray:
            turned = np.einsum("nij,tnmj->tnmi", images.linear, source.trajectory.at(emitted))
            return turned + images.offset[:, None]

        # Sound that arrives now was emitted a delay ago, when the source was elsewhere; two steps settle it.
        delay = np.zeros((len(times), len(images.linear), microphones.shape[2]))
        for _ in range(3 if source.trajectory.moving else 1):
            way = microphones - places(times[:, None, None] - delay)
            distance = np.maximum(np.linalg.norm(way, axis=-1), MIN_DISTANCE)
            delay = distance / SPEED_OF_SOUND
        way /= distance[..., None]
        damping = np.stack([images.damping[:, band].mean(axis=1) for band in _BANDS], axis=-1)
        gains = (damping * images.visibility[..., None])[:, :, None] / distance[..., None]
        if source.facing is not None:
            facing = np.einsum("nij,tj->tni", images.linear, source.facing(times))
            gains = gains * talker_gain(np.einsum("tnmi,tni->tnm", way, facing))
        if self._receiver.body_radius is not None:
            cos_angle = -np.einsum("tnmi,tmi->tnm", way, self._receiver.outward(times))
            gains = gains * body_gain(cos_angle)
            delay = delay + body_detour(cos_angle, self._receiver.body_radius) / SPEED_OF_SOUND
        delay = delay + self._receiver.delays
        if self._acoustics.mixing_time > 0:
            direct = np.linalg.norm(source.trajectory.at(times) - self._receiver.pose.origin(times), axis=-1)
            onset = direct / SPEED_OF_SOUND + self._acoustics.mixing_time
            gains = gains * early_weight(delay - onset[:, None, None])[..., None]
        return delay * SAMPLE_RATE, gains


_LONGEST_WAY = SAMPLE_RATE // 2
"""Samples for which single reflections of a signal are still looked for after its end."""


def split_bands(signal: FloatArray) -> FloatArray:
    """Split a signal (n_samples,) at the crossover into two, of shape (2, n_samples), that add up to it."""
    low = oaconvolve(signal, _LOW_PASS, mode="same") if len(signal) > len(_LOW_PASS) else signal * 1.0
    return np.stack([low, signal - low])


def _impulses(delays: FloatArray, gains: FloatArray) -> FloatArray:
    """Turn delays in samples (n_images, n_microphones) and gains (..., 2) into responses (n_taps, n_microphones).

    There may be no image: in a room with corners a way can begin where nothing is seen before the mixing time.
    """
    lead = len(_LOW_PASS) // 2
    n_microphones = delays.shape[1]
    n_fine = OVERSAMPLING * (int(np.ceil(delays.max(initial=0.0))) + 2 * lead + 2)
    fine = np.zeros((2, n_microphones, n_fine))
    position = OVERSAMPLING * (delays + lead)
    whole = np.floor(position).astype(np.int64)
    channel = np.arange(n_microphones) * n_fine
    for tap, weight in enumerate(_cubic(position - whole), -1):
        for band in range(2):
            flat = np.bincount((whole + tap + channel).ravel(), (weight * gains[..., band]).ravel(), fine[band].size)
            fine[band] += flat.reshape(n_microphones, n_fine)
    half = len(_INTERPOLATOR) // 2
    coarse = upfirdn(_INTERPOLATOR, fine, up=1, down=1, axis=-1)[..., half::OVERSAMPLING][..., : n_fine // OVERSAMPLING]
    low, high = coarse
    filtered = oaconvolve(low - high, _LOW_PASS[None], mode="same", axes=-1) + high
    return np.ascontiguousarray(filtered[:, lead:].T)


def _oversampled_bands(signal: FloatArray) -> NDArray[np.float32]:
    """Return both bands at OVERSAMPLING times the rate with `CHUNK` samples of silence around, of shape (n, 2)."""
    half = len(_INTERPOLATOR) // 2
    fine = upfirdn(_INTERPOLATOR, split_bands(signal), up=OVERSAMPLING, axis=-1)[:, half:]
    silence = ((0, 0), (OVERSAMPLING * CHUNK, OVERSAMPLING * (CHUNK + _LONGEST_WAY)))
    return np.ascontiguousarray(np.pad(fine, silence).T.astype(np.float32))


def _read(bands: NDArray[np.float32], start: int, n_samples: int, delays: FloatArray, gains: FloatArray) -> FloatArray:
    """Read an oversampled signal with running delays.

    Parameters
    ----------
    bands
        From `_oversampled_bands`.
    start, n_samples
        First sample to make, counted from the signal's first one, and how many.
    delays, gains
        In samples at every CONTROL-th sample, of shape (n_times, n_images, n_microphones) and (..., 2).

    Returns
    -------
    Array of shape (n_samples, n_microphones).
    """
    n_images, n_microphones = delays.shape[1:]
    between = np.linspace(0, 1, CONTROL, endpoint=False)[:, None]
    samples = (start + CHUNK + np.arange((len(delays) - 1) * CONTROL, dtype=np.float64)).reshape(-1, CONTROL, 1)
    between32 = between.astype(np.float32)[..., None]
    total = np.zeros((len(delays) - 1, CONTROL, n_microphones), dtype=np.float32)
    windows = sliding_window_view(bands, 4, axis=0)
    last = len(windows) - 1
    for image in range(n_images):
        gain = gains[:, image].astype(np.float32)[:, None]
        if not gain.any():
            continue
        delay = delays[:, image][:, None]
        position = OVERSAMPLING * (samples - delay[:-1] - between * (delay[1:] - delay[:-1]))
        whole = np.floor(position)
        fraction = (position - whole).astype(np.float32)
        index = np.clip(whole.astype(np.int64) - 1, 0, last)
        running = gain[:-1] + between32 * (gain[1:] - gain[:-1])
        taps = windows[index]
        for band in range(2):
            read = sum(weight * taps[..., band, tap] for tap, weight in enumerate(_cubic(fraction)))
            total += running[..., band] * read
    return total.reshape(-1, n_microphones)[:n_samples].astype(np.float64)


def _cubic(fraction: NDArray[np.floating]) -> tuple[NDArray[np.floating], ...]:
    """Weights of the samples -1, 0, 1, 2 in Lagrange's cubic interpolation at a fraction of a sample."""
    f = fraction
    return (
        -f * (f - 1) * (f - 2) / 6,
        (f + 1) * (f - 1) * (f - 2) / 2,
        -(f + 1) * f * (f - 2) / 2,
        (f + 1) * f * (f - 1) / 6,
    )


def _crossfades(knots: FloatArray, onset: int, n_samples: int) -> FloatArray:
    """Weights of shape (n_knots, n_samples) whose squares add up to 1 and that peak at the knots."""
    times = (onset + np.arange(n_samples)) / SAMPLE_RATE
    place = np.interp(times, knots, np.arange(len(knots)))
    nearness = np.clip(1 - np.abs(place - np.arange(len(knots))[:, None]), 0, 1)
    weights: FloatArray = np.sin(nearness * np.pi / 2)
    return weights


def _at(values: FloatArray, knots: FloatArray, times: FloatArray) -> FloatArray:
    """Interpolate values of shape (n_knots, n) linearly in time."""
    place = np.interp(times, knots, np.arange(len(knots)))
    below = np.minimum(place.astype(int), len(knots) - 2)
    part = (place - below)[:, None]
    interpolated: FloatArray = (1 - part) * values[below] + part * values[below + 1]
    return interpolated


def _add(out: FloatArray, image: FloatArray, onset: int) -> None:
    first, last = max(0, onset), min(len(out), onset + len(image))
    if last > first:
        out[first:last] += image[first - onset : last - onset]
