"""The front end: from microphones to one signal per talker, streaming and causal.

echo -> short-time Fourier transform -> channel check -> dereverberation -> speech mask -> localization -> tracking,
noise map -> talkers' masks -> separation. Every stage is an object of its own; this module only connects them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from hearing.arrays import MicrophoneArray
from hearing.bin_weighting import BinWeighting
from hearing.dereverberation import Dereverberator
from hearing.echo import EchoCanceller
from hearing.ego_noise import MotionStates
from hearing.features import SceneFeatures, Spectra
from hearing.health import ChannelFault, ChannelHealth
from hearing.localization import LocalizationConfig, SrpPhat, SteeredResponse
from hearing.mask_network import MaskNetwork, Masks
from hearing.mouths import at_mouths, with_mouths
from hearing.noise_map import NoiseMap, NoiseMapConfig
from hearing.own_voice import OwnVoice
from hearing.second_pass import SecondPass
from hearing.separation import MvdrSeparator, SeparationConfig
from hearing.stft import N_BINS, Stft
from hearing.talker_masks import TalkerMasks
from hearing.tracking import SourceTracker, TrackingConfig
from hearing.types import SAMPLE_RATE, ArrayMotion, Float32Array, Mouth, SourceAudio, Track


@dataclass(frozen=True, slots=True)
class FrontEndConfig:
    """Settings of the stages, and switches to leave some of them out.

    Attributes
    ----------
    echo_cancellation, dereverberation, speech_mask, noise_map, motion_states, channel_check, second_pass
        Whether these stages work. Without a speech mask bins are weighted by how they stand out in time.
    """

    localization: LocalizationConfig = field(default_factory=LocalizationConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    separation: SeparationConfig = field(default_factory=SeparationConfig)
    noise: NoiseMapConfig = field(default_factory=NoiseMapConfig)
    echo_cancellation: bool = True
    dereverberation: bool = True
    speech_mask: bool = True
    noise_map: bool = True
    motion_states: bool = True
    channel_check: bool = True
    second_pass: bool = True


@dataclass(frozen=True, slots=True)
class FrontEndOutput:
    """What the front end knows after a step.

    Attributes
    ----------
    tracks
        People, tentative tracks included, oldest first.
    machines
        Tracks of kind `noise`, and of kind `robot` for its own loudspeaker.
    sources
        One stretch of audio per track of `tracks`, in their order.
    faults
        Microphones that do not work.
    moving
        Whether the robot is known to move.
    """

    tracks: tuple[Track, ...]
    machines: tuple[Track, ...]
    sources: tuple[SourceAudio, ...]
    faults: tuple[ChannelFault, ...]
    moving: bool

    @property
    def robot_talks(self) -> bool:
        """Whether the robot's own loudspeaker is heard."""
        return any(track.kind == "robot" and track.activity > 0.5 for track in self.machines)


class FrontEnd:
    """Hear everybody around a microphone array, each in a signal of his own.

    Parameters
    ----------
    array
        The microphones.
    config
        Settings of the stages.

    Raises
    ------
    InputError
        If a network's weights are missing.
    """

    def __init__(self, array: MicrophoneArray, config: FrontEndConfig | None = None) -> None:
        self.array = array
        self.config = config or FrontEndConfig()
        response = SteeredResponse(array, self.config.localization)
        self._health = ChannelHealth(array)
        self._echo: EchoCanceller | None = None
        self._own_voice = OwnVoice(array.n_microphones, response)
        self._stft = Stft(array.n_microphones)
        self._dereverberator = Dereverberator(array.n_microphones)
        self._scene = SceneFeatures()
        self._speech = MaskNetwork("speech_mask")
        self._weighting = BinWeighting(N_BINS)
        self._localizer = SrpPhat(response)
        self._tracker = SourceTracker(self.config.tracking)
        self._noise_map = NoiseMap(response, self.config.noise)
        self._states = MotionStates()
        self._masks = TalkerMasks(array)
        self._separator = MvdrSeparator(array, self.config.separation)
        self._second_pass = SecondPass(array, self.config.separation)
        self.reset()

    @property
    def latency(self) -> float:
        """Seconds by which the talkers' signals lag behind the microphones."""
        return self._separator.latency

    def reset(self) -> None:
        """Start a new stream."""
        for stage in (
            self._health, self._own_voice, self._stft, self._dereverberator, self._scene, self._weighting,
            self._localizer, self._tracker, self._noise_map, self._states, self._masks, self._separator,
            self._second_pass,
        ):  # fmt: skip
            stage.reset()
        self._echo = None
        self._memory: Float32Array = self._speech.silence[None]
        self._usable = np.ones(self.array.n_microphones, bool)
        self._yaw = 0.0
        self._position = 0
        self.compute_seconds: defaultdict[str, float] = defaultdict(float)

    def process(
        self,
        samples: Float32Array,
        playback: Float32Array | None = None,
        motion: ArrayMotion | None = None,
        mouths: Sequence[Mouth] = (),
    ) -> FrontEndOutput:
        """Hear the next samples.

        Parameters
        ----------
        samples
            Of shape (n_hops * HOP, n_microphones).
        playback
            What the robot's loudspeaker played meanwhile, of shape (n_hops * HOP, n_channels), if it has one.
        motion
            How the robot moves, at the end of the samples, if it says.
        mouths
            That cameras see now.
        """
        self._position += len(samples)
        now, dt = self._position / SAMPLE_RATE, len(samples) / SAMPLE_RATE
        with self._clock("echo"):
            cleaned, residual, robot = self._without_echo(samples, playback, now)
        with self._clock("transform"):
            frames = self._stft.process(cleaned)
        faults: tuple[ChannelFault, ...] = ()
        if self.config.channel_check:
            with self._clock("check"):
                report = self._health.process(samples, frames)
                self._usable, faults = report.usable, report.faults
        if self.config.dereverberation:
            with self._clock("dereverberate"):
                frames = self._dereverberator.process(frames)
        with self._clock("speech mask"):
            spectra = Spectra.of(frames, self._usable)
            scene = self._scene.process(spectra)
            speech = self._mask(spectra, scene, residual)
        turn = self._turn(motion)
        with self._clock("localize"):
            peaks = at_mouths(self._localizer.process(spectra, speech.direct[0]), mouths)
        with self._clock("track"):
            tracks = self._tracker.process(peaks, now, turn)
        with self._clock("noise map"):
            noise = 1 - speech.speech[0]
            machines = self._noise_map.process(spectra, noise, tracks, now, turn) if self.config.noise_map else ()
            state = self._states.process(spectra, noise, motion) if self.config.motion_states else "idle"
        with self._clock("talkers' masks"):
            masks = self._masks.process(spectra, scene, tracks, machines + robot)
            if residual is not None:
                beside = _beside(spectra, residual)
                current = _without_residual(masks.current, residual, beside)
                masks = replace(masks, current=current, claimed=masks.claimed * beside)
            masks = replace(masks, current=with_mouths(masks.current, tracks, mouths))
            talking = masks.current.active.mean(axis=1)
            tracks = self._tracker.believe({t.id: float(p) for t, p in zip(tracks, talking, strict=True)}, dt)
        with self._clock("separate"):
            sources = self._separator.process(spectra, tracks, masks, state)
            if self.config.second_pass:
                self._second_pass.remember(spectra, tracks, masks)
        return FrontEndOutput(tracks, machines + robot, sources, faults, self._states.moving)

    def _without_echo(
        self, samples: Float32Array, playback: Float32Array | None, now: float
    ) -> tuple[Float32Array, Float32Array | None, tuple[Track, ...]]:
        if playback is None or not self.config.echo_cancellation:
            return samples, None, ()
        if self._echo is None:
            self._echo = EchoCanceller(self.array.n_microphones, playback.shape[1])
        heard = self._echo.process(samples, playback)
        return heard.samples, heard.residual, self._own_voice.process(samples - heard.samples, now)

    def _mask(self, spectra: Spectra, scene: Float32Array, residual: Float32Array | None) -> Masks:
        """Share of every bin that is speech of people, as masks of one stream."""
        if self.config.speech_mask:
            masks, self._memory = self._speech.process(scene[None], self._memory)
        else:
            share = self._weighting.process(spectra.power.astype(np.float64)).astype(np.float32)
            everywhere = np.broadcast_to(share, (1, *spectra.power.shape))
            masks = Masks(np.cbrt(everywhere), everywhere, np.ones((1, len(spectra.power)), np.float32))
        return masks if residual is None else _without_residual(masks, residual, _beside(spectra, residual))

    def _turn(self, motion: ArrayMotion | None) -> float:
        if motion is None:
            return 0.0
        before, self._yaw = self._yaw, motion.yaw
        return self._yaw - before

    def hear_again(self, track_id: int, start_sample: int, n_samples: int) -> Float32Array | None:
        """Hear what a track said once more, with all that is known of it now; see `SecondPass.hear`."""
        with self._clock("second pass"):
            return self._second_pass.hear(track_id, start_sample, n_samples) if self.config.second_pass else None

    @contextmanager
    def _clock(self, stage: str) -> Iterator[None]:
        """Count the computing time of a stage. Nothing that is put out depends on it."""
        begin = time.perf_counter()
        yield
        self.compute_seconds[stage] += time.perf_counter() - begin


def _without_residual(masks: Masks, residual: Float32Array, beside: Float32Array) -> Masks:
    """Take from masks what is the robot's own voice, by its share (n_frames, N_BINS) in every bin's power."""
    left = 1 - residual
    return Masks(masks.direct * left, masks.speech * left, masks.active * beside)


def _beside(spectra: Spectra, residual: Float32Array) -> Float32Array:
    """Return the share of each frame's power that is not the robot's own voice, of shape (n_frames,)."""
    share: Float32Array = ((1 - residual) * spectra.power).sum(axis=1) / (spectra.power.sum(axis=1) + 1e-12)
    return share
