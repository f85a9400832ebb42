"""Streaming room acoustics: what microphones hear of sources while both move, block by block.

Each source's signal is read at times that run with the delay of its direct sound, which is the Doppler effect. What is
left, differences between microphones and reflections before the mixing time, are image sources (Allen & Berkley 1979)
of a shoe box with fractional delays and gains: their impulse responses are made anew every `HOP` samples, and in
between the output of one fades into that of the next. Late reverberation is a diffuse tail, one per source, that
follows the direct sound. Everything that comes out until a time depends on poses until then alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hearing_sim.directivity import CROSSOVER, body_detour, body_gain, talker_gain, talker_power
from hearing_sim.propagation import MIN_DISTANCE
from hearing_sim.reverberation import DiffuseField, early_weight
from hearing_sim.room import OCTAVES, RoomAcoustics
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import firwin

from hearing.arrays import SPEED_OF_SOUND
from hearing.types import SAMPLE_RATE
from hearing_gazebo.poses import FloatArray, Motion
from hearing_gazebo.signals import Signal

HOP = 128
"""Samples from one set of impulse responses to the next."""
BLOCK = 4 * HOP
"""Samples that are rendered at a time."""
FRACTIONS = 512
"""Steps into which a sample's delay is divided."""

_SINC, _LOW_PASS = 24, 41
_TAPS = _SINC + _LOW_PASS - 1
_CENTRE = _SINC // 2 - 1 + _LOW_PASS // 2
_HIGH_OCTAVES = OCTAVES > CROSSOVER
_BANDS = (~_HIGH_OCTAVES & (OCTAVES > 200), _HIGH_OCTAVES)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Something that sounds.

    Attributes
    ----------
    name
        Of its model or actor.
    signal
        What it radiates.
    motion
        Where the model or actor is.
    offset
        Where on it the sound comes from, in its frame, of shape (3,) in metres.
    talks
        Whether it radiates forward like a human head.
    """

    name: str
    signal: Signal
    motion: Motion
    offset: FloatArray
    talks: bool


@dataclass(frozen=True, slots=True, eq=False)
class Receiver:
    """The microphones.

    Attributes
    ----------
    motion
        Where the array frame is.
    microphones
        Positions in it, of shape (n_microphones, 3) in metres.
    body_radius
        Of the body that carries them, or None.
    """

    motion: Motion
    microphones: FloatArray
    body_radius: float | None


@dataclass(frozen=True, slots=True, eq=False)
class _Filters:
    """How sources sound at a moment.

    Attributes
    ----------
    direct
        Seconds that the direct sound takes to the middle of the array, of shape (n_sources,).
    spectra
        Impulse responses to what comes after that delay, of shape (n_sources, n_microphones, n_bins).
    """

    direct: FloatArray
    spectra: NDArray[np.complex128]


class StreamingField:
    """What microphones hear of sources in a hall.

    Parameters
    ----------
    acoustics
        Of the hall, a shoe box.
    corner
        Where the room's origin is in the world, of shape (3,) in metres.
    far_corner
        The opposite one.
    receiver, sources
        Who hears what.
    seed
        Of the late reverberation.
    """

    def __init__(
        self,
        acoustics: RoomAcoustics,
        corner: FloatArray,
        far_corner: FloatArray,
        receiver: Receiver,
        sources: Sequence[Source],
        seed: int,
    ) -> None:
        self._acoustics, self._corner, self._size = acoustics, corner, far_corner - corner
        self._receiver, self._sources = receiver, tuple(sources)
        self._talks = np.array([source.talks for source in sources], dtype=bool)
        self._images = _images(acoustics, self._size)
        self._sinc, self._kernels = _kernels()
        centred = receiver.microphones - receiver.microphones.mean(axis=0)
        radius = float(np.linalg.norm(centred, axis=1).max())
        # Signals are read ahead by as much as the first microphone hears them before the middle of the array.
        self._lead = int(np.ceil(radius / SPEED_OF_SOUND * SAMPLE_RATE)) + 1
        span = 2 * self._lead + 2 * (receiver.body_radius or 0.0) / SPEED_OF_SOUND * SAMPLE_RATE
        # While a source goes away, what was read a while ago came sooner: by a tenth at a tenth of the speed of sound.
        self._n_taps = round(1.1 * acoustics.mixing_time * SAMPLE_RATE + span) + _TAPS + 2
        self._n_fft = next_fast_len(max(self._n_taps + HOP, BLOCK + self._lead + _CENTRE), real=True)
        self._late = _LateField(acoustics, receiver.microphones, self._sources, seed)
        self.reset()

    def reset(self) -> None:
        """Forget what has sounded."""
        self._filters: _Filters | None = None
        self._read = np.zeros((len(self._sources), self._n_fft))
        self._late.reset()

    def render(self, start: int) -> FloatArray:
        """Return the next block.

        Parameters
        ----------
        start
            Index of its first sample on the simulation's clock; each block follows on the one before.

        Returns
        -------
        Sound pressure of shape (BLOCK, n_microphones) in Pa.
        """
        old = self._filters or self._begin(start)
        heard = np.empty((BLOCK, len(self._receiver.microphones)))
        rise = (np.arange(HOP) / HOP)[:, None]
        for first in range(0, BLOCK, HOP):
            new = self._response(start + first + HOP, old.direct)
            spectra = self._advance(start + first, HOP, old.direct, new.direct)
            before, after = self._filtered(spectra, old), self._filtered(spectra, new)
            heard[first : first + HOP] = before + rise * (after - before)
            old = new
        self._filters = old
        behind = self._lead + _CENTRE
        arrived = self._read[:, self._n_fft - BLOCK - behind : self._n_fft - behind]
        return heard + self._late.render(arrived, old.direct)

    def _begin(self, start: int) -> _Filters:
        """Return how it sounds at a sample before which nothing has moved."""
        still = self._response(start, np.zeros(len(self._sources)))
        still = self._response(start, still.direct)
        self._advance(start - self._n_fft, self._n_fft, still.direct, still.direct)
        return still

    def _advance(self, start: int, n_samples: int, before: FloatArray, after: FloatArray) -> NDArray[np.complex128]:
        """Read signals with delays that run from some seconds to others; return the spectra of what has been read."""
        part = np.arange(n_samples) / n_samples
        delays = (before[:, None] + part * (after - before)[:, None]) * SAMPLE_RATE
        places = np.arange(n_samples) + self._lead + _CENTRE - delays
        whole = np.floor(places).astype(np.int64)
        taps = self._sinc[np.rint((places - whole) * FRACTIONS).astype(np.int64)]
        first = whole.min(axis=1) - (_SINC // 2 - 1)
        length = int((whole.max(axis=1) - whole.min(axis=1)).max()) + _SINC
        signals = [s.signal.read(start + int(f), length) for s, f in zip(self._sources, first, strict=True)]
        windows = sliding_window_view(np.array(signals), _SINC, axis=1)
        index = whole - whole.min(axis=1, keepdims=True)
        read = np.einsum("snt,snt->sn", np.take_along_axis(windows, index[..., None], axis=1), taps)
        self._read = np.concatenate([self._read, read], axis=1)[:, n_samples:]
        spectra: NDArray[np.complex128] = rfft(self._read, axis=-1)
        return spectra

    def _filtered(self, spectra: NDArray[np.complex128], filters: _Filters) -> FloatArray:
        """Return the newest HOP samples of what filters give, of shape (HOP, n_microphones)."""
        mixed = np.einsum("sf,smf->mf", spectra, filters.spectra)
        heard: FloatArray = irfft(mixed, self._n_fft, axis=-1)[:, -HOP:].T
        return heard

    def _response(self, sample: int, before: FloatArray) -> _Filters:
        """Make the impulse responses at a sample.

        Parameters
        ----------
        sample
            On the simulation's clock.
        before
            Seconds that the direct sound took a hop earlier. Sources are where they were so long ago.
        """
        time = sample / SAMPLE_RATE
        poses = [source.motion.at(time - delay) for source, delay in zip(self._sources, before.tolist(), strict=True)]
        outside = [pose.to_outer(source.offset) for pose, source in zip(poses, self._sources, strict=True)]
        places = np.clip(np.array(outside) - self._corner, 0.01, self._size - 0.01)
        facing = np.array([pose.rotation[:, 0] for pose in poses])
        frame = self._receiver.motion.at(time)
        return self._paths(places, facing, frame.to_outer(self._receiver.microphones) - self._corner, before)

    def _paths(self, places: FloatArray, facing: FloatArray, microphones: FloatArray, before: FloatArray) -> _Filters:
        """Find the ways of the sound from places in the room to microphones in it, and make filters of them."""
        signs, offsets, damping = self._images
        middle = microphones.mean(axis=0)
        images = signs * places[:, None] + offsets
        distances = np.linalg.norm(images - middle, axis=-1)
        direct = np.linalg.norm(places - middle, axis=-1) / SPEED_OF_SOUND
        reach = direct + self._acoustics.mixing_time
        source, image = np.nonzero(distances < SPEED_OF_SOUND * reach[:, None] + 1e-6)
        way = microphones - images[source, image][:, None]
        length = np.maximum(np.linalg.norm(way, axis=-1), MIN_DISTANCE)
        way /= length[..., None]
        delays = length / SPEED_OF_SOUND
        gains = damping[image][:, None] / length[..., None]
        cosines = np.einsum("kmi,ki->km", way, signs[image] * facing[source])
        gains = np.where(self._talks[source][:, None, None], gains * talker_gain(cosines), gains)
        if self._receiver.body_radius is not None:
            outward = microphones - middle
            outward /= np.maximum(np.linalg.norm(outward, axis=-1, keepdims=True), 1e-9)
            cosines = -np.einsum("kmi,mi->km", way, outward)
            gains = gains * body_gain(cosines)
            delays = delays + body_detour(cosines, self._receiver.body_radius) / SPEED_OF_SOUND
        if self._acoustics.mixing_time:
            gains = gains * early_weight(delays - reach[source][:, None])[..., None]
        # What came a while ago was read with the direct delay of then.
        speed = np.clip((direct - before) * SAMPLE_RATE / HOP, -0.1, 0.1)
        behind = (delays - direct[source][:, None]) / (1 - speed[source][:, None])
        return _Filters(direct, self._assembled(source, behind * SAMPLE_RATE, gains))

    def _assembled(self, source: NDArray[np.int64], delays: FloatArray, gains: FloatArray) -> NDArray[np.complex128]:
        """Add up paths of sources, with delays (n_paths, n_microphones) in samples and gains (..., 2), to spectra."""
        n_sources, n_microphones = len(self._sources), delays.shape[1]
        position = delays + self._lead
        whole = np.floor(position)
        kernels = self._kernels[np.rint((position - whole) * FRACTIONS).astype(np.int64)]
        taps = np.einsum("kmb,kmbt->kmt", gains, kernels)
        whole = np.clip(whole.astype(np.int64), 0, self._n_taps - _TAPS)
        row = (source[:, None] * n_microphones + np.arange(n_microphones)) * self._n_taps + whole
        index = row[..., None] + np.arange(_TAPS)
        responses = np.bincount(index.ravel(), taps.ravel(), n_sources * n_microphones * self._n_taps)
        responses = responses.reshape(n_sources, n_microphones, self._n_taps)
        spectra: NDArray[np.complex128] = rfft(responses, self._n_fft, axis=-1)
        return spectra


class _LateField:
    """Late reverberation, by uniformly partitioned convolution (Stockham 1966) of each source with its tail."""

    def __init__(self, acoustics: RoomAcoustics, microphones: FloatArray, sources: Sequence[Source], seed: int) -> None:
        self._sources = sources
        self._decay = 0.0
        self._tails = np.zeros((len(sources), 0, len(microphones), BLOCK + 1), dtype=np.complex64)
        if acoustics.mixing_time > 0:
            self._decay = 3 / float(acoustics.rt60.mean())
            diffuse = DiffuseField(microphones)
            tails = []
            for index, source in enumerate(sources):
                power = talker_power() if source.talks else np.ones(2)
                rng = np.random.default_rng((seed, 1, index))
                onset = acoustics.mixing_time
                tails.append(diffuse.reverberation(acoustics, onset, power[_HIGH_OCTAVES.astype(int)], rng))
            if tails:
                self._tails = _partitions(np.array(tails))
        self.reset()

    def reset(self) -> None:
        """Forget what has sounded."""
        # The newest block comes first.
        self._past = np.zeros((len(self._sources), self._tails.shape[1], BLOCK + 1), dtype=np.complex64)
        self._last = np.zeros((len(self._sources), BLOCK))

    def render(self, arrived: FloatArray, direct: FloatArray) -> FloatArray:
        """Return what is heard of the next block, of shape (BLOCK, n_microphones).

        Parameters
        ----------
        arrived
            Signals when their direct sound arrives, of shape (n_sources, BLOCK).
        direct
            Seconds that it takes, of shape (n_sources,). After longer ways the decay has gone on for longer.
        """
        if not self._tails.shape[1]:
            return np.zeros((BLOCK, self._tails.shape[2]))
        blocks = 10 ** (-self._decay * direct)[:, None] * arrived
        spectra = rfft(np.concatenate([self._last, blocks], axis=1), axis=1)
        self._last = blocks
        self._past = np.concatenate([spectra[:, None].astype(np.complex64), self._past[:, :-1]], axis=1)
        mixed = np.einsum("spf,spmf->mf", self._past, self._tails)
        heard: FloatArray = irfft(mixed, 2 * BLOCK, axis=-1)[:, BLOCK:].T.astype(np.float64)
        return heard


def _partitions(tails: FloatArray) -> NDArray[np.complex64]:
    """Cut tails (n_sources, n_taps, n_microphones) into spectra (n_sources, n_parts, n_microphones, n_bins)."""
    n_sources, n_taps, n_microphones = tails.shape
    padded = np.pad(tails, ((0, 0), (0, -n_taps % BLOCK), (0, 0)))
    parts = padded.reshape(n_sources, -1, BLOCK, n_microphones).transpose(0, 1, 3, 2)
    spectra: NDArray[np.complex64] = rfft(parts, 2 * BLOCK, axis=-1).astype(np.complex64)
    return spectra


def _images(acoustics: RoomAcoustics, size: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Find every image that may be heard from anywhere: `signs * place + offset`, and what walls leave in two bands.

    Returns
    -------
    Arrays of shape (n_images, 3), (n_images, 3) and (n_images, 2).
    """
    shares = np.array([0.02, 0.98])  # what is heard anywhere is heard in corners
    grid = np.stack(np.meshgrid(shares, shares, shares, indexing="ij"), axis=-1).reshape(-1, 3) * size
    first, second = np.meshgrid(np.arange(len(grid)), np.arange(len(grid)), indexing="ij")
    found = acoustics.reflections(grid[first.ravel()], grid[second.ravel()])
    signs = np.einsum("nii->ni", found.linear)
    damping = np.stack([found.damping[:, band].mean(axis=1) for band in _BANDS], axis=-1)
    return signs, found.offset, damping


def _kernels() -> tuple[FloatArray, FloatArray]:
    """Return filters of fractional delays.

    Returns
    -------
    Interpolators of shape (FRACTIONS + 1, _SINC) that read at a fraction behind their middle; and delays by a fraction,
    and _CENTRE samples, in two bands, of shape (FRACTIONS + 1, 2, _TAPS).
    """
    fraction = np.arange(FRACTIONS + 1)[:, None] / FRACTIONS
    place = np.arange(_SINC) - (_SINC // 2 - 1) - fraction
    window = np.i0(7.0 * np.sqrt(np.maximum(1 - (2 * place / _SINC) ** 2, 0))) / np.i0(7.0)
    sinc = np.sinc(place) * window
    low_pass = firwin(_LOW_PASS, CROSSOVER, fs=SAMPLE_RATE)
    low = np.array([np.convolve(row, low_pass) for row in sinc])
    whole = np.pad(sinc, ((0, 0), (_LOW_PASS // 2, _LOW_PASS // 2)))
    return sinc, np.stack([low, whole - low], axis=1)
