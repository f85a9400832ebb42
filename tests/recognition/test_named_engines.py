from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hearing.errors import InputError
from hearing.recognition.engine import Recognition, StreamingEngine
from hearing.recognition.engines import load_engine
from hearing.types import SAMPLE_RATE

from .test_engine_contract import BLOCK, follow

# Engines whose packages are not installed here: stand-ins with the signatures of sherpa-onnx 2.0.1 and Vosk 0.3.45.


class _SherpaRecognizer:
    """Puts out a token every 0.32 s, as a network with chunks of that length may."""

    TOKENS = (" TURN", " O", "FF", " THE", " LA", "THE")

    @classmethod
    def from_transducer(
        cls,
        tokens: str,
        encoder: str,
        decoder: str,
        joiner: str,
        num_threads: int = 2,
        sample_rate: float = 16000,
        feature_dim: int = 80,
        decoding_method: str = "greedy_search",
        temperature_scale: float = 2.0,
        provider: str = "cpu",
    ) -> _SherpaRecognizer:
        recognizer = cls()
        recognizer.files = [Path(file).name for file in (tokens, encoder, decoder, joiner)]
        return recognizer

    def create_stream(self, hotwords: str | None = None) -> SimpleNamespace:
        stream = SimpleNamespace(length=0, decoded=0, level=[], input_finished=lambda: None)

        def accept_waveform(sample_rate: float, waveform: Sequence[float]) -> None:
            stream.length += len(waveform)

        stream.accept_waveform = accept_waveform
        return stream

    def is_ready(self, s: SimpleNamespace) -> bool:
        return s.length >= (s.decoded + 1) * 0.32 * SAMPLE_RATE

    def decode_stream(self, s: SimpleNamespace) -> None:
        s.decoded += 1

    def get_result_all(self, s: SimpleNamespace) -> SimpleNamespace:
        tokens = list(self.TOKENS[: s.decoded])
        times = [0.32 * index for index in range(len(tokens))]
        return SimpleNamespace(tokens=tokens, timestamps=times, ys_probs=[-0.1] * len(tokens))


def transducer(folder: Path, *names: str) -> Path:
    for name in ("tokens.txt", *names):
        (folder / name).write_bytes(b"decode_chunk_len")
    return folder


@pytest.fixture
def sherpa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamingEngine:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", SimpleNamespace(OnlineRecognizer=_SherpaRecognizer))
    names = ("encoder-99.onnx", "encoder-99.int8.onnx", "decoder-99.onnx", "joiner-99.onnx", "joiner-99.int8.onnx")
    return load_engine("sherpa-onnx", transducer(tmp_path, *names), threads=1)


def test_sherpa_takes_int8_where_it_is_there(sherpa: StreamingEngine) -> None:
    files = ["tokens.txt", "encoder-99.int8.onnx", "decoder-99.onnx", "joiner-99.int8.onnx"]
    assert sherpa._recognizer.files == files


def test_sherpa_commits_all_words_but_the_last(sherpa: StreamingEngine) -> None:
    hypotheses, final = follow(sherpa, np.ones(round(1.4 * SAMPLE_RATE), np.float32))
    shown = [[[word.text for word in words] for words in (h.committed, h.tentative)] for h in hypotheses]
    assert shown == [[[], ["TURN"]], [["TURN"], ["O"]], [["TURN"], ["OFF"]], [["TURN", "OFF"], ["THE"]]]
    assert final.text == "TURN OFF THE LATHE"
    assert [word.start for word in final.words] == pytest.approx([0.0, 0.32, 0.96, 1.28])
    assert [word.end for word in final.words] == pytest.approx([0.2, 0.84, 1.16, 1.4])
    assert final.words[0].probability == pytest.approx(np.exp(-0.1))
    assert final.avg_logprob == pytest.approx(-0.1)


def test_sherpa_hears_the_whole_anew(sherpa: StreamingEngine) -> None:
    utterance = sherpa.open()
    utterance.accept(np.ones(4 * SAMPLE_RATE, np.float32))
    assert utterance.pending == 4.0
    assert utterance.finish(np.zeros(100, np.float32)).text == "TURN O"
    assert sherpa.open().finish() == Recognition(), "no words of the silence that is added"


def test_other_networks_are_refused_before_they_end_the_process(tmp_path: Path, sherpa: StreamingEngine) -> None:
    (tmp_path / "encoder-99.int8.onnx").write_bytes(b"a whisper encoder")
    with pytest.raises(InputError, match=r"encoder-99\.int8\.onnx: not the encoder of a streaming transducer"):
        load_engine("sherpa-onnx", tmp_path)


class _KaldiRecognizer:
    """Says a sentence of three words, hears a pause, and says another word."""

    GUESSES = ("", "turn", "turn of", "turn off it", None, "no", "no", "no")
    SENTENCE = (("turn", 0.2, 0.4, 0.9), ("off", 0.4, 0.6, 0.8), ("[unk]", 0.6, 0.7, 0.5), ("it", 0.7, 0.9, 0.7))

    def __init__(self, model: object, rate: float) -> None:
        self.heard = 0.0
        self.words = False

    def SetWords(self, enable_words: bool) -> None:  # noqa: N802
        self.words = enable_words

    def AcceptWaveform(self, data: bytes) -> int:  # noqa: N802
        assert 0 < np.abs(np.frombuffer(data, np.int16)).max() < 5000, "brought to one level"
        self.heard = round(self.heard + len(data) / 2 / SAMPLE_RATE, 3)
        return int(self.heard == 1.0)

    def PartialResult(self) -> str:  # noqa: N802
        return json.dumps({"partial": self.GUESSES[round(self.heard / 0.2) - 1]})

    def Result(self) -> str:  # noqa: N802
        keys = ("word", "start", "end", "conf")
        return json.dumps({"result": [dict(zip(keys, word, strict=True)) for word in self.SENTENCE], "text": "..."})

    def FinalResult(self) -> str:  # noqa: N802
        result = [{"word": "no", "start": 1.2, "end": 1.53, "conf": 1.0001}] if self.heard > 1.2 else None
        return json.dumps({"result": result, "text": "no"} if result else {"text": ""})


@pytest.fixture
def vosk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StreamingEngine:
    package = SimpleNamespace(
        Model=lambda model_path=None, model_name=None, lang=None: model_path.encode("utf-8"),
        KaldiRecognizer=_KaldiRecognizer,
        SetLogLevel=lambda level: None,
    )
    monkeypatch.setitem(sys.modules, "vosk", package)
    for name in ("am/final.mdl", "conf/model.conf", "conf/mfcc.conf", "graph/HCLG.fst"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return load_engine("vosk", tmp_path)


def test_vosk_makes_guesses_stable_and_times_sentences(vosk: StreamingEngine) -> None:
    hypotheses, final = follow(vosk, np.full(round(1.5 * SAMPLE_RATE), 1e-3, np.float32))
    shown = [[" ".join(word.text for word in words) for words in (h.committed, h.tentative)] for h in hypotheses]
    assert shown[:4] == [["", ""], ["", "turn"], ["turn", "of"], ["turn", "off it"]]
    assert shown[4:] == [["turn off it", ""], ["turn off it", "no"], ["turn off it no", ""]]
    assert hypotheses[5].tentative[0].start == pytest.approx(1.0)
    assert hypotheses[5].tentative[0].end == pytest.approx(1.2)
    assert final.text == "turn off it no"
    assert (final.words[1].start, final.words[1].end, final.words[1].probability) == (0.4, 0.6, 0.8)
    assert (final.words[3].end, final.words[3].probability) == (1.5, 1)
    assert final.avg_logprob == pytest.approx(np.log([0.9, 0.8, 0.7, 1]).mean())


def test_vosk_hears_the_whole_anew(vosk: StreamingEngine) -> None:
    utterance = vosk.open()
    utterance.accept(np.ones(BLOCK, np.float32))
    assert utterance.finish(np.ones(SAMPLE_RATE, np.float32)).text == "turn off it"


# What goes wrong, and that it is said in one line.


@pytest.mark.parametrize(("name", "package"), [("sherpa-onnx", "sherpa_onnx"), ("vosk", "vosk")])
def test_missing_package_says_what_to_install(
    name: str, package: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.getfixturevalue(package.partition("_")[0])
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=f"engine {name}: .*{package}.*; pip install {name}$"):
        load_engine(name, tmp_path)


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="engine 'kaldi' is unknown; known are: hearing, whisper-base, sherpa"):
        load_engine("kaldi")


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("hearing", "encoder.onnx"),
        ("moonshine", "encoder_model.ort"),
        ("whisper-base", "model.bin"),
        ("faster-whisper", "model.bin"),
        ("sherpa-onnx", "tokens.txt"),
        ("vosk", "am/final.mdl"),
    ],
)
def test_missing_file_is_named(name: str, missing: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"engine {name}: {tmp_path / missing}: no such file"):
        load_engine(name, tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        load_engine(name, tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["sherpa-onnx", "vosk"])
def test_engine_without_packaged_model_needs_a_folder(name: str) -> None:
    with pytest.raises(InputError, match="give the folder with its files"):
        load_engine(name)


def test_pocketsphinx_takes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leave out the folder"):
        load_engine("pocketsphinx", tmp_path)


def test_broken_model_is_one_line(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=r"engine faster-whisper: cannot load .*; get the model anew") as error:
        load_engine("faster-whisper", tmp_path)
    assert "\n" not in str(error.value)


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, hearing.recognition.engines; print({'pocketsphinx', 'sherpa_onnx', 'vosk'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
