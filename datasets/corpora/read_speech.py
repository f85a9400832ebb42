"""Read speech: the data kit, LibriSpeech."""

from __future__ import annotations

from pathlib import Path

from hearing_datasets.alignment import clip_words
from hearing_datasets.corpora.folder import found, lines_of
from hearing_datasets.kit import clips_in
from hearing_datasets.manifest import Corpus, Recording, Supervision, sound_file
from hearing_datasets.text import plain_text

from hearing.types import SAMPLE_RATE


def data_kit(root: Path) -> Corpus:
    """Read the data kit: all clips whose sound is a file, with words where they are written down."""
    found(root, "*/*/manifest.jsonl", "the data kit", "speech/*/manifest.jsonl")
    recordings, supervisions = [], []
    for clip in clips_in(root):
        name = f"{clip.collection}/{clip.name}"
        recordings.append(Recording(name, (clip.path,), SAMPLE_RATE, round(clip.duration * SAMPLE_RATE), 1))
        words = clip_words(clip) if clip.text else None
        custom = {"label": clip.label} if clip.label else {}
        supervisions.append(
            Supervision(
                name, name, 0.0, clip.duration, clip.text, clip.speaker, language="en", words=words or (), custom=custom
            )
        )
    return Corpus("kit", "see the manifest of each collection", tuple(recordings), tuple(supervisions))


def librispeech(root: Path) -> Corpus:
    """Read LibriSpeech (OpenSLR 12): `SUBSET/SPEAKER/CHAPTER/*.flac` with `*.trans.txt` beside them."""
    genders = {}
    for line in lines_of(root / "SPEAKERS.TXT") if (root / "SPEAKERS.TXT").is_file() else []:
        if not line.startswith(";"):
            speaker, gender, *_ = (part.strip() for part in line.split("|"))
            genders[speaker] = gender.lower()
    recordings, supervisions = [], []
    layout = "SUBSET/SPEAKER/CHAPTER/*.trans.txt"
    for transcript in found(root, "*/*/*/*.trans.txt", "LibriSpeech", layout):
        for line in lines_of(transcript):
            name, _, text = line.partition(" ")
            recording = sound_file(name, [transcript.parent / f"{name}.flac"])
            speaker = name.split("-")[0]
            recordings.append(recording)
            supervisions.append(
                Supervision(
                    name, name, 0.0, recording.duration, plain_text(text), f"libri-{speaker}", genders.get(speaker),
                    "en", custom={"subset": transcript.relative_to(root).parts[0]},
                )
            )  # fmt: skip
    return Corpus("librispeech", "CC BY 4.0", tuple(recordings), tuple(supervisions))
