"""The hri node: voices and persons that were heard and seen, and who is whose, as REP-155 and tf have them."""

from __future__ import annotations

import array
import sys
from collections.abc import Iterator

import numpy as np
from geometry_msgs.msg import TransformStamped
from hearing_msgs.msg import Faces, HeardStep, TrackArray, Utterance
from std_msgs.msg import Bool, Float32, Header, String

from hearing import types
from hearing.audio_file import sixteen_bits
from hearing.errors import InputError
from hearing_nodes import conversions, frames, optional, sights
from hearing_nodes.conversions import nanoseconds, stream_origin
from hearing_nodes.frames import FramePublisher, FrameTree
from hearing_nodes.human_topics import NEW_QOS, PASSING_QOS, HumanTopics
from hearing_nodes.identifiers import face_id, voice_id
from hearing_nodes.node import AUDIO_QOS, OK, WARN, Diagnosis, StageNode, run
from hearing_nodes.persons import Person, Persons, place

LANGUAGE = "en"
LINGER = 1.0
"""Seconds for which the topics of a voice stay that is not heard any more and has nothing left to be recognized."""


class Hri(StageNode):
    """Publishes what other nodes for human-robot interaction understand.

    Subscribes `hearing/tracks`, `hearing/utterances`, `hearing/faces`, `hearing/steps` and tf; publishes
    `/humans/voices`, `/humans/persons` and `/humans/candidate_matches` if `hri_msgs` is installed, and frames of voices
    and persons.
    """

    aspect = "humans"

    def __init__(self) -> None:
        super().__init__("hri")
        self.declare("humans", "/humans", "Namespace of what REP-155 describes; relative ones keep robots apart")
        self.declare("persons", True, "Publish persons; not if a node such as hri_person_manager does")
        self.declare(
            "reference_frame", "map", "Frame in which persons stay where they are; odom if tf does not know it"
        )
        self.declare("distance", 1.5, "Metres from the array to a voice whose face is not seen", (0.1, 20.0), live=True)
        self.declare("threshold", 0.5, "Activity from which on a voice is said to speak", (0.0, 1.0), live=True)

    def activate(self) -> None:
        """Make the topics."""
        self._origin: int | None = None
        self._now = 0
        self._voices: dict[int, types.Track] = {}
        self._last: dict[int, int] = {}
        self._open: dict[str, int] = {}
        self._persons = Persons()
        self._matched: dict[tuple[str, str], None] = {}
        self._said: set[str] = set()
        self._dropped, self._last_bad = 0, ""
        self._tree, self._frames = FrameTree(), FramePublisher(self)
        self._hri, self._common = optional.installed("hri_msgs"), optional.installed("audio_common_msgs")
        root = self.value("humans")
        if self._hri is not None:
            self._voice_topics = HumanTopics(self, f"{root}/voices")
            self._person_topics = HumanTopics(self, f"{root}/persons") if self.value("persons") else None
            self._matches = self.create_publisher(self._hri.IdsMatch, f"{root}/candidate_matches", PASSING_QOS)
        self._topics = [
            *frames.listen(self, self._tree.take),
            self.create_subscription(TrackArray, "hearing/tracks", self._on_tracks, NEW_QOS),
            self.create_subscription(Utterance, "hearing/utterances", self._on_utterance, NEW_QOS),
            self.create_subscription(Faces, "hearing/faces", self._on_faces, NEW_QOS),
        ]
        if self._hri is not None and self._common is not None:
            self._topics.append(self.create_subscription(HeardStep, "hearing/steps", self._on_step, AUDIO_QOS))

    def deactivate(self) -> None:
        """Drop the topics."""
        for subscription in self._topics:
            self.destroy_subscription(subscription)
        self._frames.close()
        if self._hri is not None:
            self.destroy_publisher(self._matches)
            for topics in filter(None, (self._voice_topics, self._person_topics)):
                topics.close()

    def _on_tracks(self, message: TrackArray) -> None:
        self._follow_stream(stream_origin(message.header.stamp, message.time))
        self._now = now = nanoseconds(message.header.stamp)
        self._voices = {track.id: track for track in conversions.tracks(message) if track.kind == "talker"}
        self._last |= dict.fromkeys(self._voices, now)
        self._frames.send([*self._voice_frames(message.header), *self._person_frames(message.header, now)])
        if self._hri is None:
            return
        gone = [track_id for track_id in self._last if self._is_gone(track_id)]
        for track_id in gone:
            del self._last[track_id]
            self._part(self._voice_id(track_id))
        self._voice_topics.track(message.header, map(self._voice_id, self._last))
        for track_id in self._last:
            heard = track_id in self._voices and self._voices[track_id].activity >= self.value("threshold")
            self._voice_topics.offer(self._voice_id(track_id), "speech", self._hri.LiveSpeech)
            if self._common is not None:
                self._voice_topics.offer(self._voice_id(track_id), "audio", self._common.AudioData)
            self._voice_topics.tell(self._voice_id(track_id), "is_speaking", Bool(data=heard))
        if self._person_topics is not None:
            self._tell_persons(message.header, now)

    def _on_utterance(self, message: Utterance) -> None:
        utterance = conversions.utterance(message)
        self._follow_stream(stream_origin(message.header.stamp, utterance.start_time))
        face = utterance.face_id
        person = self._persons.speaks(self._origin, utterance.speaker, utterance.track_id, face)
        if self._hri is None:
            return
        voice = self._voice_id(utterance.track_id)
        self._last[utterance.track_id] = max(self._now, nanoseconds(message.header.stamp))
        if utterance.final:
            self._open.pop(utterance.id, None)
        else:
            self._open[utterance.id] = utterance.track_id
        self._speak(voice, utterance, message.header)
        if person is None or (utterance.final and not utterance.words):
            return
        cues = utterance.confidence
        self._match((voice, self._hri.IdsMatch.VOICE), person, cues.speaker)
        if face is not None:
            self._match((face_id(face), self._hri.IdsMatch.FACE), person, cues.face)

    def _on_faces(self, message: Faces) -> None:
        now = nanoseconds(message.header.stamp)
        try:
            seen = sights.sight(message, now / 1e9)
        except InputError as error:
            self._dropped, self._last_bad = self._dropped + 1, str(error)
            return
        for face in seen.faces:
            person = self._persons.of_face(face.id)
            if person is not None and face.quality > 0:
                self._notice(person, face.direction, face.distance, message.header, seen=True)

    def _on_step(self, message: HeardStep) -> None:
        for source in message.sources:
            if source.track_id in self._voices:
                data = array.array("B", sixteen_bits(np.asarray(source.data)).tobytes())
                self._voice_topics.tell(self._voice_id(source.track_id), "audio", self._common.AudioData(data=data))

    def _is_gone(self, track_id: int) -> bool:
        return self._now - self._last[track_id] > LINGER * 1e9 and track_id not in self._open.values()

    def _follow_stream(self, origin: int) -> None:
        """Begin with another stream, whose voices are others, if this is the first that comes of it."""
        if self._origin is not None and abs(origin - self._origin) < 1_000:
            return
        self._origin = origin
        for key, person in list(self._matched):
            if key.startswith("v"):
                self._publish_match(key, self._hri.IdsMatch.VOICE, person, 0.0)
                del self._matched[key, person]
        for known in (self._voices, self._last, self._open, self._said):
            known.clear()
        self._persons.forget_voices()

    def _voice_id(self, track_id: int) -> str:
        return voice_id(self._origin, track_id)

    def _speak(self, voice: str, utterance: types.Utterance, header: Header) -> None:
        """Publish what a voice says: final words once, whoever turns out to say them; withdrawn ones as nothing."""
        if utterance.id in self._said:
            return
        final = utterance.final and bool(utterance.words)
        if final:
            self._said.add(utterance.id)
        speech = self._hri.LiveSpeech(
            header=header,
            incremental="" if utterance.final else utterance.text,
            final=utterance.text if final else "",
            confidence=utterance.confidence.recognition if final else 0.0,
        )
        for field in ("language", "locale"):  # which of them there are depends on the version
            if hasattr(speech, field):
                setattr(speech, field, LANGUAGE)
        self._voice_topics.tell(voice, "speech", speech)

    def _match(self, part: tuple[str, int], person: Person, confidence: float | None) -> None:
        """Publish how likely a voice or face is a person's; it is nobody else's."""
        key, kind = part
        if confidence is None:
            return
        for known, other in list(self._matched):
            if known == key and other != person.id:
                self._publish_match(key, kind, other, 0.0)
                del self._matched[known, other]
        self._matched[key, person.id] = None
        self._publish_match(key, kind, person.id, confidence)

    def _part(self, voice: str) -> None:
        """Say of a voice that is not tracked any more that it is nobody's."""
        for known, person in list(self._matched):
            if known == voice:
                self._publish_match(voice, self._hri.IdsMatch.VOICE, person, 0.0)
                del self._matched[known, person]

    def _publish_match(self, key: str, kind: int, person: str, confidence: float) -> None:
        match = self._hri.IdsMatch
        self._matches.publish(match(id1=key, id1_type=kind, id2=person, id2_type=match.PERSON, confidence=confidence))

    def _notice(self, person: Person, direction: types.Direction, distance: float, header: Header, seen: bool) -> None:
        """Take in where somebody is, in a frame that does not move with the array if tf knows one."""
        now, here = nanoseconds(header.stamp), place(direction, distance)
        for frame in (self.value("reference_frame"), "odom"):
            array_pose = self._tree.between(frame, header.frame_id, now)
            if array_pose is not None:
                person.notice(array_pose @ here, frame, now, seen)
                return
        person.notice(here, header.frame_id, now, seen)

    def _voice_frames(self, header: Header) -> Iterator[TransformStamped]:
        for track in self._voices.values():
            person = self._persons.of_voice(track.id)
            distance = self._distance(person, header)
            if person is not None and track.activity >= self.value("threshold"):
                self._notice(person, track.direction, distance, header, seen=False)
            frame = f"voice_{self._voice_id(track.id)}"
            yield frames.transform(header.frame_id, frame, header.stamp, place(track.direction, distance))

    def _distance(self, person: Person | None, header: Header) -> float:
        """Return how far away a voice is: as far as its person was last seen, or else as parameters say."""
        if person is not None and person.seen and person.place is not None:
            array_pose = self._tree.between(header.frame_id, person.frame, nanoseconds(header.stamp))
            if array_pose is not None:
                return float(np.linalg.norm((array_pose @ person.place)[:3, 3]))
        return float(self.value("distance"))

    def _person_frames(self, header: Header, now: int) -> Iterator[TransformStamped]:
        for person in self._persons:
            if person.confidence(now) > 0:
                yield frames.transform(person.frame, f"person_{person.id}", header.stamp, person.place)

    def _tell_persons(self, header: Header, now: int) -> None:
        tracked = [person for person in self._persons if person.confidence(now) > 0]
        self._person_topics.track(header, [person.id for person in tracked])
        self._person_topics.list("known", header, [person.id for person in self._persons])
        for person in tracked:
            voice = self._voice_id(person.voice) if person.voice in self._voices else ""
            face = face_id(person.face) if person.face is not None and person.confidence(now) == 1.0 else ""
            self._tell(person.id, "anonymous", Bool(data=person.anonymous))
            self._tell(person.id, "voice_id", String(data=voice))
            self._tell(person.id, "face_id", String(data=face))
            if not person.anonymous:
                self._tell(person.id, "name", String(data=person.name))
            self._person_topics.tell(person.id, "location_confidence", Float32(data=person.confidence(now)))

    def _tell(self, person: str, name: str, message: Bool | String) -> None:
        self._person_topics.tell(person, name, message, latched=True)

    def diagnose(self) -> Diagnosis:
        """Tell whether everything can be published."""
        there = {"hri_msgs": self._hri, "audio_common_msgs": self._common, "tf2_msgs": self._frames.possible}
        missing = [package for package, is_there in there.items() if not is_there]
        values = {
            "rep_155": "published" if self._hri is not None else "not published: hri_msgs is not installed",
            "audio": "published" if self._common is not None else "not published: audio_common_msgs is not installed",
            "frames": "published" if self._frames.possible else "not published: tf2_msgs is not installed",
            "voices": len(self._voices),
            "bad": self._dropped,
        }
        if self._last_bad:
            return Diagnosis(WARN, self._last_bad, values)
        if missing:
            return Diagnosis(WARN, f"not everything is published: {', '.join(missing)} not installed", values)
        return Diagnosis(OK, "publishing", values)


def main() -> None:
    """Run the node."""
    sys.exit(run(Hri))


if __name__ == "__main__":
    main()
