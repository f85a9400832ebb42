"""The whole line from microphones to who-said-what, streaming and causal.

short-time Fourier transform -> localization -> tracking -> separation -> voice activity -> segmentation -> recognition
-> attribution. Every stage is an object of its own with `process` and `reset`; this module only connects them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from threadpoolctl import ThreadpoolController

from hearing.activity import VoiceActivity
from hearing.arrays import MicrophoneArray
from hearing.attribution import AttributionConfig
from hearing.errors import InputError
from hearing.localization import LocalizationConfig, SrpPhat
from hearing.recognition import Recognizer
from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate
from hearing.segmentation import SegmentationConfig, UtteranceSegmenter
from hearing.separation import MvdrSeparator, SeparationConfig
from hearing.stft import HOP, Stft
from hearing.tracking import SourceTracker, TrackingConfig
from hearing.types import (
    SAMPLE_RATE,
    AudioBlock,
    Float32Array,
    HearingOutput,
    SourceAudio,
    SpeechChunk,
    Track,
    TrackKind,
    Utterance,
)
from hearing.utterances import UtteranceAssembler

STEP = 4 * HOP
"""Samples that the stages take at once: 64 ms."""
TRACK_PERIOD = SAMPLE_RATE // 10


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """Settings of all stages."""

    localization: LocalizationConfig = field(default_factory=LocalizationConfig)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    separation: SeparationConfig = field(default_factory=SeparationConfig)
    segmentation: SegmentationConfig = field(default_factory=SegmentationConfig)
    attribution: AttributionConfig = field(default_factory=AttributionConfig)


class Pipeline:
    """Hear everybody around a microphone array.

    Parameters
    ----------
    array
        The microphones.
    recognizer
        Turns utterances into words.
    activity
        Tells speech from other sounds.
    config
        Settings of the stages.
    """

    def __init__(
        self,
        array: MicrophoneArray,
        recognizer: Recognizer,
        activity: VoiceActivity,
        config: PipelineConfig | None = None,
    ) -> None:
        self.array = array
        self.config = config or PipelineConfig()
        self._stft = Stft(array.n_microphones)
        self._localizer = SrpPhat(array, self.config.localization)
        self._tracker = SourceTracker(self.config.tracking)
        self._separator = MvdrSeparator(array, self.config.separation)
        self._activity = activity
        self._segmenter = UtteranceSegmenter(self.config.segmentation)
        self._recognizer = recognizer
        segmentation = self.config.segmentation
        self._assembler = UtteranceAssembler(self.config.attribution, segmentation.lead, segmentation.tail)
        self._libraries = ThreadpoolController()
        self.reset()

    @classmethod
    def create(cls, array: MicrophoneArray, config: PipelineConfig | None = None) -> Pipeline:
        """Load the models and connect the stages.

        Raises
        ------
        InputError
            If a model is missing or is not the one it should be.
        """
        activity = VoiceActivity(locate(MODELS["silero-vad-v6"]) / "silero_vad_v6.onnx")
        return cls(array, Recognizer.create(), activity, config)

    @property
    def latency(self) -> float:
        """Seconds by which a final utterance lags behind its last word, computing time aside."""
        return (
            STEP / SAMPLE_RATE
            + self._separator.latency
            + self._activity.latency
            + self._segmenter.latency
            + self._recognizer.latency
        )

    def reset(self) -> None:
        """Start a new stream."""
        for stage in (
            self._stft,
            self._localizer,
            self._tracker,
            self._separator,
            self._activity,
            self._segmenter,
            self._recognizer,
            self._assembler,
        ):
            stage.reset()
        self.compute_seconds: defaultdict[str, float] = defaultdict(float)
        self._pending: Float32Array = np.zeros((0, self.array.n_microphones), np.float32)
        self._position = 0
        self._state: tuple[Track, ...] = ()

    def process(self, block: AudioBlock) -> HearingOutput:
        """Hear the next block.

        Parameters
        ----------
        block
            Any number of samples, following on the last block.

        Raises
        ------
        InputError
            If the block has the wrong number of channels or does not follow on the last one.
        """
        if block.samples.ndim != 2 or block.samples.shape[1] != self.array.n_microphones:
            raise InputError(
                f"audio block of shape {block.samples.shape}: array {self.array.name} has "
                f"{self.array.n_microphones} microphones, give (n_samples, {self.array.n_microphones})"
            )
        expected = self._position + len(self._pending)
        if block.start_sample != expected:
            raise InputError(
                f"audio block starts at sample {block.start_sample}, expected {expected}: fill the gap or reset"
            )
        self._pending = np.concatenate([self._pending, block.samples])
        tracks: list[Track] = []
        utterances: list[Utterance] = []
        # The matrices are small: BLAS threads would cost more than they save, twentyfold on a busy machine.
        with self._libraries.limit(limits=1, user_api="blas"):
            while len(self._pending) >= STEP:
                samples, self._pending = self._pending[:STEP], self._pending[STEP:]
                tracks += self._step(samples, utterances)
        return HearingOutput(tuple(tracks), tuple(utterances))

    def flush(self) -> HearingOutput:
        """Hear what is left at the end of the stream and finish all open utterances."""
        missing = np.zeros((-len(self._pending) % STEP, self.array.n_microphones), np.float32)
        output = self.process(AudioBlock(missing, self._position + len(self._pending)))
        rest = self._segmenter.close(self._segmenter.track_ids, self._position / SAMPLE_RATE)
        return HearingOutput(output.tracks, output.utterances + tuple(self._recognize(rest, ())))

    def _step(self, samples: Float32Array, utterances: list[Utterance]) -> list[Track]:
        """Take one step; append what was said and return the tracks at each 0.1 s that it passed."""
        begin, self._position = self._position, self._position + len(samples)
        now = self._position / SAMPLE_RATE
        with self._clock("transform"):
            frames = self._stft.process(samples)
        with self._clock("localize"):
            peaks = self._localizer.process(frames)
        with self._clock("track"):
            tracks = self._tracker.process(peaks, now)
        with self._clock("separate"):
            sources = self._separator.process(frames, tracks)
        with self._clock("segment"):
            chunks = self._segment(tracks, sources, now)
        utterances += self._recognize(chunks, tracks)
        before, self._state = (
            self._state,
            tuple(
                replace(track, activity=self._segmenter.activity(track.id), kind=self._kind(track)) for track in tracks
            ),
        )
        # What is reported for a tick must not depend on what was heard after it.
        return [
            replace(track, time=tick / 10)
            for tick in range(-(-begin // TRACK_PERIOD), -(-self._position // TRACK_PERIOD))
            for track in before
        ]

    def _segment(
        self, tracks: tuple[Track, ...], sources: tuple[SourceAudio, ...], now: float
    ) -> tuple[SpeechChunk, ...]:
        live = {track.id for track in tracks}
        chunks = list(self._segmenter.close(self._segmenter.track_ids - live, now))
        self._activity.forget(live)
        for track, audio in zip(tracks, sources, strict=True):
            chunks += self._segmenter.process(track, audio, self._activity.process(audio), now)
        return tuple(chunks)

    def _recognize(self, chunks: tuple[SpeechChunk, ...], tracks: tuple[Track, ...]) -> list[Utterance]:
        self._assembler.follow(chunks, tracks)
        with self._clock("recognize"):
            transcripts = [self._recognizer.process(chunk) for chunk in chunks]
        return [self._assembler.process(transcript) for transcript in transcripts if transcript]

    def _kind(self, track: Track) -> TrackKind:
        return "talker" if self._segmenter.has_spoken(track.id) else "noise"

    @contextmanager
    def _clock(self, stage: str) -> Iterator[None]:
        """Count the computing time of a stage. Nothing that is put out depends on it."""
        begin = time.perf_counter()
        yield
        self.compute_seconds[stage] += time.perf_counter() - begin
