"""Spotting words: paths through made-up letters, when to look for words, and the engine on a recorded sentence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hearing_datasets import packaged_clips, read_clip

from hearing.errors import InputError
from hearing.recognition.ctc import to_letters
from hearing.recognition.drafting import DraftingEngine
from hearing.recognition.encoder import CHUNK, PEEK
from hearing.recognition.engine import Hypothesis, Recognition
from hearing.recognition.engines.support import own_weights
from hearing.recognition.keyword_paths import KeywordPath, KeywordPaths
from hearing.recognition.mel import log_mel
from hearing.recognition.recognizer import Recognizer
from hearing.recognition.spotting import FEATURES, FILE, Gate, Spotted, SpottingModel
from hearing.recognition.streaming import StreamingRecognizer
from hearing.types import Float32Array, SpeechChunk, SpottedWord

WORDS = ("stop", "halt", "hold it")


def written(text: str, sure: float = 0.9, rest: int = 12, seed: int = 0) -> Float32Array:
    """Letters as a network gives them: each in one frame or two, with blanks between; shape (n_frames, 29)."""
    rng = np.random.default_rng(seed)
    labels = [0] * rest
    for letter in to_letters(text):
        labels += [letter] * int(rng.integers(1, 3)) + [0] * int(rng.integers(1, 3))
    labels += [0] * rest
    posteriors = np.full((len(labels), 29), (1 - sure) / 28, np.float32)
    posteriors[np.arange(len(labels)), labels] = sure
    return np.log(posteriors)


def paths(letters: Float32Array, words: tuple[str, ...] = WORDS) -> KeywordPath:
    return KeywordPaths([to_letters(word) for word in words]).best(letters)


@pytest.mark.parametrize("text", ["stop", "robot stop", "stop the belt", "please stop now", "no no stop"])
def test_the_path_of_a_word_that_is_said_is_the_best_one(text: str) -> None:
    assert paths(written(text)).ratio[0] == pytest.approx(0)
    assert all(paths(written(text)).ratio[1:] < -5)


@pytest.mark.parametrize(
    ("text", "word"),
    [("unstoppable", 0), ("nonstop", 0), ("stopwatch", 0), ("stopped", 0), ("top", 0), ("halter", 1), ("told it", 2)],
)
def test_a_word_within_another_one_is_worse(text: str, word: int) -> None:
    assert paths(written(text)).ratio[word] < -2


def test_a_path_tells_where_the_word_is() -> None:
    before, said = written("go away"), written("hold it there")
    found = paths(np.concatenate([before, said]))
    assert len(before) + 12 == found.begin[2]
    assert found.begin[2] < found.end[2] < len(before) + len(said) - 20


def test_other_words_on_the_list_change_nothing() -> None:
    letters = written("robot stop it", sure=0.6)
    alone, among = paths(letters, ("stop",)), paths(letters)
    assert [part[0] for part in alone] == [part[0] for part in among]


def test_what_all_paths_share_cancels() -> None:
    """The ratio is relative to the best letters: frames in which nothing is sure cost a word nothing."""
    letters = written("stop")
    unsure = letters + np.random.default_rng(0).uniform(-3, 0, (len(letters), 1)).astype(np.float32)
    assert paths(unsure).ratio == pytest.approx(paths(letters).ratio, abs=1e-4)


def stretches(letters: Float32Array, gate: Gate) -> list[tuple[int, int]]:
    found = []
    for at in range(0, len(letters) - CHUNK, CHUNK):
        found.append(gate.due(at + PEEK, letters[at : at + PEEK]))
        gate.process(letters[at : at + CHUNK])
        found.append(gate.due(at + CHUNK))
    return [stretch for stretch in found if stretch]


def test_nothing_is_looked_for_in_silence() -> None:
    assert stretches(written("", rest=200), Gate()) == []


def test_a_word_after_a_pause_is_looked_for_soon_after_its_end() -> None:
    letters = np.concatenate([written("so that is that", rest=20), written("stop", rest=40)])
    start = len(letters) - len(written("stop", rest=40)) + 40
    end = len(letters) - 40
    found = [stretch for stretch in stretches(letters, Gate()) if stretch[1] > start]
    assert all(start - 45 <= first < start for first, _ in found)
    assert min(last for _, last in found) <= end + 2 * PEEK


def test_long_talk_is_left_alone() -> None:
    letters = written("this is a long story about all that has been said since the beginning of time by everybody")
    assert all(last - first <= 101 + 25 for first, last in stretches(letters, Gate()))
    assert max(last for _, last in stretches(letters, Gate())) < len(letters) - 40


def test_a_listener_that_comes_late_looks_at_what_comes_then() -> None:
    assert stretches(written("stop", rest=20), Gate())
    assert Gate(40).due(48, written("", rest=4)) is None


def test_longer_words_may_need_to_be_surer() -> None:
    model = SpottingModel(0.0, (0.0, 0.0, 0.0, 0.0), (1.0, 2.0, 3.0))
    assert model.least(np.array([1, 3, 9])).tolist() == [1.0, 3.0, 3.0]


def test_the_model_is_read_from_beside_the_networks(tmp_path: Path) -> None:
    assert SpottingModel.beside(tmp_path) is None
    record = {"bias": 1.5, "weights": dict.fromkeys(FEATURES, 0.5), "thresholds": [1.0, 2.0]}
    (tmp_path / FILE).write_text(json.dumps(record))
    assert SpottingModel.beside(tmp_path) == SpottingModel(1.5, (0.5,) * len(FEATURES), (1.0, 2.0))
    (tmp_path / FILE).write_text(json.dumps(record | {"weights": {"loudness": 1.0}}))
    with pytest.raises(InputError, match="fit them anew"):
        SpottingModel.beside(tmp_path)


class _Shouting:
    """An engine whose utterances hear "stop" in every new stretch."""

    latency = 0.0
    takes_phrases = False

    def __init__(self) -> None:
        self.words: Sequence[str] = ()

    def listen_for(self, phrases: Sequence[str]) -> None:
        self.words = phrases

    def bias(self, phrases: Sequence[str]) -> None:
        pass

    def open(self) -> _Utterance:
        return _Utterance(self)


class _Utterance:
    pending = 0.0

    def __init__(self, engine: _Shouting) -> None:
        self._engine, self._new = engine, 0

    def accept(self, samples: Float32Array) -> None:
        self._new += 1

    def advance(self) -> Hypothesis:
        return Hypothesis()

    def spot(self) -> list[Spotted]:
        new, self._new = self._new, 0
        return [Spotted(word, 0.5, 0.9, 0.8, "robot") for word in self._engine.words for _ in range(new)]

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        return Recognition()


def test_spotted_words_are_placed_on_the_clock_of_the_stream() -> None:
    recognizer = Recognizer(_Shouting())
    recognizer.accept(SpeechChunk("u1", 3, np.zeros(1024, np.float32), 10.0, 10.9, last=False))
    assert recognizer.spot(10.9) == []
    recognizer.listen_for(["stop"])
    recognizer.accept(SpeechChunk("u1", 3, np.zeros(1024, np.float32), 10.0, 11.0, last=False))
    assert recognizer.spot(11.0) == [SpottedWord("stop", "u1", 3, 10.5, 10.9, 11.0, 0.8, "robot")]
    assert recognizer.spot(11.1) == []
    with pytest.raises(InputError, match="no letters"):
        recognizer.listen_for(["!"])


def test_engines_that_cannot_spot_words_spot_none() -> None:
    recognizer = Recognizer(DraftingEngine(_Silent(), _Silent()))
    recognizer.listen_for(["stop"])
    recognizer.accept(SpeechChunk("u1", 3, np.zeros(1024, np.float32), 0.0, 0.1, last=False))
    assert recognizer.spot(0.1) == []


class _Silent:
    def transcribe(self, samples: Float32Array) -> Recognition:
        return Recognition()


@pytest.fixture(scope="module")
def engine() -> StreamingRecognizer:
    return StreamingRecognizer(own_weights())


def test_the_decoder_tells_how_likely_words_are(engine: StreamingRecognizer) -> None:
    """After "It was the" the voice says "best": not "bus", and not "be" either, with which it begins."""
    clip = next(clip for clip in packaged_clips() if (clip.text or "").startswith("It was the best"))
    encoded = engine.encoder.whole(log_mel(read_clip(clip)[: 16_000 * 2]))
    tokens = [
        engine.decoder.tokenizer.encode(f" {word}", add_special_tokens=False).ids for word in ("best", "bus", "be")
    ]
    written, likely, places = engine.decoder.ask(tokens, *engine.encoder.with_silence(encoded), 6)
    assert engine.decoder.tokenizer.decode(list(written.tokens)).strip().lower().startswith("it was the best")
    assert likely[0] > -1.0 > likely[1]
    assert likely[0] > likely[2]
    assert engine.decoder.tokenizer.decode(list(written.tokens[: places[0]])).strip().lower() == "it was the"


def test_the_engine_spots_words_while_they_are_said(engine: StreamingRecognizer) -> None:
    """No text changes by it, and loudness makes no difference."""
    clip = next(clip for clip in packaged_clips() if clip.text)
    first = tuple(word for word in (clip.text or "").lower().split()[:6] if len(word) > 3)
    samples = read_clip(clip)[: 16_000 * 3]
    texts, found = [], []
    for words, gain in (((), 1.0), ((*first, "submarine"), 1.0), ((*first, "submarine"), 0.01)):
        engine.listen_for(words)
        stream, spotted = engine.open(), []
        for at in range(0, len(samples), 1024):
            stream.accept(samples[at : at + 1024] * np.float32(gain))
            spotted += [(one.phrase, one.start) for one in stream.spot()]
            stream.advance()
        found.append(spotted)
        texts.append(stream.finish().text)
    engine.listen_for(())
    assert texts[0] == texts[1] == texts[2]
    assert found[0] == []
    assert {phrase for phrase, _ in found[1]} & set(first)
    assert "submarine" not in {phrase for phrase, _ in found[1]}
    assert {phrase for phrase, _ in found[1]} == {phrase for phrase, _ in found[2]}
