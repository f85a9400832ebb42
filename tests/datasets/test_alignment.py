from itertools import pairwise

import numpy as np
import pytest
from hearing_datasets import align, clip_words, kit_clips, kit_root, packaged_clips, read_clip, synthesize

from hearing.types import SAMPLE_RATE


def test_words_and_phones_of_a_synthesized_sentence():
    text = "Robot, bring the torque wrench to bay 5."
    sound = np.concatenate([np.zeros(SAMPLE_RATE), synthesize(text), np.zeros(SAMPLE_RATE)])
    words = align(sound, text)
    assert [word.word for word in words] == text.split()
    assert 0.9 < words[0].start < 1.4
    assert words[-1].end < len(sound) / SAMPLE_RATE - 0.7
    for word, following in pairwise(words):
        assert word.start < word.end <= following.start + 0.02
    assert words[2].phones[0].phone == "DH"
    assert words[-1].phones[0].phone == "F"


def test_alignment_does_not_depend_on_what_was_aligned_before():
    sound = synthesize("The spare belt is in bay nine.")
    first = align(sound, "The spare belt is in bay nine.")
    align(synthesize("Something else."), "Something else.")
    assert align(sound, "The spare belt is in bay nine.") == first


@pytest.mark.parametrize("text", ["", "-", "..."])
def test_no_words(text):
    assert all(not word.phones for word in align(np.zeros(SAMPLE_RATE), text))


def test_words_share_what_cannot_be_aligned():
    noise = np.zeros(2 * SAMPLE_RATE)
    noise[8000:24000] = np.random.default_rng(0).standard_normal(16000)
    words = align(noise, "Xq zzzz")
    assert [word.word for word in words] == ["Xq", "zzzz"]
    assert words[0].start == pytest.approx(0.5, abs=0.1)


def test_packaged_clips_have_words():
    for clip in packaged_clips():
        words = clip_words(clip)
        assert [word.word for word in words] == clip.text.split()
        assert words[-1].end <= clip.duration + 0.05


@pytest.mark.skipif(kit_root() is None, reason="needs the data kit")
def test_kept_alignments_are_what_aligning_gives():
    for clip in kit_clips("speech/read_5_speakers")[:3]:
        for kept, found in zip(clip_words(clip), align(read_clip(clip), clip.text), strict=True):
            assert kept.word == found.word
            assert kept.start == pytest.approx(found.start, abs=0.011)
            assert kept.end == pytest.approx(found.end, abs=0.011)
