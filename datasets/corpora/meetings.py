"""Conversations of several people: AMI, CHiME-6, LibriCSS, EasyCom."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hearing_datasets.clip import Word
from hearing_datasets.corpora.folder import found, lines_of
from hearing_datasets.manifest import Corpus, Supervision, sound_file
from hearing_datasets.text import plain_text

from hearing.errors import InputError

UTTERANCE_GAP = 0.8
"""Seconds of silence that end an utterance where a corpus times words only."""
EASYCOM_FPS = 20


def ami(root: Path) -> Corpus:
    """Read the AMI meetings: `words/MEETING.AGENT.words.xml` of the annotations, `MEETING/audio/MEETING.Array1-*.wav`.

    Where no array was recorded or unpacked, `MEETING.Mix-Headset.wav` is taken.
    """
    words: dict[str, dict[str, list[Word]]] = defaultdict(dict)
    for path in found(root, "**/words/*.words.xml", "AMI", "words/MEETING.AGENT.words.xml"):
        meeting, agent, *_ = path.name.split(".")
        words[meeting][agent] = _ami_words(path)
    names = _ami_speakers(root)
    recordings, supervisions = [], []
    for meeting, agents in words.items():
        paths = sorted(root.glob(f"**/{meeting}.Array1-*.wav")) or sorted(root.glob(f"**/{meeting}.Mix-Headset.wav"))
        if not paths:
            continue
        recordings.append(sound_file(meeting, paths))
        for agent, said in agents.items():
            for number, utterance in enumerate(_utterances(said)):
                text = plain_text(" ".join(word.word for word in utterance))
                start, end = utterance[0].start, utterance[-1].end
                speaker = names.get((meeting, agent), f"{meeting}-{agent}")
                supervisions.append(
                    Supervision(
                        f"{meeting}-{agent}-{number:04d}", meeting, start, round(end - start, 3), text, speaker,
                        language="en", words=tuple(utterance),
                    )
                )  # fmt: skip
    if not recordings:
        raise InputError(f"{root}: AMI without audio; expected MEETING/audio/MEETING.Array1-01.wav, unpack it too")
    return Corpus("ami", "CC BY 4.0", tuple(recordings), tuple(supervisions))


def chime6(root: Path) -> Corpus:
    """Read CHiME-6: `transcriptions/SPLIT/SESSION.json` and `audio/SPLIT/SESSION_U*.CH*.wav`."""
    recordings, supervisions = [], []
    for path in found(root, "transcriptions/*/*.json", "CHiME-6", "transcriptions/SPLIT/SESSION.json"):
        session, split = path.stem, path.parent.name
        arrays = sorted(root.glob(f"audio/{split}/{session}_U*.CH*.wav"))
        if not arrays:
            raise InputError(f"{root}: CHiME-6 without audio/{split}/{session}_U*.CH*.wav; unpack the audio there")
        recordings.append(sound_file(session, arrays))
        for number, entry in enumerate(_json(path)):
            start, end = _clock(entry["start_time"]), _clock(entry["end_time"])
            supervisions.append(
                Supervision(
                    f"{session}-{number:05d}", session, start, round(end - start, 3), plain_text(entry["words"]),
                    entry["speaker"], language="en", custom={"split": split, "location": entry.get("location")},
                )
            )  # fmt: skip
    return Corpus("chime6", "CC BY-SA 4.0", tuple(recordings), tuple(supervisions))


def libricss(root: Path) -> Corpus:
    """Read LibriCSS: `CONDITION/SESSION/record/raw_recording.wav` and `.../transcription/meeting_info.txt`."""
    recordings, supervisions = [], []
    layout = "for_release/CONDITION/SESSION/transcription/meeting_info.txt"
    for path in found(root, "**/transcription/meeting_info.txt", "LibriCSS", layout):
        session = path.parents[1]
        name = f"{session.parent.name}_{session.name}"
        recordings.append(sound_file(name, [session / "record" / "raw_recording.wav"]))
        for number, line in enumerate(lines_of(path)[1:]):
            start, end, speaker, utterance, text = line.split("\t")
            supervisions.append(
                Supervision(
                    f"{name}-{number:03d}", name, float(start), round(float(end) - float(start), 3), plain_text(text),
                    f"libri-{speaker}", language="en",
                    custom={"condition": session.parent.name, "utterance": utterance},
                )
            )  # fmt: skip
    return Corpus("libricss", "CC BY 4.0", tuple(recordings), tuple(supervisions))


def easycom(root: Path) -> Corpus:
    """Read EasyCom: `Glasses_Microphone_Array_Audio/SESSION/*.wav` and `Speech_Transcriptions/SESSION/*.json`."""
    recordings, supervisions = [], []
    layout = "Main/Speech_Transcriptions/SESSION/*.json"
    for path in found(root, "**/Speech_Transcriptions/*/*.json", "EasyCom", layout):
        session = path.parent.name
        audio = path.parents[2] / "Glasses_Microphone_Array_Audio" / session / f"{path.stem}.wav"
        name = f"{session}-{path.stem}"
        recordings.append(sound_file(name, [audio]))
        for number, entry in enumerate(_json(path)):
            start, end = entry["Start_Frame"] / EASYCOM_FPS, entry["End_Frame"] / EASYCOM_FPS
            supervisions.append(
                Supervision(
                    f"{name}-{number:03d}", name, start, round(end - start, 3), plain_text(entry["Transcription"]),
                    f"{session}-{entry['Participant_ID']}", language="en",
                )
            )  # fmt: skip
    return Corpus("easycom", "CC BY-NC 4.0", tuple(recordings), tuple(supervisions))


def _ami_words(path: Path) -> list[Word]:
    try:
        tree = ElementTree.parse(path)
    except (ElementTree.ParseError, OSError) as error:
        raise InputError(f"{path}: not XML ({error}); restore the file") from error
    timed = [e for e in tree.iter("w") if "starttime" in e.attrib and "endtime" in e.attrib and e.get("punc") != "true"]
    words = [Word((e.text or "").strip(), float(e.attrib["starttime"]), float(e.attrib["endtime"])) for e in timed]
    return sorted((word for word in words if word.word), key=lambda word: word.start)


def _ami_speakers(root: Path) -> dict[tuple[str, str], str]:
    """Return the people's own names by meeting and agent, where `corpusResources/meetings.xml` is unpacked."""
    names = {}
    for path in root.glob("**/corpusResources/meetings.xml"):
        for meeting in ElementTree.parse(path).iter("meeting"):
            for speaker in meeting.iter("speaker"):
                agent = next((v for k, v in speaker.attrib.items() if k.endswith("nxt_agent")), "")
                names[meeting.get("observation", ""), agent] = speaker.get("global_name", agent)
    return names


def _utterances(words: list[Word]) -> list[list[Word]]:
    utterances: list[list[Word]] = []
    for word in words:
        if utterances and word.start - utterances[-1][-1].end <= UTTERANCE_GAP:
            utterances[-1].append(word)
        else:
            utterances.append([word])
    return utterances


def _clock(text: str) -> float:
    """Return the seconds of a time such as 1:02:03.45."""
    hours, minutes, seconds = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _json(path: Path) -> list[dict[str, Any]]:
    try:
        entries: list[dict[str, Any]] = json.loads("\n".join(lines_of(path)))
        return entries
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); restore the file") from error
