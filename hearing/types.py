"""What the stages pass to each other: small frozen dataclasses, all owned by this module.

Units are SI; time is the stream's sample clock in seconds from the first sample; angles are radians in the array
frame, which follows REP-103 (x forward, y left, z up; azimuth counter-clockwise from x, elevation up from the
horizontal plane).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Sample rate of everything inside the pipeline, in Hz."""

Float32Array = NDArray[np.float32]
TrackKind = Literal["talker", "noise", "robot"]


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """A stretch of multichannel audio.

    Attributes
    ----------
    samples
        Float32 array of shape (n_samples, n_microphones), full scale is 1.
    start_sample
        Index of the first sample on the stream's sample clock.
    """

    samples: Float32Array
    start_sample: int

    @property
    def start_time(self) -> float:
        """Time of the first sample in seconds."""
        return self.start_sample / SAMPLE_RATE

    @property
    def end_time(self) -> float:
        """Time just after the last sample in seconds."""
        return (self.start_sample + len(self.samples)) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Direction:
    """A direction of arrival in the array frame.

    Attributes
    ----------
    azimuth
        Radians, counter-clockwise from x, in (-pi, pi].
    elevation
        Radians, up from the horizontal plane, in [-pi/2, pi/2].
    """

    azimuth: float
    elevation: float = 0.0

    @classmethod
    def from_vector(cls, vector: NDArray[np.float64]) -> Direction:
        """Make a direction from a vector of shape (3,) of any length but zero."""
        x, y, z = (float(v) for v in vector)
        return cls(math.atan2(y, x), math.atan2(z, math.hypot(x, y)))

    @property
    def vector(self) -> NDArray[np.float64]:
        """Unit vector of shape (3,) that points from the array to the source."""
        c = math.cos(self.elevation)
        return np.array([c * math.cos(self.azimuth), c * math.sin(self.azimuth), math.sin(self.elevation)])

    @property
    def azimuth_deg(self) -> float:
        """Azimuth in degrees, for people."""
        return math.degrees(self.azimuth)

    @property
    def elevation_deg(self) -> float:
        """Elevation in degrees, for people."""
        return math.degrees(self.elevation)

    def angle_to(self, other: Direction) -> float:
        """Angle between two directions in radians."""
        return math.acos(float(np.clip(self.vector @ other.vector, -1.0, 1.0)))


@dataclass(frozen=True, slots=True, eq=False)
class ArrayMotion:
    """Where the robot carries the array, and how it moves.

    Attributes
    ----------
    time
        Stream time in seconds.
    position
        Origin of the array frame in the frame that it had when the stream started, of shape (3,) in metres.
    yaw
        Its rotation about z since then, in radians counter-clockwise; continuous, so that it may exceed pi.
    state
        `idle`, `head_turning`, `driving` or another name of the robot's; None if it is not known.
    """

    time: float
    position: NDArray[np.float64]
    yaw: float
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Peak:
    """A maximum of the steered response power: somewhere sound may come from.

    Attributes
    ----------
    direction
        Where it is.
    power
        Steered response power with phase transform, normalised to [0, 1]: 1 is a plane wave without noise.
    likelihood
        Probability that a source is there, calibrated on simulated rooms.
    """

    direction: Direction
    power: float
    likelihood: float


@dataclass(frozen=True, slots=True)
class Track:
    """A source followed over time.

    Attributes
    ----------
    id
        Unique in the stream, never used again.
    time
        Stream time of this state in seconds.
    direction
        Where the source is.
    activity
        Probability that the source sounds now.
    kind
        What the source is.
    tentative
        True as long as nobody was heard to talk there: not reported, and no utterance begins on it.
    """

    id: int
    time: float
    direction: Direction
    activity: float
    kind: TrackKind = "talker"
    tentative: bool = False


@dataclass(frozen=True, slots=True)
class SourceAudio:
    """The separated signal of one track.

    Attributes
    ----------
    track_id
        The track it belongs to.
    samples
        What the beam hears, for recognition: float32 array of shape (n_samples,).
    enhanced
        The same with what is left of others and of noise turned down, for people.
    talking
        Probability that the track's talker talks, for every 16 ms of the samples.
    start_sample
        Index of the first sample on the stream's sample clock. The stretches of one track follow on each other.
    claimed
        As `talking`, before it is decided whose voice it is that several tracks claim; None if that is the same.
    """

    track_id: int
    samples: Float32Array
    enhanced: Float32Array
    talking: Float32Array
    start_sample: int
    claimed: Float32Array | None = None


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A stretch of one utterance's audio, on its way to the recognizer.

    Attributes
    ----------
    utterance_id
        The utterance it belongs to; unique in the stream.
    track_id
        The track that speaks.
    samples
        Float32 array of shape (n_samples,); may be empty in the last chunk.
    start_time
        Time of the first sample in seconds. The chunks of one utterance follow on each other.
    now
        Stream time at which the chunk is handed on: nothing after it has been heard yet.
    last
        True if the utterance ends with this chunk.
    opened
        Time of the utterance's first sample in seconds.
    whole
        The whole utterance, heard again with all that is known at its end; only in the last chunk, and None where that
        cannot be.
    settled
        Time in seconds from which on it is not disputed that the voice is this track's.
    """

    utterance_id: str
    track_id: int
    samples: Float32Array
    start_time: float
    now: float
    last: bool
    opened: float = 0.0
    whole: Float32Array | None = None
    settled: float = 0.0

    @property
    def end_time(self) -> float:
        """Time just after the last sample in seconds."""
        return self.start_time + len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Word:
    """A recognized word.

    Attributes
    ----------
    text
        The word as it is written, punctuation included.
    start_time, end_time
        Seconds of stream time.
    confidence
        Probability that the word is right.
    emitted_partial
        Stream time at which the word first appeared in a partial result and stayed.
    emitted_final
        Stream time at which the word became final, or None in a partial result.
    """

    text: str
    start_time: float
    end_time: float
    confidence: float
    emitted_partial: float
    emitted_final: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the recognizer makes of an utterance so far.

    Attributes
    ----------
    utterance_id, track_id
        Whose transcript it is.
    words
        All words of the utterance so far. A final transcript without words says that nothing was said.
    confidence
        Probability that the words are right, 0 without words.
    final
        True in the last transcript of an utterance.
    stable
        So many words at the beginning stay in all further partial transcripts; all of them in the last one.
    """

    utterance_id: str
    track_id: int
    words: tuple[Word, ...]
    confidence: float
    final: bool
    stable: int = 0


@dataclass(frozen=True, slots=True)
class SpottedWord:
    """A word that was listened for and heard, known before any transcript has it.

    Attributes
    ----------
    word
        The word or phrase, as it was asked for.
    utterance_id, track_id
        Where it was heard.
    start_time, end_time
        Seconds of stream time.
    emitted
        Stream time at which it was known.
    probability
        That it was said.
    before
        What was said before it in the same breath, as the letters were heard.
    direction
        From where it came; None if the track is gone.
    """

    word: str
    utterance_id: str
    track_id: int
    start_time: float
    end_time: float
    emitted: float
    probability: float
    before: str = ""
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class CueConfidence:
    """How sure each cue is, as probabilities; None where a cue was not used.

    Attributes
    ----------
    recognition
        That the words are right.
    direction
        That the speaker is right, judged by direction.
    voice
        That the speaker is right, judged by the voice.
    face
        That the speaker is right, judged by the face and its lips.
    speaker
        That the speaker is right, judged by all of them together.
    """

    recognition: float
    direction: float | None = None
    voice: float | None = None
    face: float | None = None
    speaker: float | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """Who said what, from where, and to whom.

    An utterance is published again with a higher revision whenever something about it changes. `final` is set when its
    words are; if it has none, the utterance is withdrawn. After its end a final one may be published once more:
    within 2 s with another speaker, within 4 s without words, as the echo of another one.

    Attributes
    ----------
    id
        Unique in the stream, the same in all revisions.
    revision
        0, 1, 2, ...
    final
        True if its words will not change any more.
    speaker
        Who: the name of a person whom the robot knows, an anonymous but persistent one such as `talker_1`, or
        `unknown`.
    track_id
        The direction track it was heard on.
    words
        What, as a tuple of words.
    start_time, end_time
        When, in seconds of stream time.
    direction
        From where: the track's direction averaged over the utterance.
    confidence
        How sure each cue is.
    addressed_to_robot
        To whom: probability that it is said to the robot.
    face_id
        The face that says it, if one is seen.
    """

    id: str
    revision: int
    final: bool
    speaker: str
    track_id: int
    words: tuple[Word, ...]
    start_time: float
    end_time: float
    direction: Direction
    confidence: CueConfidence
    addressed_to_robot: float
    face_id: str | None = None

    @property
    def text(self) -> str:
        """The words as one string."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Mouth:
    """A mouth that a camera sees now.

    Attributes
    ----------
    direction
        Where it is, in the array frame.
    speaking
        Probability that it speaks, by how it moves.
    """

    direction: Direction
    speaking: float


@dataclass(frozen=True, slots=True)
class FaceState:
    """A face that a camera sees, and whether it speaks.

    Attributes
    ----------
    time
        Stream time of this state in seconds.
    face_id
        Unique in the stream, never used again.
    direction, distance
        Of the mouth, from the origin of the array frame; metres.
    box
        Left, top, width and height in pixels.
    speaking
        Probability that the face speaks now, by its lips and by what is heard from there.
    facing
        Probability that the person looks at the robot.
    """

    time: float
    face_id: str
    direction: Direction
    distance: float
    box: tuple[float, float, float, float]
    speaking: float
    facing: float


@dataclass(frozen=True, slots=True)
class HearingOutput:
    """What the pipeline has to say after a block.

    Attributes
    ----------
    tracks
        State of every track, at every full 0.1 s of stream time that the block passed.
    utterances
        New or revised utterances in order of time.
    faces
        State of every face that is seen, at the same times.
    spotted
        Words that were listened for, in order of time; one comes again if it now seems to come after something else.
    """

    tracks: tuple[Track, ...] = field(default=())
    utterances: tuple[Utterance, ...] = field(default=())
    faces: tuple[FaceState, ...] = field(default=())
    spotted: tuple[SpottedWord, ...] = field(default=())

    def __add__(self, other: HearingOutput) -> HearingOutput:
        """Append what comes later."""
        return HearingOutput(
            self.tracks + other.tracks,
            self.utterances + other.utterances,
            self.faces + other.faces,
            self.spotted + other.spotted,
        )
