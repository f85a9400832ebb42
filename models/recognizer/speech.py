"""Speech to train on: recordings and synthetic voices with what is said in them, held in memory."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import soundfile
import soxr
from hearing_datasets import Clip, Split, kit_clips, packaged_clips, read_clip, split_of
from hearing_datasets.text import plain_text
from hearing_models.recognizer.dictionary import example_of_use
from hearing_models.recognizer.texts import sentence, spoken
from hibari import Hibari
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.recognition.catalogue import MODELS
from hearing.recognition.store import locate
from hearing.recognition.whisper import Whisper
from hearing.types import SAMPLE_RATE

COLLECTIONS = (
    "speech/commands_barista",
    "speech/numbers_names_70_speakers",
    "speech/read_251_speakers",
    "speech/read_5_speakers",
    "speech/read_accented_speakers",
    "speech/small_assets",
    "speech/wake_words",
    "speech/wake_words_far",
)
LONGEST = 20.0
"""Seconds; the network hears no longer utterances."""
_LEFT_OUT = ("so762-08", "so762-09", "sb-spk2", "alnum-00", "alnum-08")
"""Speakers whose transcripts are wrong or who are not understood on clean recordings either."""
_SURE = -0.7
_FEWEST_LETTERS = 5.0
"""A second. Whisper writes the heading of a chapter that is read, and then at times nothing more."""
_FLITE = ("awb", "rms", "slt")


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """What somebody says.

    Attributes
    ----------
    samples
        Int16 array of shape (n_samples,) at 16 kHz.
    written
        The words as people write them, with casing, punctuation and digits.
    spoken
        The words as they sound: letters, apostrophes and blanks only.
    speaker
        Who says it.
    kind
        Where it is from: a collection of the data kit, or `synthesis`.
    """

    samples: NDArray[np.int16]
    written: str
    spoken: str
    speaker: str
    kind: str

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


def recorded_speech(split: Split, labels: Path, done: Callable[[int], None]) -> list[Speech]:
    """Read the data kit's speech of a split.

    What has no transcript gets the one that Whisper base makes of the recording, if it is sure of it and the recording
    is not too long for it.

    Parameters
    ----------
    split
        Whose voices.
    labels
        File that keeps Whisper's transcripts, by collection and name.
    done
        Is told the number of clips that are read.
    """
    known: dict[str, str] = json.loads(labels.read_text()) if labels.is_file() else {}
    teacher = None
    found = []
    for clip in _clips(split):
        samples = read_clip(clip)
        key = f"{clip.collection}/{clip.name}"
        if not clip.text and key not in known:
            teacher = teacher or Whisper(locate(MODELS["whisper-base"]), beam_size=2)
            heard = teacher.transcribe(samples)
            known[key] = heard.text if heard.avg_logprob > _SURE else ""
        written = _sentence(plain_text(clip.text)) if clip.text else known[key]
        if not clip.text and len(written) < _FEWEST_LETTERS * len(samples) / SAMPLE_RATE:
            written = ""
        if written:
            found.append(_speech(samples, written, spoken(written), clip.speaker or clip.name, clip.collection))
        done(1)
    labels.parent.mkdir(parents=True, exist_ok=True)
    labels.write_text(json.dumps(known, indent=0))
    return found


def synthetic_speech(folder: Path) -> list[Speech]:
    """Read what `synthesis.generate_speech` has made so far."""
    found = []
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        samples, _ = soundfile.read(folder / entry["audio"], dtype="float32")
        found.append(_speech(samples, entry["text"], entry["spoken"], entry["speaker"], "synthesis"))
    return found


def packaged_speech(number: int, seed: int, done: Callable[[int], None]) -> list[Speech]:
    """Let voices that packages ship say sentences, at another pitch and tempo each.

    They are fifty times faster than those of `synthesis`, but they are four, however they are stretched: the one of
    `hibari-tts` says what people say to robots, and three of Debian's `flite` general English.

    Raises
    ------
    InputError
        If flite or WordNet is missing.
    """
    hibari = Hibari()
    found = []
    for index in range(number):
        rng = np.random.default_rng((seed, index, 2))
        name = ("hibari", *_FLITE)[int(rng.integers(len(_FLITE) + 1))]
        tempo, pitch = rng.uniform(0.85, 1.2), rng.uniform(0.8, 1.2)
        if name == "hibari":
            line = sentence(rng)
            samples, rate = hibari(line.said, speed=tempo, seed=index), hibari.sample_rate
        else:
            line = example_of_use(rng)
            samples, rate = _flite(line.said, name, tempo)
        samples = soxr.resample(samples, rate, SAMPLE_RATE * pitch)
        found.append(_speech(samples, line.written, line.spoken, f"{name}-{index}", "synthesis"))
        done(1)
    return found


def _flite(text: str, voice: str, tempo: float) -> tuple[NDArray[np.float32], int]:
    with NamedTemporaryFile(suffix=".wav") as file:
        stretch = f"duration_stretch={1 / tempo:.3f}"
        try:
            subprocess.run(["flite", "-voice", voice, "--setf", stretch, "-t", text, file.name], check=True)
        except OSError as error:
            raise InputError(f"packaged voices need flite ({error}); run: apt install flite") from error
        samples, rate = soundfile.read(file.name, dtype="float32")
    return samples, int(rate)


def _clips(split: Split) -> Iterable[Clip]:
    clips = [clip for collection in COLLECTIONS for clip in kit_clips(collection)]
    if split == "train":
        clips += packaged_clips()
    for clip in clips:
        usable = clip.label != "noisy" and not (clip.speaker or "").startswith(_LEFT_OUT)
        if usable and 0.5 <= clip.duration <= LONGEST and split_of(clip.speaker) == split:
            yield clip


def _speech(samples: NDArray[np.float32], written: str, said: str, speaker: str, kind: str) -> Speech:
    scaled = samples * (0.5 / max(float(np.abs(samples).max()), 1e-4))
    return Speech(np.round(scaled * 32767).astype(np.int16), written, said, speaker, kind)


def _sentence(transcript: str) -> str:
    """Write a transcript as a sentence."""
    return transcript[:1].upper() + transcript[1:] + ("" if transcript[-1:] in ".?!," else ".")
