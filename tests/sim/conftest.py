import json

import numpy as np
import pytest
import soundfile

from hearing.types import SAMPLE_RATE


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A data kit with one speaker who has two clips (noise bursts with silence around them) and one hum."""
    rng = np.random.default_rng(0)
    speech, noise = tmp_path / "kit" / "speech" / "one", tmp_path / "kit" / "noise" / "hum"
    for folder, names in ((speech, ("first", "second")), (noise, ("hum",))):
        folder.mkdir(parents=True)
        entries = []
        for name in names:
            audio = np.zeros(2 * SAMPLE_RATE)
            audio[SAMPLE_RATE // 2 : 3 * SAMPLE_RATE // 2] = 0.1 * rng.standard_normal(SAMPLE_RATE)
            soundfile.write(folder / f"{name}.flac", audio, SAMPLE_RATE)
            talks = folder == speech
            entry = {"audio": f"{name}.flac", "duration": 2.0, "licence": "CC0", "source": "test"}
            entry |= {"text": f"the {name} sentence", "speaker": "eve"} if talks else {"text": None, "speaker": None}
            entries.append(json.dumps(entry) + "\n")
        (folder / "manifest.jsonl").write_text("".join(entries))
    monkeypatch.setenv("HEARING_DATA", str(tmp_path / "kit"))
    return tmp_path / "kit"


@pytest.fixture
def no_kit(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("HEARING_DATA", str(tmp_path / "empty"))
