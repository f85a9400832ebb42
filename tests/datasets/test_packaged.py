import numpy as np
from hearing_datasets import packaged_clips, read_clip, synthesize

from hearing.types import SAMPLE_RATE


def test_packaged_clips_are_audible_sentences_of_several_people():
    clips = packaged_clips()
    assert len({clip.speaker for clip in clips}) >= 3
    assert len({clip.name for clip in clips}) == len(clips)
    for clip in clips:
        samples = read_clip(clip)
        assert len(samples) == round(clip.duration * SAMPLE_RATE)
        assert np.abs(samples).max() > 0.05
        assert 1 < len(clip.text.split()) / clip.duration < 5


def test_synthesis_is_speech_at_the_pipelines_rate_and_repeatable():
    speech = synthesize("Robot, where is the spare gripper?")
    assert 1.0 < len(speech) / SAMPLE_RATE < 3.5
    assert 0.05 < np.abs(speech).max() <= 1.0
    np.testing.assert_array_equal(speech, synthesize("Robot, where is the spare gripper?"))
