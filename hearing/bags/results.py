"""What a robot has heard, from the result topics of a bag, and a bag as a recording folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from hearing.bags import messages
from hearing.bags.formats import nanoseconds
from hearing.bags.reading import Bag, open_bag
from hearing.bags.streams import Heading, open_bag_recording
from hearing.outputs import SessionLog, Timing
from hearing.types import SAMPLE_RATE, CueConfidence, Direction, HearingOutput, Track, TrackKind, Utterance, Word

_KINDS: dict[int, TrackKind] = {0: "talker", 1: "noise", 2: "robot"}


def unpack(path: Path, out: Path) -> None:
    """Write the first stream of a bag as a recording folder with one channel, and what the robot heard then beside it.

    Time 0 is the robot's: what of its audio was not recorded is silence.

    Parameters
    ----------
    path
        The bag. If it holds no sound, only the results and the truth are written.
    out
        The folder.

    Raises
    ------
    InputError
        If the bag cannot be read.
    """
    (out / "reference").mkdir(parents=True, exist_ok=True)
    with open_bag(path) as bag:
        sound = bool(bag.topics(messages.AUDIO_BLOCK, messages.AUDIO_STAMPED, messages.AUDIO_DATA))
        log, origin = _log(bag), _origin(bag)
        truth = {messages.SEGMENTS: "segments.json", messages.SOURCES: "sources.jsonl"}
        texts = {name: text.data for topic, name in truth.items() if (text := bag.last(topic)) is not None}
    seconds = 0.0
    if sound:
        recording = open_bag_recording(path)
        heading = Heading(1, recording.zero if origin is None else origin)
        samples = np.concatenate([moment.block.samples[:, 0] for at, moment in recording.moments() if at.number == 1])
        late = round((recording.zero - heading.origin) * SAMPLE_RATE / 1e9)
        samples = np.pad(samples[max(-late, 0) :], (max(late, 0), 0))
        seconds = len(samples) / SAMPLE_RATE
        sf.write(out / "audio.wav", samples, SAMPLE_RATE, subtype="PCM_16")
        texts = recording.reference(heading) or {}
    for name, text in texts.items():
        (out / "reference" / name).write_text(text, encoding="utf-8")
    if log is not None:
        log.write(out, path.stem, Timing(seconds, 0.0))


def _origin(bag: Bag) -> int | None:
    """Return the ROS time of the robot's time 0 in nanoseconds, or None if it has heard nothing."""
    for kind, time in ((messages.TRACK_ARRAY, "time"), (messages.UTTERANCE, "start_time")):
        for entry in bag.read(bag.topics(kind)[:1]):
            return nanoseconds(entry.message.header.stamp) - round(float(getattr(entry.message, time)) * 1e9)
    return None


def _log(bag: Bag) -> SessionLog | None:
    """Collect utterances and tracks, or return None if the bag holds no utterances."""
    utterances, tracks = bag.topics(messages.UTTERANCE), bag.topics(messages.TRACK_ARRAY)
    if not utterances:
        return None
    log = SessionLog()
    for entry in bag.read(utterances[:1]):
        log.add(HearingOutput(utterances=(_utterance(entry.message),)))
    for entry in bag.read(tracks[:1]):
        log.add(HearingOutput(tracks=tuple(_track(track, entry.message.time) for track in entry.message.tracks)))
    return log


def _utterance(message: Any) -> Utterance:
    return Utterance(
        id=message.id,
        revision=message.revision,
        final=message.is_final,
        speaker=message.speaker,
        track_id=message.track_id,
        words=tuple(_word(word) for word in message.words),
        start_time=message.start_time,
        end_time=message.end_time,
        direction=Direction(message.azimuth, message.elevation),
        confidence=CueConfidence(recognition=message.confidence_recognition),
        addressed_to_robot=message.addressed_to_robot,
        face_id=message.face_id or None,
    )


def _word(word: Any) -> Word:
    final = None if math.isnan(word.emitted_final) else word.emitted_final
    return Word(word.text, word.start_time, word.end_time, word.confidence, word.emitted_partial, final)


def _track(track: Any, time: float) -> Track:
    return Track(
        id=track.id,
        time=time,
        direction=Direction(track.azimuth, track.elevation),
        activity=track.activity,
        kind=_KINDS[track.kind],
    )
