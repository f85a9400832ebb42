"""A bag as what the pipeline takes: streams of sound, and what was played, seen and driven meanwhile.

Audio goes through the same checks as in the ROS node (`hearing.continuity`): gaps are filled with silence, repeated and
late blocks dropped, and a stream that starts anew ends the one before. Stream time maps onto ROS time by the stamp of a
stream's first sample. Everything else is taken at its own stamp, whenever it was recorded.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hearing.arrays import MicrophoneArray, load_array
from hearing.bags import messages
from hearing.bags.audio import AudioReader, audio_format
from hearing.bags.companions import Pictures, Playback, resampled
from hearing.bags.formats import AudioFormat
from hearing.bags.pictures import find_camera
from hearing.bags.reading import Bag, open_bag
from hearing.bags.transforms import Frames
from hearing.continuity import Continuity, Faults
from hearing.errors import InputError
from hearing.motion import MotionLog
from hearing.recording import Moment
from hearing.types import SAMPLE_RATE, ArrayMotion, AudioBlock

if TYPE_CHECKING:
    from hearing.vision.camera import Camera

MAX_GAP = 5.0
"""Longest gap in seconds that is filled with silence, as in the ROS node."""
_SOUND = (messages.AUDIO_BLOCK, messages.AUDIO_STAMPED, messages.AUDIO_DATA)
_States = list[tuple[int, str]]


class Heading(NamedTuple):
    """What is known at the beginning of a stream: its number, and the ROS time of its first sample in nanoseconds."""

    number: int
    origin: int


@dataclass(frozen=True, slots=True, eq=False)
class BagRecording:
    """A bag whose topics have been found and that can be heard, made by `open_bag_recording`.

    Attributes
    ----------
    path, session_id
        The bag, and its name.
    array
        The microphones.
    audio, playback, pictures
        Topics; None for what there is not.
    form, playback_form
        How the samples of the first two are sent.
    camera
        Calibration of the camera; None if its pictures are not used.
    frames, array_frame
        How the robot's frames move, and which one the microphones are in.
    states
        The robot's motion states, with the nanoseconds at which they begin.
    start, duration
        When hearing starts in nanoseconds of the bag's clock, and the seconds until the bag's end.
    zero
        ROS time of the first sample of audio in the bag: the reference's time 0.
    notices
        One line each about what is guessed or left unused.
    faults
        What was wrong with the audio that has been read so far.
    """

    path: Path
    session_id: str
    array: MicrophoneArray
    audio: str
    form: AudioFormat
    playback: str | None
    playback_form: AudioFormat | None
    pictures: str | None
    camera: Camera | None
    frames: Frames
    array_frame: str
    states: _States
    start: int
    duration: float
    zero: int
    notices: tuple[str, ...] = ()
    faults: Faults = field(default_factory=Faults)

    def moments(self) -> Iterator[tuple[Heading, Moment]]:
        """Read the bag: its streams after each other, with what was played and seen meanwhile.

        Raises
        ------
        InputError
            If the bag is damaged, or none of its audio can be used.
        """
        with open_bag(self.path) as bag:
            heading, played, seen = None, None, None
            for origin, block in self._blocks(bag):
                if heading is None or origin != heading.origin:
                    heading = Heading(heading.number + 1 if heading else 1, origin)
                    played, seen = self._played(bag, origin), self._seen(bag, origin)
                playback = played.take(len(block.samples)) if played is not None else None
                frames = tuple(seen.until(block.end_time)) if seen is not None else ()
                yield heading, Moment(block, playback, frames)

    def motion(self, heading: Heading) -> MotionLog | None:
        """Return how the array moves in a stream, or None if the bag does not tell."""
        if not self.frames.moves(self.array_frame):
            return None
        poses = list(self.frames.motion(self.array_frame, heading.origin))
        starts = [(nanosecond - heading.origin) / 1e9 for nanosecond, _ in self.states]
        known = np.searchsorted(starts, [pose.time for pose in poses], side="right") - 1
        return MotionLog(
            [
                ArrayMotion(pose.time, pose.position, pose.yaw, self.states[index][1] if index >= 0 else None)
                for pose, index in zip(poses, known, strict=True)
            ]
        )

    def reference(self, heading: Heading) -> dict[str, str] | None:
        """Return the truth of a stream as texts of `segments.json` and `sources.jsonl`, or None if there is none.

        Times are those of the stream; what began before it is left out.
        """
        with open_bag(self.path) as bag:
            segments, sources = bag.last(messages.SEGMENTS), bag.last(messages.SOURCES)
        if segments is None:
            return None
        shift = (heading.origin - self.zero) / 1e9
        try:
            texts = {"segments.json": json.dumps(_shifted(json.loads(segments.data), shift), indent=1) + "\n"}
            if sources is not None:
                lines = [json.loads(line) for line in sources.data.splitlines()]
                texts["sources.jsonl"] = "".join(json.dumps(line) + "\n" for line in _shifted(lines, shift))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.path}: {messages.SEGMENTS} is no reference ({error}); see docs/bags.md") from error
        return texts

    def _blocks(self, bag: Bag) -> Iterator[tuple[int, AudioBlock]]:
        """Read the audio of all streams at `SAMPLE_RATE`, each block with its stream's origin."""
        for origin, stream in groupby(self._admitted(bag), key=lambda pair: pair[0]):
            for block in resampled((block for _, block in stream), self.form):
                yield origin, block

    def _admitted(self, bag: Bag) -> Iterator[tuple[int, AudioBlock]]:
        """Hear the messages as the ROS node does; blocks are at the sender's sample rate."""
        reader = AudioReader(bag.type_of(self.audio), self.form)
        continuity = Continuity(MAX_GAP, self.faults, self.form.sample_rate)
        origin: int | None = None
        found, problem = False, "it ends before"
        for entry in bag.read([self.audio], self.start):
            try:
                heard = reader.read(entry)
            except InputError as error:
                self.faults.bad += 1
                problem = str(error)
            else:
                admission = continuity.admit(heard.block, heard.stamp)
                origin = heard.stamp if origin is None or admission.restart else origin
                for block in filter(lambda block: len(block.samples), admission.blocks):
                    found = True
                    yield origin, block
            if getattr(entry.message, "end_of_stream", False):
                continuity.reset()
                origin = None
        if not found:
            raise InputError(f"{self.path}: no audio on {self.audio} that can be used from there on ({problem})")

    def _played(self, bag: Bag, origin: int) -> Playback | None:
        if self.playback is None or self.playback_form is None:
            return None
        reader = AudioReader(bag.type_of(self.playback), self.playback_form)
        return Playback((reader.read(entry) for entry in bag.read([self.playback])), self.playback_form, origin)

    def _seen(self, bag: Bag, origin: int) -> Pictures | None:
        if self.camera is None or self.pictures is None:
            return None
        return Pictures(bag, self.pictures, self.camera, origin, self.start)


def _shifted(records: list[dict[str, Any]], shift: float) -> list[dict[str, Any]]:
    """Count the times of segments or sources from another time on; drop what began before."""
    if abs(shift) < 1e-3:
        return records
    shifted = []
    for record in records:
        times = {key: round(record[key] - shift, 3) for key in ("time", "start_time", "end_time") if key in record}
        if min(times.values()) >= 0:
            record = {key: value for key, value in record.items() if key != "word_times"}
            shifted.append(record | times)
    return shifted


def open_bag_recording(
    path: Path, array: str | None = None, start: float = 0.0, topic: str | None = None, camera: Path | None = None
) -> BagRecording:
    """Find out what a bag holds, so that it can be heard.

    Parameters
    ----------
    path
        The bag.
    array
        Name or YAML file of the array; by default what the bag says on `messages.ARRAY`.
    start
        Seconds after the bag's beginning at which to start.
    topic
        Of audio; needed if the bag holds that of several arrays.
    camera
        YAML file of the camera; by default its `CameraInfo` and tf tell.

    Raises
    ------
    InputError
        If there is no such bag, it is damaged, or holds no audio of this array.
    """
    with open_bag(path) as bag:
        begin = bag.start + round(start * 1e9)
        if not bag.start <= begin <= bag.end:
            raise InputError(f"{path}: it lasts {(bag.end - bag.start) / 1e9:.1f} s; --start {start:g} is outside")
        audio = _audio_topic(bag, topic)
        microphones = load_array(array) if array is not None else _described(bag)
        form = audio_format(bag, audio, microphones.n_microphones)
        first = AudioReader(bag.type_of(audio), form).read(next(bag.read([audio])))
        frame = first.frame.lstrip("/") or messages.ARRAY_FRAME
        frames = _frames(bag)
        pictures, view, notices = find_camera(bag, frames, frame, camera)
        played = next((name for name in bag.topics(*_SOUND) if name.endswith("playback") and name != audio), None)
        return BagRecording(
            path=path,
            session_id=path.resolve().stem if path.is_file() else path.resolve().name,
            array=microphones,
            audio=audio,
            form=form,
            playback=played,
            playback_form=audio_format(bag, played, None) if played else None,
            pictures=pictures,
            camera=view,
            frames=frames,
            array_frame=frame,
            states=[(entry.time, entry.message.data) for entry in bag.read([messages.STATE])],
            start=begin,
            duration=(bag.end - begin) / 1e9,
            zero=first.stamp,
            notices=(*_about_audio(bag, audio, form), *notices),
        )


def _audio_topic(bag: Bag, topic: str | None) -> str:
    found = bag.topics(*_SOUND)
    if topic is not None:
        if topic not in found:
            raise InputError(f"{bag.path}: no audio on {topic}; there is {', '.join(found) or 'none'}")
        return topic
    heard = [name for name in found if not name.endswith("playback")]
    # A message without a stamp says less than the same with one, and a block that is numbered says most.
    for kind in _SOUND:
        best = [name for name in heard if bag.type_of(name) == kind]
        if len(best) > 1:
            raise InputError(f"{bag.path}: audio on {', '.join(best)}; say which to hear with --topic")
        if best:
            return best[0]
    raise InputError(f"{bag.path}: no audio: none of {', '.join(_SOUND)}; record the microphones' topic")


def _described(bag: Bag) -> MicrophoneArray:
    description = bag.last(messages.ARRAY)
    if description is None:
        raise InputError(f"{bag.path}: the array is not known; add --array NAME or FILE.yaml, see `hearing arrays`")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "array.yaml"
        file.write_text(description.data, encoding="utf-8")
        return load_array(file)


def _frames(bag: Bag) -> Frames:
    frames = Frames()
    transforms = bag.topics(messages.TRANSFORMS)
    for static in (True, False):
        for entry in bag.read([name for name in transforms if name.endswith("tf_static") == static]):
            frames.add(entry.message, static)
    for entry in bag.read(bag.topics(messages.ODOMETRY)[:1]):
        frames.add_odometry(entry.message)
    return frames


def _about_audio(bag: Bag, audio: str, form: AudioFormat) -> Iterator[str]:
    kind = bag.type_of(audio)
    if kind != messages.AUDIO_BLOCK and not bag.topics(messages.AUDIO_INFO):
        yield f"{audio} has no AudioInfo: taken for {form.channels} channels of S16LE at {form.sample_rate} Hz"
    if kind == messages.AUDIO_DATA:
        yield f"{audio} has no stamps: gaps shorter than a second cannot be found; record audio_stamped"
    if form.sample_rate != SAMPLE_RATE:
        yield f"{audio} is resampled from {form.sample_rate} Hz to {SAMPLE_RATE} Hz"
