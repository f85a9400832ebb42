import numpy as np
import pytest

from hearing.segmentation import SegmentationConfig, UtteranceSegmenter
from hearing.types import Direction, SourceAudio, SpeechChunk, Track

STEP = 1024


def segment(speech: list[float], tentative: bool = False, track_id: int = 1) -> list[SpeechChunk]:
    """Feed one probability of own speech per 64 ms; the audio counts its own samples."""
    segmenter, chunks = UtteranceSegmenter(), []
    for i, probability in enumerate(speech):
        samples = np.arange(i * STEP, (i + 1) * STEP).astype(np.float32)
        audio = SourceAudio(track_id, samples, samples, np.ones(4, np.float32), i * STEP)
        track = Track(track_id, 0.0, Direction(0.0), 1.0, tentative=tentative)
        chunks += segmenter.process(track, audio, np.full(2, probability, np.float32), (i + 1) * STEP / 16000)
    return chunks + list(segmenter.close({track_id}, len(speech) * STEP / 16000))


def test_an_utterance_has_lead_and_tail_and_loses_no_sample():
    chunks = segment([0.0] * 30 + [1.0] * 30 + [0.0] * 40)
    assert {chunk.utterance_id for chunk in chunks} == {"u0001"}
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    samples = np.concatenate([chunk.samples for chunk in chunks])
    np.testing.assert_array_equal(np.diff(samples), 1.0)
    begin, end = 30 * STEP / 16000, 60 * STEP / 16000
    config = SegmentationConfig()
    assert chunks[0].start_time == pytest.approx(begin - config.lead, abs=0.07)
    assert chunks[-1].end_time == pytest.approx(end + config.tail, abs=0.07)
    assert chunks[0].start_time == samples[0] / 16000


def test_a_short_pause_does_not_split_and_a_long_one_does():
    short = segment([1.0] * 20 + [0.0] * 8 + [1.0] * 20 + [0.0] * 20)
    assert {chunk.utterance_id for chunk in short} == {"u0001"}
    long = segment([1.0] * 20 + [0.0] * 30 + [1.0] * 20 + [0.0] * 20)
    assert {chunk.utterance_id for chunk in long} == {"u0001", "u0002"}


def test_a_click_is_no_utterance():
    assert not segment([0.0] * 10 + [1.0, 1.0] + [0.0] * 30)


def test_no_utterance_begins_on_a_tentative_track():
    assert not segment([1.0] * 60, tentative=True)


def test_what_follows_the_end_is_not_handed_on():
    chunks = segment([1.0] * 30 + [0.1] * 30)
    assert chunks[-1].end_time < 30 * STEP / 16000 + 1.0


def test_an_endless_speech_is_cut():
    chunks = segment([1.0] * 900)
    ends = [chunk for chunk in chunks if chunk.last]
    assert len(ends) >= 2
    lengths = {chunk.utterance_id: 0 for chunk in chunks}
    for chunk in chunks:
        lengths[chunk.utterance_id] += len(chunk.samples)
    assert max(lengths.values()) <= 28 * 16000


def test_a_track_that_vanishes_ends_its_utterance():
    chunks = segment([1.0] * 20)
    assert chunks[-1].last
