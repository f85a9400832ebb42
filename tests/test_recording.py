import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from hearing.errors import InputError
from hearing.recording import open_recording
from hearing.types import SAMPLE_RATE

ARRAY = "respeaker_4mic"


def noise(seconds: float, channels: int = 4, rate: int = SAMPLE_RATE) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (round(seconds * rate), channels)).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE, subtype: str | None = None) -> Path:
    sf.write(path, samples, rate, subtype=subtype)
    return path


def refusal(path: Path, array: str | Path | None = ARRAY) -> str:
    with pytest.raises(InputError) as caught:
        open_recording(path, array)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("name", "subtype", "precision"),
    [
        ("a.wav", "PCM_16", 1e-4),
        ("a.wav", "PCM_24", 1e-6),
        ("a.wav", "PCM_32", 1e-7),
        ("a.wav", "FLOAT", 0.0),
        ("a.flac", "PCM_16", 1e-4),
    ],
)
def test_reads_what_was_written(tmp_path: Path, name: str, subtype: str, precision: float) -> None:
    samples = noise(0.3)
    recording = open_recording(write(tmp_path / name, samples, subtype=subtype), ARRAY)
    read = recording.read()
    assert read.dtype == np.float32
    assert read.shape == samples.shape
    assert np.abs(read - samples).max() <= precision
    assert recording.session_id == "a"
    assert recording.notices == ()


def test_blocks_follow_on_each_other_and_hold_everything(tmp_path: Path) -> None:
    samples = noise(5.01)
    recording = open_recording(write(tmp_path / "a.wav", samples, subtype="FLOAT"), ARRAY)
    blocks = list(recording.blocks())
    assert {len(block.samples) for block in blocks[:-1]} == {512}
    assert [block.start_sample for block in blocks] == list(range(0, len(samples), 512))
    np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), samples)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_other_rates_are_resampled_with_a_notice(tmp_path: Path, rate: int) -> None:
    time = np.arange(2 * rate) / rate
    tone = np.stack([np.sin(2 * np.pi * frequency * time) for frequency in (300, 500, 700, 900)], axis=1)
    recording = open_recording(write(tmp_path / "a.wav", 0.5 * tone, rate), ARRAY)
    assert [str(rate) in notice for notice in recording.notices] == [True]
    assert recording.duration == pytest.approx(2.0)
    read = recording.read()
    assert abs(len(read) - 2 * SAMPLE_RATE) <= 1
    time = np.arange(len(read)) / SAMPLE_RATE
    expected = np.stack([np.sin(2 * np.pi * frequency * time) for frequency in (300, 500, 700, 900)], axis=1)
    middle = slice(1600, -1600)
    np.testing.assert_allclose(read[middle], 0.5 * expected[middle], atol=2e-3)


def test_a_very_short_file_is_fine(tmp_path: Path) -> None:
    assert open_recording(write(tmp_path / "a.wav", noise(1 / SAMPLE_RATE)), ARRAY).read().shape == (1, 4)


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "a.wav")


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert "empty" in refusal(tmp_path / "a.wav")


def test_file_without_samples(tmp_path: Path) -> None:
    assert "no sound" in refusal(write(tmp_path / "a.wav", np.zeros((0, 4))))


def test_not_audio(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("hello, I am a text file")
    assert "not an audio file" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize("kept", [0.2, 0.9])
@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_truncated_file(tmp_path: Path, name: str, kept: float) -> None:
    path = write(tmp_path / name, noise(2.0))
    content = path.read_bytes()
    path.write_bytes(content[: round(kept * len(content))])
    message = refusal(path)
    assert "cut off" in message or "damaged" in message


def test_a_wav_file_that_was_piped_has_no_length_and_is_read(tmp_path: Path) -> None:
    samples = noise(0.5)
    path = write(tmp_path / "a.wav", samples, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[content.index(b"data") + 4 : content.index(b"data") + 8] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(content)
    assert open_recording(path, ARRAY).read().shape == samples.shape


@pytest.mark.parametrize("value", [np.nan, np.inf, -3e4])
def test_samples_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    samples = noise(10.0)
    samples[8 * SAMPLE_RATE, 2] = value
    message = refusal(write(tmp_path / "a.wav", samples, subtype="FLOAT"))
    assert "8.000 s" in message
    assert "channel 3" in message


def test_wrong_channel_count_names_both_numbers_and_arrays_that_fit(tmp_path: Path) -> None:
    message = refusal(write(tmp_path / "a.wav", noise(0.1, channels=6)))
    assert "6 channels" in message
    assert "4 microphones" in message
    assert "respeaker_6mic" in message


def test_mono_file_fits_no_array(tmp_path: Path) -> None:
    assert "1 channel," in refusal(write(tmp_path / "a.wav", noise(0.1, channels=1)))


def test_array_must_be_given_with_a_file(tmp_path: Path) -> None:
    assert "--array" in refusal(write(tmp_path / "a.wav", noise(0.1)), array=None)


def test_unknown_array_suggests_the_closest(tmp_path: Path) -> None:
    assert "did you mean respeaker_4mic" in refusal(write(tmp_path / "a.wav", noise(0.1)), array="respeeker_4mic")


@pytest.mark.parametrize("content", ["microphones: [[0, 0], [1, 1]]", "name: x", "]["])
def test_bad_array_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "array.yaml").write_text(content)
    assert "array.yaml" in refusal(write(tmp_path / "a.wav", noise(0.1)), tmp_path / "array.yaml")


def folder(path: Path) -> Path:
    path.mkdir()
    write(path / "audio.wav", noise(0.2))
    (path / "array.yaml").write_text("name: square\nmicrophones: [[1, 1, 0], [1, -1, 0], [-1, -1, 0], [-1, 1, 0]]\n")
    return path


def test_recording_folder(tmp_path: Path) -> None:
    path = folder(tmp_path / "meeting")
    (path / "reference").mkdir()
    recording = open_recording(path)
    assert recording.session_id == "meeting"
    assert recording.array.name == "square"
    assert recording.reference == path / "reference"
    assert recording.playback is None
    assert recording.read().shape == (3200, 4)


def test_what_is_not_used_yet_is_noticed(tmp_path: Path) -> None:
    path = folder(tmp_path / "meeting")
    write(path / "playback.wav", noise(0.2, channels=1))
    (path / "camera.mp4").touch()
    recording = open_recording(path)
    assert recording.playback == path / "playback.wav"
    assert [Path(notice.split()[0]).name for notice in recording.notices] == ["playback.wav", "camera.mp4"]


@pytest.mark.parametrize(
    ("gains", "channels"),
    [([1, 1, 0, 1], "channel 3;"), ([30, 1, 1, 1], "channel 1;"), ([0, 1, 0, 1], "channel 1, 3;")],
)
def test_a_broken_microphone_is_noticed(tmp_path: Path, gains: list[float], channels: str) -> None:
    samples = 0.01 * noise(5.0) * gains + 0.5
    (notice,) = open_recording(write(tmp_path / "a.wav", samples, subtype="FLOAT"), ARRAY).notices
    assert channels in notice


@pytest.mark.parametrize("gains", [[1, 0.3, 1, 0.3], [0, 0, 0, 0]])
def test_microphones_that_are_alike_are_not(tmp_path: Path, gains: list[float]) -> None:
    assert open_recording(write(tmp_path / "a.wav", noise(5.0) * gains), ARRAY).notices == ()


def test_a_given_array_takes_the_place_of_the_folders(tmp_path: Path) -> None:
    path = folder(tmp_path / "meeting")
    (path / "array.yaml").unlink()
    assert open_recording(path, ARRAY).array.name == ARRAY
    assert "no array.yaml in this folder" in refusal(path, array=None)


def test_folder_without_audio(tmp_path: Path) -> None:
    assert "no audio.wav" in refusal(tmp_path, array=None)
