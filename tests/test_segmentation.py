import numpy as np
import pytest

from hearing.segmentation import SegmentationConfig, UtteranceSegmenter
from hearing.types import Direction, SourceAudio, SpeechChunk, Track

STEP = 1024


def segment(
    speech: list[float], tentative: int = 0, track_id: int = 1, claimed: list[float] | None = None
) -> list[SpeechChunk]:
    """Feed one probability of own speech per 64 ms, tentative for so many; the audio counts its own samples.

    What is claimed is the track's own, unless given.
    """
    segmenter, chunks = UtteranceSegmenter(), []
    for i, probability in enumerate(speech):
        samples = np.arange(i * STEP, (i + 1) * STEP).astype(np.float32)
        audio = SourceAudio(track_id, samples, samples, np.ones(4, np.float32), i * STEP)
        track = Track(track_id, 0.0, Direction(0.0), 1.0, tentative=i < tentative)
        judged = np.full((2, 2), (probability, claimed[i] if claimed else probability), np.float32)
        chunks += segmenter.process(track, audio, judged, (i + 1) * STEP / 16000)
    return chunks + list(segmenter.close({track_id}, len(speech) * STEP / 16000))


def spoken(chunks: list[SpeechChunk]) -> tuple[float, float]:
    """Return from when to when the only utterance in chunks is spoken, in steps."""
    assert {chunk.utterance_id for chunk in chunks} == {"u0001"}
    config = SegmentationConfig()
    times = chunks[0].start_time + config.lead, chunks[-1].end_time - config.tail
    return times[0] * 16000 / STEP, times[1] * 16000 / STEP


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
    assert not segment([1.0] * 60, tentative=60)


def test_what_is_said_while_a_track_is_tentative_is_not_lost():
    begin, end = spoken(segment([0.0] * 10 + [1.0] * 40 + [0.0] * 20, tentative=35))
    assert (begin, end) == pytest.approx((10, 50), abs=0.01)


def test_what_is_too_long_ago_is_lost_and_a_pause_parts_what_was_said_before_it():
    config = SegmentationConfig()
    begin, _ = spoken(segment([0.0] * 10 + [1.0] * 90 + [0.0] * 20, tentative=90))
    assert begin == pytest.approx(91 - config.lookback * 16000 / STEP, abs=1.0)
    begin, _ = spoken(segment([0.0] * 10 + [1.0] * 5 + [0.0] * 14 + [1.0] * 10 + [0.0] * 20, tentative=35))
    assert begin == pytest.approx(29, abs=0.01)
    begin, _ = spoken(segment([0.0] * 10 + [1.0] * 5 + [0.0] * 8 + [1.0] * 10 + [0.0] * 20, tentative=30))
    assert begin == pytest.approx(10, abs=0.01)


def test_an_utterance_begins_where_it_was_not_yet_sure():
    assert spoken(segment([0.0] * 20 + [0.4] * 20 + [1.0] * 20 + [0.0] * 20))[0] == pytest.approx(20, abs=0.01)
    assert not segment([0.0] * 20 + [0.4] * 60)


def test_what_is_unsure_and_ends_before_is_somebody_elses():
    begin, _ = spoken(segment([0.0] * 20 + [0.4] * 5 + [0.0] * 6 + [1.0] * 20 + [0.0] * 20))
    assert begin == pytest.approx(31, abs=0.01)


@pytest.mark.parametrize("leak", [[1.0], [0.4] * 8, [0.4, 0.0] * 4])
def test_what_leaks_in_after_the_end_does_not_prolong_an_utterance(leak: list[float]):
    _, end = spoken(segment([0.0] * 10 + [1.0] * 20 + [0.0] * 6 + leak + [0.0] * 20))
    assert end == pytest.approx(30, abs=0.01)


def test_what_is_said_after_a_pause_is_handed_on_from_where_it_began():
    chunks = segment([0.0] * 10 + [1.0] * 20 + [0.0] * 8 + [0.4] * 3 + [1.0] * 3 + [0.4] * 6 + [0.0] * 20)
    assert spoken(chunks)[1] == pytest.approx(50, abs=0.01)
    np.testing.assert_array_equal(np.diff(np.concatenate([chunk.samples for chunk in chunks])), 1.0)


def test_what_resumes_too_late_for_an_utterance_begins_the_next_one():
    chunks = segment([0.0] * 10 + [1.0] * 20 + [0.0] * 12 + [0.4] * 3 + [1.0] * 10 + [0.0] * 20)
    first, second = ([c for c in chunks if c.utterance_id == name] for name in ("u0001", "u0002"))
    assert first[-1].end_time <= second[0].start_time
    assert second[0].start_time + SegmentationConfig().lead == pytest.approx(42 * STEP / 16000, abs=0.01)


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


def test_who_begins_while_somebody_else_speaks_is_heard_from_where_he_claimed_the_voice():
    own = [0.0] * 40 + [1.0] * 30 + [0.0] * 20
    chunks = segment(own, claimed=[0.0] * 30 + [1.0] * 40 + [0.0] * 20)
    assert spoken(chunks) == pytest.approx((30, 70), abs=0.01)
    settled = chunks[0].settled + SegmentationConfig().lead
    assert settled * 16000 / STEP == pytest.approx(40, abs=0.01)


def test_an_undisputed_utterance_is_settled_from_its_first_sample():
    chunks = segment([0.0] * 40 + [1.0] * 30 + [0.0] * 20)
    assert {chunk.settled for chunk in chunks} == {chunks[0].start_time}


def test_what_a_track_always_claims_is_not_its_own():
    own = [0.0] * 60 + [1.0] * 30 + [0.0] * 20
    begin, end = spoken(segment(own, claimed=[1.0] * 90 + [0.0] * 20))
    assert (begin, end) == pytest.approx((60 - SegmentationConfig().disputed * 16000 / STEP, 90), abs=0.5)
    assert not segment([0.0] * 90, claimed=[1.0] * 90)


def test_a_claim_before_a_gap_was_another_ones():
    own = [0.0] * 40 + [1.0] * 30 + [0.0] * 20
    begin, _ = spoken(segment(own, claimed=[1.0] * 38 + [0.0] * 2 + [1.0] * 30 + [0.0] * 20))
    assert begin == pytest.approx(40, abs=0.01)


def test_quiet_first_words_belong_to_an_utterance_but_make_none():
    begin, end = spoken(segment([0.0] * 30 + [0.2] * 10 + [1.0] * 30 + [0.0] * 20))
    assert (begin, end) == pytest.approx((30, 70), abs=0.01)
    assert not segment([0.2] * 90)
