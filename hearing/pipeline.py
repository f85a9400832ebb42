"""The whole line from microphones to who-said-what, streaming and causal.

front end -> voice activity -> segmentation -> recognition -> attribution. Every stage is an object of its own with
`process` and `reset`; this module only connects them.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from threadpoolctl import ThreadpoolController

from hearing.activity import VoiceActivity
from hearing.arrays import MicrophoneArray
from hearing.attribution import AttributionConfig, PersonAttribution
from hearing.errors import InputError
from hearing.front_end import FrontEnd, FrontEndConfig, FrontEndOutput
from hearing.health import ChannelFault
from hearing.recognition import Recognizer
from hearing.recognition.catalogue import MODELS
from hearing.recognition.engines import DEFAULT_ENGINE
from hearing.recognition.scheduling import RecognitionQueue, SchedulingConfig
from hearing.recognition.store import locate
from hearing.segmentation import SegmentationConfig, UtteranceSegmenter
from hearing.stft import HOP
from hearing.types import (
    SAMPLE_RATE,
    ArrayMotion,
    AudioBlock,
    FaceState,
    Float32Array,
    HearingOutput,
    Mouth,
    SourceAudio,
    SpeechChunk,
    SpottedWord,
    Track,
    Transcript,
    Utterance,
)
from hearing.utterances import UtteranceAssembler
from hearing.voices import VoiceEncoder, VoiceProfile

if TYPE_CHECKING:
    from hearing.vision.face import Sight

STEP = 4 * HOP
"""Samples that the stages take at once: 64 ms."""
TRACK_PERIOD = SAMPLE_RATE // 10
_OLD = 0.2
"""Seconds after which what was seen of mouths does not count for what is heard."""
StepListener = Callable[[tuple[Track, ...], tuple[SourceAudio, ...]], None]
"""Is told of every step the people who are heard, and their separated signals."""
MotionSource = Callable[[float], ArrayMotion]
"""Tells how the array moves at a time in seconds, from what is known then."""


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """Settings of all stages.

    Attributes
    ----------
    engine, engine_folder
        Which speech recognition engine `Pipeline.create` loads, and the folder of its model if it shall not be the
        packaged one; see `hearing.recognition.engines`.
    scheduling
        How much the recognizer may compute; for the one that `Pipeline.create` makes.
    """

    front_end: FrontEndConfig = field(default_factory=FrontEndConfig)
    segmentation: SegmentationConfig = field(default_factory=SegmentationConfig)
    engine: str = DEFAULT_ENGINE
    engine_folder: Path | None = None
    scheduling: SchedulingConfig = field(default_factory=SchedulingConfig)
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
    attribution
        Tells who speaks; without, by direction alone.

    Attributes
    ----------
    listener
        Is told of every step who is heard, and what of him; for turn-taking.
    """

    def __init__(
        self,
        array: MicrophoneArray,
        recognizer: Recognizer,
        activity: VoiceActivity,
        config: PipelineConfig | None = None,
        attribution: PersonAttribution | None = None,
    ) -> None:
        self.array = array
        self.config = config or PipelineConfig()
        self._front_end = FrontEnd(array, self.config.front_end)
        self._activity = activity
        self._segmenter = UtteranceSegmenter(self.config.segmentation)
        self._recognizer = recognizer
        segmentation = self.config.segmentation
        attribution = attribution or PersonAttribution(self.config.attribution)
        self._assembler = UtteranceAssembler(attribution, segmentation.lead, segmentation.tail)
        self.listener: StepListener | None = None
        self._libraries = ThreadpoolController()
        self.reset()

    @classmethod
    def create(
        cls,
        array: MicrophoneArray,
        config: PipelineConfig | None = None,
        known: Mapping[str, VoiceProfile] | None = None,
        recognizer: Recognizer | None = None,
    ) -> Self:
        """Load the models and connect the stages.

        Parameters
        ----------
        array
            The microphones.
        config
            Settings of the stages.
        known
            Voices that are remembered from before, by name, see `hearing.memory.PeopleStore`.
        recognizer
            Turns utterances into words; None: the configuration's engine does.

        Raises
        ------
        InputError
            If there is no such engine, or a model is missing or is not the one it should be.
        """
        activity = VoiceActivity(locate(MODELS["silero-vad-v6"]) / "silero_vad_v6.onnx")
        config = config or PipelineConfig()
        if recognizer is None:
            recognizer = Recognizer.create(config.scheduling, config.engine, config.engine_folder)
        encoder = VoiceEncoder() if config.attribution.voice else None
        attribution = PersonAttribution(config.attribution, encoder, known)
        return cls(array, recognizer, activity, config, attribution)

    @property
    def latency(self) -> float:
        """Seconds by which a final utterance lags behind its last word, computing time aside."""
        return (
            STEP / SAMPLE_RATE
            + self._front_end.latency
            + self._activity.latency
            + self._segmenter.latency
            + self._recognizer.latency
        )

    def reset(self) -> None:
        """Start a new stream."""
        for stage in (self._front_end, self._activity, self._segmenter, self._recognizer, self._assembler):
            stage.reset()
        self._compute_seconds: defaultdict[str, float] = defaultdict(float)
        self._pending: Float32Array = np.zeros((0, self.array.n_microphones), np.float32)
        self._played: Float32Array | None = None
        self._motion: MotionSource | None = None
        self._sights: list[Sight] = []
        self._seen: list[Sight] = []
        self._position = 0
        self._state: tuple[Track, ...] = ()
        self._faces: tuple[FaceState, ...] = ()
        self.faults: tuple[ChannelFault, ...] = ()

    @property
    def compute_seconds(self) -> dict[str, float]:
        """Seconds of work per stage."""
        return {**self._front_end.compute_seconds, **self._compute_seconds}

    @property
    def seconds(self) -> float:
        """Stream time up to which everything was heard."""
        return self._position / SAMPLE_RATE

    @property
    def queue(self) -> RecognitionQueue:
        """What the recognizer has yet to do."""
        return self._recognizer.queue

    def check_phrases(self, phrases: Sequence[str]) -> None:
        """Make sure that `bias` will take phrases; unlike that it takes no time and may be asked from any thread.

        Raises
        ------
        InputError
            If the engine takes none, one has neither letters nor digits, or there are too many.
        """
        self._recognizer.check_phrases(phrases)

    def bias(self, phrases: Sequence[str]) -> None:
        """Expect these words and phrases from now on; replaces earlier ones. Refuses what `check_phrases` refuses."""
        self._recognizer.bias(phrases)

    def listen_for(self, words: Sequence[str]) -> None:
        """Spot these words and phrases from now on (`HearingOutput.spotted`); replaces earlier ones.

        With an engine that cannot, none are spotted.

        Raises
        ------
        InputError
            If one has neither letters nor digits, or there are too many.
        """
        self._recognizer.listen_for(words)

    def process(
        self,
        block: AudioBlock,
        playback: Float32Array | None = None,
        motion: MotionSource | None = None,
        sights: Sequence[Sight] = (),
    ) -> HearingOutput:
        """Hear the next block.

        Parameters
        ----------
        block
            Any number of samples, following on the last block.
        playback
            What the robot's loudspeaker played meanwhile, of shape (n_samples, n_channels), if it has one: with every
            block of a stream or with none.
        motion
            Tells how the array moves at a time of the stream, if the robot knows.
        sights
            What cameras have seen since the last block, in order of time, see `hearing.vision.Eyes`. What comes late
            counts for what is judged later.

        Raises
        ------
        InputError
            If the block has the wrong number of channels or does not follow on the last one, or if the playback is
            not as long as the block.
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
        if playback is not None and len(playback) != len(block.samples):
            raise InputError(f"{len(playback)} samples of playback for {len(block.samples)} of sound: give as many")
        self._motion = motion
        self._sights += sights
        if playback is not None:
            self._played = playback if self._played is None else np.concatenate([self._played, playback])
        self._pending = np.concatenate([self._pending, block.samples])
        output = HearingOutput()
        # The matrices are small: BLAS threads would cost more than they save, twentyfold on a busy machine.
        with self._libraries.limit(limits=1, user_api="blas"):
            while len(self._pending) >= STEP:
                samples, self._pending = self._pending[:STEP], self._pending[STEP:]
                played = None
                if self._played is not None:
                    played, self._played = self._played[:STEP], self._played[STEP:]
                output += self._step(samples, played, motion)
        return output

    def flush(self) -> HearingOutput:
        """Hear what is left at the end of the stream and finish all open utterances."""
        missing = -len(self._pending) % STEP
        silence = np.zeros((missing, self.array.n_microphones), np.float32)
        played = None if self._played is None else np.zeros((missing, self._played.shape[1]), np.float32)
        output = self.process(AudioBlock(silence, self._position + len(self._pending)), played, self._motion)
        now = self._position / SAMPLE_RATE
        # As in `process`: what BLAS gives depends in its last digits on its threads.
        with self._libraries.limit(limits=1, user_api="blas"):
            self._take(self._segmenter.close(self._segmenter.track_ids, now), now)
            with self._clock("recognize"):
                transcripts = self._recognizer.flush(now)
        utterances = self._published(transcripts)
        with self._clock("attribute"):
            utterances += self._assembler.corrections(now)
        return output + HearingOutput(utterances=utterances)

    def _step(self, samples: Float32Array, played: Float32Array | None, motion: MotionSource | None) -> HearingOutput:
        """Take one step; return what was said, and tracks and faces at each 0.1 s that it passed."""
        begin, self._position = self._position, self._position + len(samples)
        now = self._position / SAMPLE_RATE
        moves = motion(now) if motion is not None else None
        seen, self._sights = _until(now, self._sights)
        heard = self._front_end.process(samples, played, moves, self._mouths(seen, now))
        self.faults = heard.faults
        with self._clock("segment"):
            chunks = self._segment(heard, now)
        with self._clock("attribute"):
            self._assembler.see(seen, moves)
        self._take(chunks, now, heard, moves)
        with self._clock("recognize"):
            spotted = self._recognizer.spot(now)
            transcripts = self._recognizer.advance(now, self._assembler.addressing)
        utterances = self._published(transcripts)
        people = tuple(
            replace(track, activity=self._segmenter.activity(track.id)) for track in heard.tracks if not track.tentative
        )
        if self.listener is not None:
            known = {track.id for track in people}
            self.listener(people, tuple(source for source in heard.sources if source.track_id in known))
        with self._clock("attribute"):
            utterances += self._assembler.corrections(now)
            faces = self._assembler.faces(now, people)
        # What is reported for a tick must not depend on what was heard after it.
        tracks, self._state = self._state, people + heard.machines
        before, self._faces = self._faces, faces
        ticks = [tick / 10 for tick in range(-(-begin // TRACK_PERIOD), -(-self._position // TRACK_PERIOD))]
        return HearingOutput(
            tuple(replace(track, time=tick) for tick in ticks for track in tracks),
            utterances,
            tuple(replace(face, time=tick) for tick in ticks for face in before),
            _placed(spotted, heard.tracks),
        )

    def _mouths(self, seen: Sequence[Sight], now: float) -> tuple[Mouth, ...]:
        """Return the mouths that cameras see, each as in the last frame that it was in."""
        self._seen = [sight for sight in (*self._seen, *seen) if now - sight.time <= _OLD]
        mouths = {
            face.id: Mouth(face.direction, lips.speaking)
            for sight in self._seen
            for face, lips in zip(sight.faces, sight.lips, strict=True)
            if face.mouth is not None
        }
        return tuple(mouths.values())

    def _segment(self, heard: FrontEndOutput, now: float) -> tuple[SpeechChunk, ...]:
        live = {track.id for track in heard.tracks}
        chunks = list(self._segmenter.close(self._segmenter.track_ids - live, now))
        self._activity.forget(live)
        for track, audio in zip(heard.tracks, heard.sources, strict=True):
            chunks += self._segmenter.process(track, audio, self._activity.process(audio), now)
        return tuple(chunks)

    def _take(
        self,
        chunks: tuple[SpeechChunk, ...],
        now: float,
        heard: FrontEndOutput | None = None,
        motion: ArrayMotion | None = None,
    ) -> None:
        """Hand new audio of utterances to the recognizer, and note all that will be forgotten when it gets to it."""
        with self._clock("attribute"):
            if heard is None:
                self._assembler.follow(chunks, (), now)
            else:
                self._assembler.follow(
                    chunks, heard.tracks, now, heard.sources, motion, heard.moving, heard.robot_talks
                )
        for chunk in chunks:
            self._recognizer.accept(self._heard_again(chunk) if chunk.last else chunk)

    def _published(self, transcripts: list[Transcript]) -> tuple[Utterance, ...]:
        return tuple(self._assembler.process(transcript) for transcript in transcripts)

    def _heard_again(self, chunk: SpeechChunk) -> SpeechChunk:
        """Add to an utterance's last chunk what the whole utterance sounds like with all that is known at its end."""
        start, end = (round(time * SAMPLE_RATE) for time in (chunk.opened, chunk.end_time))
        return replace(chunk, whole=self._front_end.hear_again(chunk.track_id, start, end - start))

    @contextmanager
    def _clock(self, stage: str) -> Iterator[None]:
        """Count the computing time of a stage. Nothing that is put out depends on it."""
        begin = time.perf_counter()
        yield
        self._compute_seconds[stage] += time.perf_counter() - begin


def _placed(spotted: Sequence[SpottedWord], tracks: Sequence[Track]) -> tuple[SpottedWord, ...]:
    """Say from where words came."""
    directions = {track.id: track.direction for track in tracks}
    return tuple(replace(word, direction=directions.get(word.track_id)) for word in spotted)


def _until(now: float, sights: list[Sight]) -> tuple[list[Sight], list[Sight]]:
    """Part what was seen until a time from what is seen later."""
    return [sight for sight in sights if sight.time <= now], [sight for sight in sights if sight.time > now]
