"""The texts that synthetic voices say, and what the recognizer's letters are taught."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hearing_models.recognizer import speech, synthesis
from hearing_models.recognizer.dictionary import example_of_use, read_examples
from hearing_models.recognizer.sayings import in_pairs, label
from hearing_models.recognizer.synthesis import DEV_VOICES, VOICES, draw_voice, generate_speech, read_speech
from hearing_models.recognizer.texts import Line, sentence, spoken

from hearing.errors import InputError


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return [sentence(np.random.default_rng((0, index))) for index in range(3000)]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Go to bay 4.", "go to bay four"),
        ("Bring me part A-113!", "bring me part a one one three"),
        ("The pressure is at 3.5 bar.", "the pressure is at three point five bar"),
        ("It's -7 degrees, Dr. Müller\u2019s dog's cold.", "it's minus seven degrees doctor muller's dog's cold"),
        ("At 7:30 a.m., not 9:05 or 10:00.", "at seven thirty a m not nine oh five or ten o'clock"),
        ("It costs $4.50, or £3 million.", "it costs four dollars fifty cents or three million pounds"),
        ("The 2nd of the 1990s was in 2026.", "the second of the nineteen nineties was in twenty twenty six"),
        ("1,200 of 45 mm & 5% B12", "one thousand two hundred of forty five millimeters and five percent b twelve"),
        ("Call 555-0142 'now'.", "call five five five zero one four two now"),
        ("HE SAID \"WELL-KNOWN\"", "he said well known"),
        ("A 24-hour shift in room 007.", "a twenty four hour shift in room zero zero seven"),
        ("", ""),
    ],
)  # fmt: skip
def test_transcripts_become_letters(written: str, said: str):
    assert spoken(written) == said


def test_sentences_are_the_same_for_the_same_seed(lines: list[Line]):
    assert [sentence(np.random.default_rng((0, index))) for index in range(20)] == lines[:20]


def test_sentences_are_written_in_ascii_and_spoken_in_letters(lines: list[Line]):
    for line in lines:
        assert line.written.isascii()
        assert re.fullmatch(r"[A-Z0-9$\-].*[.?!]", line.written)
        assert not re.search(r"[{}\[\]|_]|  ", line.written)
        assert re.fullmatch(r"[a-z']+( [a-z']+)*", line.spoken)
        assert not re.search(r"\d", line.said)
        assert len(line.said.split()) <= 25


def test_sentences_have_many_words_and_many_numbers(lines: list[Line]):
    assert len({word for line in lines for word in line.spoken.split()}) > 3500
    assert sum(bool(re.search(r"\d", line.written)) for line in lines) > 600
    assert len({line.written for line in lines}) > 2500


def test_digits_that_name_something_are_said_in_several_ways():
    rng = np.random.default_rng(0)
    assert {label("814", rng) for _ in range(60)} >= {"eight fourteen", "eight one four", "eight hundred fourteen"}
    assert in_pairs("1200", rng) == "twelve hundred"
    assert in_pairs("1203", rng) in ("twelve oh three", "twelve zero three")
    assert label("84", np.random.default_rng(0)) == "eighty four"


def test_splits_share_no_voice():
    styles = {name: np.zeros((510, 1, 256), np.float32) for name in VOICES}
    heard = {}
    for split in ("train", "dev"):
        rng = np.random.default_rng(0)
        names = [draw_voice(styles, split, rng).name for _ in range(400)]
        heard[split] = {voice for name in names for voice in re.split(r"[+*]", name) if "_" in voice}
    assert heard["dev"] == set(DEV_VOICES)
    assert heard["train"] == set(VOICES) - set(DEV_VOICES)


def test_speech_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []

    def speak(line: Line, voice: synthesis.Voice) -> np.ndarray:
        said.append(line.written)
        return np.zeros(160, np.float32)

    styles = {name: np.zeros((510, 1, 256), np.float32) for name in VOICES}
    monkeypatch.setattr(synthesis, "load_styles", lambda folder: styles)
    monkeypatch.setattr(synthesis, "speak", speak)
    whole = generate_speech(tmp_path / "whole", 4, 1, "train", sentence, tmp_path, lambda number: None)
    generate_speech(tmp_path / "stopped", 2, 1, "train", sentence, tmp_path, lambda number: None)
    manifest = tmp_path / "stopped" / "manifest.jsonl"
    with manifest.open("a") as file:
        file.write('{"audio": "000/0000')
    assert len(read_speech(tmp_path / "stopped")) == 2
    said.clear()
    counts: list[int] = []
    assert generate_speech(tmp_path / "stopped", 4, 1, "train", sentence, tmp_path, counts.append) == whole
    assert counts == [2, 1, 1]
    assert said == [speech.text for speech in whole[2:]]
    assert [json.loads(line)["audio"] for line in manifest.read_text().splitlines()] == [s.audio for s in whole]


def test_wrong_voices_are_refused(tmp_path: Path):
    for name in VOICES:
        (tmp_path / f"{name}.bin").write_bytes(b"no voice")
    with pytest.raises(InputError, match="not the voices"):
        synthesis.load_styles(tmp_path)


GLOSSES = {
    "noun": [
        'a hand tool; "she took the wrench from the box"; "two words"; "he paid $5 for it"',
        'a person; "the foreman arrived late" ',
    ],
    "verb": ['turn; "tighten it, please!"'],
    "adj": ["without an example", f'long; "{" ".join(["word"] * 26)}"'],
    "adv": [],
}
EXAMPLES = ["she took the wrench from the box", "the foreman arrived late", "tighten it, please!"]


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    for part, glosses in GLOSSES.items():
        lines = [f"{number:08d} 06 n 01 thing 0 000 | {gloss}" for number, gloss in enumerate(glosses)]
        (tmp_path / f"data.{part}").write_text("\n".join(["  1 This is a licence", *lines]))
    return tmp_path


def test_examples_of_use_are_plain_words(wordnet: Path):
    assert read_examples(wordnet) == EXAMPLES


def test_examples_of_use_become_sentences(wordnet: Path):
    drawn = [example_of_use(np.random.default_rng(seed), wordnet) for seed in range(30)]
    sentences = ["She took the wrench from the box.", "The foreman arrived late.", "Tighten it, please!"]
    one = "|".join(map(re.escape, sentences))
    assert all(re.fullmatch(f"({one})( ({one})){{0,2}}", line.written) for line in drawn)
    assert {sentence for sentence in sentences for line in drawn if sentence in line.written} == set(sentences)
    assert drawn[0] == example_of_use(np.random.default_rng(0), wordnet)
    assert all(line.spoken == spoken(line.written) and len(line.said.split()) <= 25 for line in drawn)


def test_without_wordnet_the_package_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="apt install wordnet-base"):
        read_examples(tmp_path)


def test_without_flite_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(speech, "example_of_use", lambda rng: Line("Stop.", "Stop."))
    # With this seed the first voice is one of flite's.
    with pytest.raises(InputError, match="apt install flite"):
        speech.packaged_speech(1, 1, lambda number: None)
