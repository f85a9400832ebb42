"""The noises that the recognizer is trained with, and the loudspeakers that people are heard over."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hearing_datasets import Split, kit_root
from hearing_models.recognizer import noises as module
from hearing_models.recognizer.loudspeakers import through_loudspeaker
from hearing_models.recognizer.noises import LEVEL, Noise, generate_noises, noise_clips, read_noises
from hearing_models.recognizer.tones import TONES
from scipy.signal import welch

from hearing.types import SAMPLE_RATE

SECONDS = 4.0
# Clips are split by their names. Clips of recording 1-7 are in all three splits, those of 1-1 in train and dev.
CLIPS = {f"noise/ambient/{name}-{piece}": "hum" for name in ("1-1", "1-3", "1-7") for piece in "ABCDEFGH"}
CLIPS |= {"noise/misc/bar": "crowded-bar", "noise/misc/drill": "drill"}


@pytest.fixture(autouse=True)
def short_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", SECONDS)


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, (clip, label) in enumerate(CLIPS.items()):
        path = tmp_path / "kit" / f"{clip}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(3 * SAMPLE_RATE), SAMPLE_RATE)
        entry = {"audio": path.name, "text": None, "speaker": None, "duration": 3.0, "licence": "CC0", "label": label}
        with (path.parent / "manifest.jsonl").open("a") as manifest:
            manifest.write(json.dumps(entry) + "\n")
    monkeypatch.setenv("HEARING_DATA", str(tmp_path / "kit"))


def generate(folder: Path, files: int, seed: int = 3, split: Split = "train") -> list[Noise]:
    return generate_noises(folder, files * SECONDS / 60, seed, split, lambda _: None)


def assert_shares(noises: list[Noise], **shares: float) -> None:
    found = Counter(noise.group for noise in noises)
    assert found.keys() == shares.keys()
    assert all(abs(found[group] - share * len(noises)) < 1.5 for group, share in shares.items())


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("kit")
def test_groups_have_their_shares_lengths_and_levels(tmp_path: Path):
    noises = generate(tmp_path / "made", 20)
    assert noises == read_noises(tmp_path / "made")
    assert_shares(noises, machine=0.55, recorded=0.25, alarm=0.12, crowd=0.08)
    assert {noise.kind for noise in noises if noise.group == "crowd"} == {"bar"}
    for noise in noises:
        samples, rate = soundfile.read(tmp_path / "made" / noise.audio)
        assert rate == SAMPLE_RATE
        assert samples.shape == (round(SECONDS * SAMPLE_RATE),) == (round(noise.duration * SAMPLE_RATE),)
        assert 0.75 * LEVEL < np.sqrt(np.mean(samples**2)) < 1.01 * LEVEL
        assert noise.licence == "CC0" or noise.group in ("machine", "alarm")


@pytest.mark.usefixtures("kit")
def test_a_file_depends_on_seed_split_and_number_only(tmp_path: Path):
    generate(tmp_path / "long", 6)
    generate(tmp_path / "short", 3)
    generate(tmp_path / "other", 3, seed=4)
    generate(tmp_path / "dev", 3, split="dev")
    long, short, *others = (content(tmp_path / name) for name in ("long", "short", "other", "dev"))
    files = [name for name in short if name.endswith(".flac")]
    assert all(long[name] == short[name] for name in files)
    assert all(other[name] != short[name] for other in others for name in files)


@pytest.mark.usefixtures("kit")
def test_a_run_that_was_killed_is_resumed(tmp_path: Path):
    folder = tmp_path / "made"
    noises = generate(folder, 6)
    whole = content(folder)
    lines = whole["manifest.jsonl"].splitlines(keepends=True)
    (folder / "manifest.jsonl").write_bytes(b"".join(lines[:3]) + lines[3][:20])
    (folder / noises[3].audio).unlink()
    (folder / noises[4].audio).write_bytes(b"")
    told: list[int] = []
    assert generate_noises(folder, 6 * SECONDS / 60, 3, "train", told.append) == noises
    assert told == [3, 1, 1, 1]
    assert content(folder) == whole


def recordings(split: Split) -> set[str]:
    return {
        clip.name.removesuffix(clip.name[-2:]) if clip.name[-2] == "-" else clip.name for clip in noise_clips(split)
    }


@pytest.mark.usefixtures("kit")
def test_splits_share_no_recording(tmp_path: Path):
    assert recordings("train") == {"1-3", "bar", "drill"}
    assert recordings("dev") == {"1-1"}
    assert recordings("test") == {"1-7"}
    noises = generate(tmp_path / "dev", 20, split="dev")
    assert_shares(noises, machine=0.63, recorded=0.25, alarm=0.12)
    heard = {kind[:3] for noise in noises if noise.group == "recorded" for kind in noise.kind.split("+")}
    assert heard == {"1-1"}


@pytest.mark.skipif(kit_root() is None, reason="needs the noises of the data kit")
def test_splits_of_the_data_kit_share_no_recording():
    train, dev, test = (recordings(split) for split in ("train", "dev", "test"))
    assert len(train) > 30
    assert len(dev) >= 5
    assert not train & dev | train & test | dev & test


def test_there_are_noises_without_a_data_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("HEARING_DATA", str(tmp_path / "empty"))
    assert_shares(generate(tmp_path / "made", 9), machine=0.88, alarm=0.12)


@pytest.mark.parametrize("name", TONES)
def test_tones_sound_and_differ(name: str):
    made = [TONES[name](SAMPLE_RATE, np.random.default_rng(seed)) for seed in range(5)]
    assert all(signal.shape == (SAMPLE_RATE,) and np.isfinite(signal).all() and signal.any() for signal in made)
    assert len({signal.tobytes() for signal in made}) == 5


@pytest.mark.parametrize("seed", range(12))
def test_a_loudspeaker_limits_the_band_and_keeps_the_level(seed: int):
    speech = 0.05 * np.random.default_rng(100).standard_normal(4 * SAMPLE_RATE).astype(np.float32)
    played = through_loudspeaker(np.random.default_rng(seed), speech)
    assert played.dtype == np.float32
    assert played.shape == speech.shape
    assert np.isclose(np.std(played), 0.05, rtol=0.02)
    frequencies, power = welch(played, SAMPLE_RATE, nperseg=1024)
    middle = power[(frequencies > 700) & (frequencies < 2000)].mean()
    assert power[frequencies < 70].max() < 0.1 * middle
    assert power[frequencies > 7500].max() < 0.1 * middle


def test_a_loudspeaker_is_the_same_for_the_same_seed_and_silent_in_silence():
    speech = np.sin(np.arange(SAMPLE_RATE) / 5).astype(np.float32)
    first, again, other = (through_loudspeaker(np.random.default_rng(seed), speech) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not through_loudspeaker(np.random.default_rng(1), np.zeros(100, np.float32)).any()
