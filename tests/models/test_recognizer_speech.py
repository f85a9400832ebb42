"""Speech that the recognizer is trained on."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hearing_datasets import Clip
from hearing_models.recognizer.speech import recorded_speech


def test_a_transcript_that_is_too_short_for_its_recording_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sound = tmp_path / "a.wav"
    soundfile.write(sound, 0.1 * np.random.default_rng(0).standard_normal(10 * 16000), 16000)
    names = ("heading", "whole")
    clips = [Clip(sound, "speech/read_251_speakers", name, None, name, 10.0, "CC BY 4.0") for name in names]
    monkeypatch.setattr("hearing_models.recognizer.speech._clips", lambda split: clips)
    labels = tmp_path / "labels.json"
    texts = ("Chapter 21.", "Chapter 21. A moment's glance was enough to satisfy Catherine.")
    known = {f"speech/read_251_speakers/{name}": text for name, text in zip(names, texts, strict=True)}
    labels.write_text(json.dumps(known))
    found = recorded_speech("train", labels, lambda number: None)
    assert [speech.written for speech in found] == [texts[1]]
