"""Sources followed over time on the sphere.

Each observed peak is explained as false, as a new source, or as one of the sources already followed; the probabilities
of all joint explanations give each track its activity and its Kalman update (Valin, Michaud and Rouat, 2007, Robust
localization and tracking of simultaneous moving sound sources, eq. 10-19; Grondin and Michaud, 2019, Lightweight and
optimized sound source localization and tracking methods, section 4, for the Kalman filter on the unit sphere). A new
source is tentative until somebody is heard to talk there; what never talks never becomes a talker. When the array
turns, its sources turn back.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hearing.sphere import azimuths_apart, rotation
from hearing.types import Direction, Peak, Track

FALSE, NEW = -2, -1


@dataclass(frozen=True, slots=True)
class TrackingConfig:
    """How to track. Angles in radians, times in seconds.

    Attributes
    ----------
    p_false, p_new, p_existing
        Prior probabilities of the explanations of a peak.
    azimuth_noise, elevation_noise
        Standard deviation of a peak's direction: small and planar arrays hardly know the elevation.
    p_reflected, reflection_spread, reflections_last
        Share of a source's peaks that reflections pull aside, how far, and for how long after it was heard.
    walks_faster, stops_within
        Rad/s above which a silent source walks, and time constants by which one that does not, or any other, comes to
        rest.
    acceleration
        Standard deviation of a source's random acceleration in rad/s^2.
    max_uncertainty
        Standard deviation beyond which a silent source's position does not become: it would take over its neighbours.
    talk_memory, confirm_talk
        A tentative source is a talker once talking, averaged over about so many seconds, reaches this probability.
    timeout, timeout_per_talk, longest_timeout
        A source that is not heard for the first time is forgotten; every second that somebody talked there adds to
        it, up to the longest.
    merge_within, merge_after
        Of two tracks whose azimuths are closer than this for this time, the younger ends: people who cross are not
        so close for long. A tentative one ends at once.
    max_tracks, replace_after
        Tracks followed at most, tentative ones included; a new one replaces one that was silent for this long.
    """

    p_false: float = 0.15
    p_new: float = 0.15
    p_existing: float = 0.7
    azimuth_noise: float = np.deg2rad(4.0)
    elevation_noise: float = np.deg2rad(15.0)
    p_reflected: float = 0.25
    reflection_spread: float = np.deg2rad(15.0)
    reflections_last: float = 0.3
    walks_faster: float = np.deg2rad(5.0)
    stops_within: tuple[float, float] = (0.3, 3.0)
    acceleration: float = np.deg2rad(15.0)
    max_uncertainty: float = np.deg2rad(3.0)
    talk_memory: float = 0.3
    confirm_talk: float = 0.45
    timeout: float = 1.0
    timeout_per_talk: float = 10.0
    longest_timeout: float = 20.0
    merge_within: float = np.deg2rad(12.0)
    merge_after: float = 2.5
    max_tracks: int = 6
    replace_after: float = 1.0


@dataclass(slots=True)
class _Source:
    """A followed source.

    Attributes
    ----------
    id
        Unique in the stream.
    state, covariance
        Of position and velocity in the array frame, (6,) and (6, 6).
    heard
        When it was last heard directly, in seconds.
    activity
        Probability that it was among the last peaks.
    talking, talk
        Probability that somebody talks there, now and averaged over the last moments.
    talked
        Seconds for which somebody surely talked there.
    confirmed
        Whether `talk` was ever high enough.
    apart
        When it was last apart from all older sources, in seconds.
    """

    id: int
    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    heard: float
    activity: float
    talking: float = 0.0
    talk: float = 0.0
    talked: float = 0.0
    confirmed: bool = False
    apart: float = 0.0

    @property
    def position(self) -> NDArray[np.float64]:
        return self.state[:3]


class SourceTracker:
    """Streaming multi-source tracker.

    Parameters
    ----------
    config
        How to track.
    """

    latency = 0.0

    def __init__(self, config: TrackingConfig | None = None) -> None:
        self.config = config or TrackingConfig()
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._sources: list[_Source] = []
        self._next_id = 1
        self._time = 0.0

    def process(self, peaks: tuple[Peak, ...], time: float, turn: float = 0.0) -> tuple[Track, ...]:
        """Follow the sources to a new time.

        Parameters
        ----------
        peaks
            What was localized since the last call, strongest first.
        time
            Stream time of the peaks in seconds.
        turn
            Radians by which the array turned counter-clockwise since the last call.

        Returns
        -------
        All tracks, tentative ones included, oldest first. `activity` is the probability that the track was among the
        peaks, weighted by their power relative to the strongest one.
        """
        dt = time - self._time
        self._time = time
        self._predict(dt)
        self._turn_back(turn)
        direct, reflected = self._densities(peaks)
        probability = self._explain(peaks, direct + reflected)
        # Reflections of a talker feed other tracks with weak peaks; who talks at the same time is not much weaker.
        prominence = np.array([(peak.power / peaks[0].power) ** 2 for peak in peaks])
        explained = prominence[:, None] * probability[:, : len(self._sources)]
        straight = explained * direct / np.maximum(direct + reflected, 1e-300)
        for k, source in enumerate(self._sources):
            # What comes from near a talker while he is silent is a machine or an echo, which must not drag him along.
            own = straight[:, k] * (source.talking if source.confirmed else 1.0)
            for peak, probability_own in zip(peaks, own, strict=True):
                self._update(source, peak, float(probability_own))
            source.activity = float(explained[:, k].sum())
            if own.sum() > 0.4:
                source.heard = time
        self._forget(time)
        self._begin(peaks, probability[:, NEW], time)
        return self._tracks()

    def believe(self, talking: Mapping[int, float], dt: float) -> tuple[Track, ...]:
        """Take note of who talks.

        Parameters
        ----------
        talking
            Probability that somebody talks there now, by track id.
        dt
            Seconds since the last call.

        Returns
        -------
        All tracks; those where somebody was heard to talk are not tentative any more.
        """
        keep = float(np.exp(-dt / self.config.talk_memory))
        for source in self._sources:
            source.talking = talking.get(source.id, 0.0)
            source.talk = keep * source.talk + (1 - keep) * source.talking
            source.talked += dt * max(0.0, 2 * source.talking - 1)
            source.confirmed |= source.talk >= self.config.confirm_talk
        return self._tracks()

    def _tracks(self) -> tuple[Track, ...]:
        return tuple(
            Track(
                source.id,
                self._time,
                Direction.from_vector(source.position),
                source.activity,
                tentative=not source.confirmed,
            )
            for source in self._sources
        )

    def _explain(self, peaks: tuple[Peak, ...], density: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of shape (n_peaks, n_sources + 2): of each source, then of FALSE and NEW, for each peak."""
        n = len(self._sources)
        if not peaks:
            return np.zeros((0, n + 2))
        # A weak peak beside a strong one is likely a reflection of it.
        true = np.array([peak.likelihood * peak.power / peaks[0].power for peak in peaks])
        likelihood = np.empty((len(peaks), n + 2))
        likelihood[:, :n] = self.config.p_existing * true[:, None] * density
        likelihood[:, FALSE] = self.config.p_false * (1 - true) / (4 * np.pi)
        likelihood[:, NEW] = self.config.p_new * true / (4 * np.pi)
        joint = _joint_explanations(len(peaks), n)
        probability = np.prod(likelihood[np.arange(len(peaks)), joint], axis=1)
        total = np.array([np.bincount(column, probability, minlength=n + 2) for column in joint.T])
        return total / max(float(probability.sum()), 1e-300)

    def _densities(self, peaks: tuple[Peak, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Densities per steradian, each of shape (n_peaks, n_sources), of direct sound and of early reflections.

        Early reflections pull the peaks of a source that sounds to one side for as long as a syllable.
        """
        direct = np.zeros((len(peaks), len(self._sources)))
        reflected = np.zeros_like(direct)
        noise = np.array([self.config.azimuth_noise, self.config.elevation_noise]) ** 2
        for k, source in enumerate(self._sources):
            tangent = self._tangent(source)
            spread = np.einsum("ic,cd,id->i", tangent, source.covariance[:3, :3], tangent)
            offsets = np.array([tangent @ _logarithm(source.position, peak.direction.vector) for peak in peaks])
            direct[:, k] = _density(offsets.reshape(-1, 2), spread + noise)
            if self._time - source.heard <= self.config.reflections_last:
                wide = np.maximum(noise, self.config.reflection_spread**2)
                reflected[:, k] = self.config.p_reflected * _density(offsets.reshape(-1, 2), wide)
                direct[:, k] *= 1 - self.config.p_reflected
        return direct, reflected

    @staticmethod
    def _tangent(source: _Source) -> NDArray[np.float64]:
        """Directions of growing azimuth and elevation at the source, of shape (2, 3)."""
        x, y, _ = source.position
        across = np.array([-y, x, 0.0]) / max(float(np.hypot(x, y)), 1e-9)
        return np.stack([across, np.cross(source.position, across)])

    def _predict(self, dt: float) -> None:
        # Velocity decays: people stop. A slow one of a silent source is likely what echoes have left behind.
        transition = np.eye(6)
        transition[:3, 3:] = dt * np.eye(3)
        gain = self.config.acceleration * np.concatenate([0.5 * dt**2 * np.eye(3), dt * np.eye(3)])
        for source in self._sources:
            stands = source.activity < 0.3 and np.linalg.norm(source.state[3:]) < self.config.walks_faster
            transition[3:, 3:] = np.exp(-dt / self.config.stops_within[0 if stands else 1]) * np.eye(3)
            source.state = transition @ source.state
            source.covariance = transition @ source.covariance @ transition.T + gain @ gain.T
            variance = float(np.trace(source.covariance[:3, :3])) / 2
            source.covariance *= min(1.0, self.config.max_uncertainty**2 / variance)
            self._normalise(source)

    def _update(self, source: _Source, peak: Peak, probability: float) -> None:
        across, _ = self._tangent(source)
        noise = self.config.azimuth_noise**2 * np.outer(across, across)
        noise += self.config.elevation_noise**2 * (np.eye(3) - np.outer(across, across))
        gain = probability * np.linalg.solve(source.covariance[:3, :3] + noise, source.covariance[:3]).T
        source.state = source.state + gain @ (peak.direction.vector - source.position)
        source.covariance = source.covariance - gain @ source.covariance[:3]
        self._normalise(source)

    @staticmethod
    def _normalise(source: _Source) -> None:
        """Keep the position on the sphere and the velocity tangential."""
        position = source.position / np.linalg.norm(source.position)
        velocity = source.state[3:] - (source.state[3:] @ position) * position
        source.state = np.concatenate([position, velocity])

    def _turn_back(self, turn: float) -> None:
        """Turn all sources clockwise, as the array sees them when it turns counter-clockwise."""
        if turn == 0.0:
            return
        both = np.kron(np.eye(2), rotation(-turn))
        for source in self._sources:
            source.state = both @ source.state
            source.covariance = both @ source.covariance @ both.T

    def _forget(self, time: float) -> None:
        kept: list[_Source] = []
        for source in self._sources:
            timeout = self.config.timeout
            if source.confirmed:
                timeout += self.config.timeout_per_talk * source.talked
            timeout = min(timeout, self.config.longest_timeout)
            elders = [elder for elder in kept if elder.confirmed or not source.confirmed]
            if not any(azimuths_apart(source.position, elder.position) < self.config.merge_within for elder in elders):
                source.apart = time
            double = time - source.apart > (self.config.merge_after if source.confirmed else 0.0)
            if not double and time - source.heard < timeout:
                kept.append(source)
        self._sources = kept

    def _begin(self, peaks: tuple[Peak, ...], probability: NDArray[np.float64], time: float) -> None:
        for peak, p_new in zip(peaks, probability, strict=True):
            if p_new > 0.5 and self._has_room(time):
                state = np.concatenate([peak.direction.vector, np.zeros(3)])
                spread = [self.config.azimuth_noise**2] * 3 + [np.deg2rad(5.0) ** 2] * 3
                self._sources.append(_Source(self._next_id, state, np.diag(spread), time, float(p_new), apart=time))
                self._next_id += 1

    def _has_room(self, time: float) -> bool:
        """Make room for a new source, at the cost of one that is silent now if need be."""
        if len(self._sources) < self.config.max_tracks:
            return True
        silent = min(self._sources, key=lambda source: (source.confirmed, source.heard))
        if time - silent.heard < self.config.replace_after:
            return False
        self._sources.remove(silent)
        return True


@functools.cache
def _joint_explanations(n_peaks: int, n_sources: int) -> NDArray[np.intp]:
    """Explanations of all peaks together, of shape (n_joint, n_peaks): no source explains two peaks."""
    joint = np.indices((n_sources + 2,) * n_peaks).reshape(n_peaks, -1).T
    ordered = np.sort(joint, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] < n_sources)
    possible: NDArray[np.intp] = joint[~twice.any(axis=1)]
    return possible


def _logarithm(origin: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tangent vector of shape (3,) from one point of the sphere to another, as long as the angle between them."""
    cosine = float(np.clip(origin @ point, -1.0, 1.0))
    across = point - cosine * origin
    vector: NDArray[np.float64] = np.arccos(cosine) * across / max(float(np.linalg.norm(across)), 1e-12)
    return vector


def _density(offset: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Density, of shape (n,), of offsets of shape (n, 2) under a Gaussian with independent components."""
    exponent = -0.5 * np.sum(offset**2 / variance, axis=1)
    density: NDArray[np.float64] = np.exp(exponent) / (2 * np.pi * np.sqrt(np.prod(variance)))
    return density
