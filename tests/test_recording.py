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


@pytest.mark.parametrize("channels", [1, 2])
def test_playback_comes_block_by_block_with_the_audio(tmp_path: Path, channels: int) -> None:
    path = folder(tmp_path / "meeting")
    played = noise(0.2, channels)
    write(path / "playback.wav", played, subtype="FLOAT")
    recording = open_recording(path)
    assert (recording.playback, recording.playback_channels) == (path / "playback.wav", channels)
    assert recording.notices == ()
    blocks = list(recording.blocks_with_playback(500))
    assert all(len(block.samples) == len(playback) for block, playback in blocks)
    assert [block.start_sample for block, _ in blocks] == list(range(0, 3200, 500))
    assert blocks[0][1].dtype == np.float32
    np.testing.assert_array_equal(np.concatenate([playback for _, playback in blocks]), played)


def test_there_need_not_be_a_playback(tmp_path: Path) -> None:
    recording = open_recording(folder(tmp_path / "meeting"))
    assert (recording.playback, recording.playback_channels) == (None, 0)
    assert [playback for _, playback in recording.blocks_with_playback()] == [None] * 7


@pytest.mark.parametrize(("seconds", "notice"), [(0.04, "ends 0.2 s before"), (0.4, "goes on for 0.2 s after")])
def test_playback_of_another_length_is_filled_or_cut(tmp_path: Path, seconds: float, notice: str) -> None:
    path = folder(tmp_path / "meeting")
    played = noise(seconds, 1)
    write(path / "playback.wav", played, subtype="FLOAT")
    recording = open_recording(path)
    assert [notice in line for line in recording.notices] == [True]
    heard = np.concatenate([playback for _, playback in recording.blocks_with_playback()])
    assert len(heard) == 3200
    expected = np.concatenate([played, np.zeros((3200, 1))])[:3200]
    np.testing.assert_array_equal(heard, expected)


def test_playback_at_another_rate_is_resampled(tmp_path: Path) -> None:
    path = folder(tmp_path / "meeting")
    time = np.arange(9600) / 48_000
    write(path / "playback.wav", 0.5 * np.sin(2 * np.pi * 440 * time)[:, None], 48_000)
    recording = open_recording(path)
    assert ["48000" in line for line in recording.notices] == [True]
    heard = np.concatenate([playback for _, playback in recording.blocks_with_playback()])[:, 0]
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(3200) / SAMPLE_RATE)
    np.testing.assert_allclose(heard[200:-200], expected[200:-200], atol=2e-3)


def test_playback_that_is_no_audio(tmp_path: Path) -> None:
    path = folder(tmp_path / "meeting")
    (path / "playback.wav").write_text("la la la")
    message = refusal(path, array=None)
    assert "playback.wav: not an audio file" in message
    samples = noise(0.2, 1)
    samples[1600] = np.nan
    write(path / "playback.wav", samples, subtype="FLOAT")
    assert "playback.wav: the sample at 0.100 s" in refusal(path, array=None)


def test_a_given_playback_takes_the_place_of_the_folders(tmp_path: Path) -> None:
    path = folder(tmp_path / "meeting")
    (path / "playback.wav").write_text("la la la")
    other = write(tmp_path / "other.wav", noise(0.2, 1))
    assert open_recording(path, playback=other).playback == other
    assert open_recording(path / "audio.wav", ARRAY, playback=other).playback == other
    with pytest.raises(InputError, match="no such file"):
        open_recording(path, playback=tmp_path / "none.wav")


def test_motion_is_checked(tmp_path: Path) -> None:
    path = folder(tmp_path / "meeting")
    assert open_recording(path).motion is None
    (path / "motion.jsonl").write_text('{"time": 0, "position": [0, 0, 0], "yaw_deg": 0}\n')
    assert open_recording(path).motion == path / "motion.jsonl"
    (path / "motion.jsonl").write_text("forward")
    assert "motion.jsonl, line 1" in refusal(path, array=None)


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
