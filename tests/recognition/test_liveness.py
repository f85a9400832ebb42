"""Living talkers and loudspeakers."""

from __future__ import annotations

import numpy as np
from hearing_datasets import packaged_clips, read_clip
from hearing_models.recognizer.loudspeakers import through_loudspeaker

from hearing.recognition.liveness import Liveness
from hearing.recognition.mel import N_MELS, log_mel


def test_somebody_who_is_there_is_told_from_a_loudspeaker_that_says_the_same() -> None:
    liveness = Liveness()
    clips = [read_clip(clip) for clip in packaged_clips()[:3]]
    there = [liveness.log_odds(log_mel(samples)) for samples in clips]
    played = [
        liveness.log_odds(log_mel(through_loudspeaker(np.random.default_rng(seed), samples)))
        for samples in clips
        for seed in range(3)
    ]

    assert min(there) > 0
    assert np.mean(played) < np.mean(there) - 2


def test_nothing_is_said_about_less_than_half_a_second() -> None:
    assert Liveness().log_odds(np.zeros((49, N_MELS), np.float32)) == 0.0
