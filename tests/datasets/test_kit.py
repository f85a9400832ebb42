import json

import numpy as np
import pytest
import soundfile
from hearing_datasets import kit_clips, kit_root, read_clip, split_of

from hearing.errors import InputError
from hearing.types import SAMPLE_RATE

ENTRY = {"audio": "a/one.flac", "text": "hello", "speaker": "eve", "duration": 1.0, "licence": "CC0", "label": "noisy"}


@pytest.fixture
def kit(tmp_path, monkeypatch):
    folder = tmp_path / "speech" / "people"
    (folder / "a").mkdir(parents=True)
    tone = np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    soundfile.write(folder / "a" / "one.flac", np.stack([tone, 0 * tone], axis=1), 48000)
    picture = {"image": "face.jpg", "identity": "x"}
    (folder / "manifest.jsonl").write_text(f"{json.dumps(ENTRY)}\n{json.dumps(picture)}\n")
    monkeypatch.setenv("HEARING_DATA", str(tmp_path))
    return tmp_path


def test_manifest_entries_with_audio_become_clips(kit):
    (clip,) = kit_clips("speech")
    assert (clip.collection, clip.name, clip.text, clip.speaker) == ("speech/people", "a/one", "hello", "eve")
    assert (clip.duration, clip.licence, clip.label) == (1.0, "CC0", "noisy")
    assert kit_clips("noise") == []


def test_clip_is_read_as_one_channel_at_the_pipelines_rate(kit):
    (clip,) = kit_clips("speech/people")
    samples = read_clip(clip)
    assert samples.shape == (SAMPLE_RATE,)
    assert samples.dtype == np.float32
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.01)


def test_missing_audio_file(kit):
    (clip,) = kit_clips("speech")
    clip.path.unlink()
    with pytest.raises(InputError, match=r"one\.flac: cannot read this clip"):
        read_clip(clip)


@pytest.mark.parametrize("line", ["{", '{"audio": "x.flac"}', "5"])
def test_damaged_manifest_names_file_and_line(kit, line):
    manifest = kit / "speech" / "people" / "manifest.jsonl"
    manifest.write_text(f"{json.dumps(ENTRY)}\n{line}\n")
    with pytest.raises(InputError, match=r"manifest\.jsonl, line 2"):
        kit_clips("speech")


def test_empty_kit_has_no_clips(tmp_path, monkeypatch):
    monkeypatch.setenv("HEARING_DATA", str(tmp_path))
    assert kit_root() == tmp_path
    assert kit_clips("speech") == []


def test_wrong_variable_is_an_error_not_an_empty_kit(tmp_path, monkeypatch):
    monkeypatch.setenv("HEARING_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="HEARING_DATA"):
        kit_clips("speech")


def test_split_depends_on_the_speaker_alone():
    # md5("vctk-p225") ends with 1, md5("vctk-p226") with d.
    assert split_of("vctk-p225") == "dev"
    assert split_of("vctk-p226") == "train"
    assert split_of(None) == "train"
    dev = [split_of(f"speaker-{i}") for i in range(1600)].count("dev")
    assert 150 < dev < 250
