from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.speech import LombardStyle, load_synthesizer, synthesizer_names
from hearing.types import SAMPLE_RATE, Float32Array

PLAIN = LombardStyle()


def tone(duration: float, rate: int) -> Float32Array:
    return np.sin(2 * np.pi * 200 * np.arange(round(duration * rate)) / rate).astype(np.float32) / 4


def silence(duration: float, rate: int) -> Float32Array:
    return np.zeros(round(duration * rate), np.float32)


# Voices whose packages are not installed here: stand-ins with the interface of piper-tts 1.8.0 and pocket-tts 4.0.1.


class _PiperVoice:
    config = SimpleNamespace(length_scale=1.1)

    @staticmethod
    def load(model_path: str | Path, config_path: str | Path | None = None, use_cuda: bool = False) -> _PiperVoice:
        voice = _PiperVoice()
        voice.path = Path(model_path)
        return voice

    def synthesize(self, text: str, syn_config: Any = None, include_alignments: bool = False) -> Iterator[Any]:
        seconds = 0.2 * len(text.split()) * syn_config.length_scale
        for part in (silence(0.2, 22050), tone(seconds, 22050)):
            yield SimpleNamespace(audio_float_array=part, sample_rate=22050, sample_channels=1)


def _synthesis_config(speaker_id: int | None = None, length_scale: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(length_scale=length_scale)


@pytest.fixture
def piper_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = SimpleNamespace(PiperVoice=_PiperVoice, SynthesisConfig=_synthesis_config)
    monkeypatch.setitem(sys.modules, "piper", package)
    for name in ("en_US-amy-low.onnx", "en_US-amy-low.onnx.json"):
        (tmp_path / name).write_text("{}")
    return tmp_path


def test_piper_speaks_at_the_pace_that_is_asked_for(piper_folder: Path) -> None:
    voice = load_synthesizer("piper", piper_folder)
    calm = voice.speak("red box here", PLAIN)
    slow = voice.speak("red box here", LombardStyle(rate=0.8))
    assert slow.duration - calm.duration == pytest.approx(0.6 * 1.1 / 0.8 - 0.6 * 1.1, abs=0.01)
    assert calm.words[0].start == pytest.approx(0.04, abs=0.01)  # the voice's own silence before it is left out
    assert calm.words[-1].end == pytest.approx(0.04 + 0.6 * 1.1, abs=0.01)


def test_piper_takes_the_folder_of_one_voice(piper_folder: Path) -> None:
    (piper_folder / "en_US-amy-low.onnx.json").unlink()
    with pytest.raises(InputError, match=r"en_US-amy-low\.onnx\.json: no such file"):
        load_synthesizer("piper", piper_folder)
    (piper_folder / "en_US-amy-low.onnx").unlink()
    with pytest.raises(InputError, match="holds 0 files"):
        load_synthesizer("piper", piper_folder)


class _PocketModel:
    sample_rate = 24000

    @classmethod
    def load_model(cls, language: str | None = None, config: str | Path | None = None) -> _PocketModel:
        model = cls()
        model.config = config
        return model

    def get_state_for_audio_prompt(self, audio_conditioning: Path | str, truncate: bool = False) -> dict[str, Any]:
        return {"voice": audio_conditioning}

    def generate_audio(self, model_state: dict[str, Any], text_to_generate: str) -> SimpleNamespace:
        assert model_state["voice"].name == "voice.safetensors"
        sound = tone(0.3 * len(text_to_generate.split()), self.sample_rate)
        return SimpleNamespace(numpy=lambda: sound)


def test_pocket_keeps_its_rate_and_pitch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocket_tts", SimpleNamespace(TTSModel=_PocketModel))
    with pytest.raises(InputError, match=r"config\.yaml: no such file"):
        load_synthesizer("pocket-tts", tmp_path)
    for name in ("config.yaml", "voice.safetensors"):
        (tmp_path / name).write_text("weights_path: hf://kyutai/pocket-tts/model.safetensors  # as published")
    with pytest.raises(InputError, match="download them"):
        load_synthesizer("pocket-tts", tmp_path)
    (tmp_path / "config.yaml").write_text("weights_path: /voices/model.safetensors")
    voice = load_synthesizer("pocket-tts", tmp_path)
    for style in (PLAIN, LombardStyle.from_noise(90, 1)):
        clause = voice.speak("one two three", style)
        assert clause.duration == pytest.approx(0.9, abs=0.05)
        assert [word.text for word in clause.words] == ["one", "two", "three"]


ESPEAK = """#!{python}
import array, math, struct, sys
words = len(sys.stdin.buffer.read().split())
speed = int(sys.argv[sys.argv.index("-s") + 1])
tone = [round(8000 * math.sin(math.tau * 200 * k / 22050)) for k in range(words * 22050 * 60 // speed)]
pcm = array.array("h", tone).tobytes()
head = struct.pack("<4sI8sIHHIIHH", b"RIFF", 0x7FFFF024, b"WAVEfmt ", 16, 1, 1, 22050, 44100, 2, 16)
head += struct.pack("<4sI", b"data", 0x7FFFF000)
sys.stdout.buffer.write(head + pcm)
"""


@pytest.fixture
def espeak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program on the path that writes what espeak-ng 1.51 writes: endless sound by its header."""
    program = tmp_path / "espeak-ng"
    program.write_text(ESPEAK.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def test_espeak_words_share_the_sound(espeak: Path) -> None:
    clause = load_synthesizer("espeak-ng").speak("go to bay twenty-seven", PLAIN)
    assert clause.duration == pytest.approx(4 * 60 / 165, abs=0.05)
    assert clause.words[0].start == pytest.approx(0, abs=0.02)
    assert clause.words[-1].end == pytest.approx(clause.duration, abs=0.05)
    lengths = [word.end - word.start for word in clause.words]
    assert max(lengths) == lengths[-1]


def test_espeak_is_slowed_down_and_raised(espeak: Path) -> None:
    style = LombardStyle(rate=0.9, pitch=2.0)
    clause = load_synthesizer("espeak-ng").speak("wait here now", style)
    assert clause.duration == pytest.approx(3 * 60 / (165 * style.rate), abs=0.05)
    spectrum = np.abs(np.fft.rfft(clause.samples))
    assert spectrum.argmax() * SAMPLE_RATE / len(clause.samples) == pytest.approx(200 * 2 ** (2 / 12), rel=0.01)


def test_espeak_that_fails_says_why(espeak: Path) -> None:
    voice = load_synthesizer("espeak-ng")
    espeak.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('Error: no such voice')")
    with pytest.raises(InputError, match="no such voice"):
        voice.speak("hello", PLAIN)
    espeak.unlink()
    with pytest.raises(InputError, match="install espeak-ng anew"):
        voice.speak("hello", PLAIN)


@pytest.mark.parametrize(
    ("name", "module", "mend"),
    [
        ("hibari", "hibari", "pip install hibari-tts"),
        ("piper", "piper", "pip install piper-tts"),
        ("pocket-tts", "pocket_tts", "pip install pocket-tts"),
        ("espeak-ng", None, "apt install espeak-ng"),
    ],
)
def test_what_is_missing_is_said(
    name: str, module: str | None, mend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if module is None:
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=f"{name}.*{mend}"):
        load_synthesizer(name, tmp_path if name in ("piper", "pocket-tts") else None)


def test_espeak_speaks_where_the_packaged_voice_is_missing(espeak: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_synthesizer().name == "hibari"
    monkeypatch.setitem(sys.modules, "hibari", None)
    assert load_synthesizer().name == "espeak-ng"
    espeak.unlink()
    with pytest.raises(InputError, match="pip install hibari-tts"):
        load_synthesizer()


def test_folders_are_asked_for_and_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the folder"):
        load_synthesizer("piper")
    with pytest.raises(InputError, match="leave out the folder"):
        load_synthesizer("hibari", tmp_path)
    with pytest.raises(InputError, match="known are: hibari, espeak-ng, piper, pocket-tts"):
        load_synthesizer("festival")
    assert synthesizer_names()[0] == "hibari"


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = "import sys, hearing.speech; print({'hibari', 'piper', 'pocket_tts', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
