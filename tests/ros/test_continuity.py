"""Lost, repeated, re-ordered and restarted streams, block by block."""

from __future__ import annotations

import numpy as np
import pytest

from hearing.continuity import Admission, Continuity, Faults
from hearing.types import SAMPLE_RATE, AudioBlock

BLOCK = 512
ORIGIN = 1_700_000_000_000_000_000


class Stream:
    """Sends blocks whose samples are their own numbers on the sender's clock."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.continuity = Continuity(max_gap=1.0, faults=self.faults)

    def send(self, start: int, size: int = BLOCK, delay: float = 0.0) -> Admission:
        samples = np.arange(start, start + size, dtype=np.float32)[:, None].repeat(2, axis=1)
        stamp = ORIGIN + round((start / SAMPLE_RATE + delay) * 1e9)
        return self.continuity.admit(AudioBlock(samples, start), stamp)


@pytest.fixture
def stream() -> Stream:
    stream = Stream()
    stream.send(0)
    return stream


def test_blocks_in_order_pass(stream: Stream) -> None:
    (block,) = stream.send(BLOCK).blocks
    assert block.start_sample == BLOCK
    assert stream.faults == Faults()
    assert stream.continuity.samples == 2 * BLOCK


def test_a_gap_becomes_silence_and_is_counted(stream: Stream) -> None:
    silence, block = stream.send(3 * BLOCK).blocks
    assert (silence.start_sample, silence.samples.shape) == (BLOCK, (2 * BLOCK, 2))
    assert not silence.samples.any()
    assert block.start_sample == 3 * BLOCK
    assert stream.faults == Faults(gaps=1, lost_samples=2 * BLOCK)


def test_a_repeated_block_is_dropped(stream: Stream) -> None:
    assert stream.send(0) == Admission(())
    assert stream.faults == Faults(late=1)
    assert stream.send(BLOCK).blocks[0].start_sample == BLOCK


def test_a_block_that_comes_late_is_dropped(stream: Stream) -> None:
    stream.send(2 * BLOCK)
    assert stream.send(BLOCK) == Admission(())
    assert stream.faults == Faults(gaps=1, lost_samples=BLOCK, late=1)


def test_the_new_part_of_an_overlapping_block_is_used(stream: Stream) -> None:
    (block,) = stream.send(BLOCK - 100).blocks
    assert block.start_sample == BLOCK
    assert block.samples[0, 0] == BLOCK
    assert len(block.samples) == BLOCK - 100
    assert stream.faults == Faults(late=1)


def test_a_source_that_starts_again_is_a_new_stream(stream: Stream) -> None:
    stream.send(BLOCK)
    admission = stream.send(0, delay=20.0)
    assert admission.restart
    assert admission.blocks[0].start_sample == 0
    assert stream.faults == Faults(restarts=1)


def test_a_gap_that_is_too_long_ends_the_stream(stream: Stream) -> None:
    admission = stream.send(10 * SAMPLE_RATE)
    assert admission.restart
    assert [block.start_sample for block in admission.blocks] == [0]
    assert stream.continuity.samples == BLOCK


def test_a_stamp_that_does_not_fit_the_sample_clock_is_reported(stream: Stream) -> None:
    assert stream.send(BLOCK, delay=0.5).blocks[0].start_sample == BLOCK
    assert stream.send(2 * BLOCK, delay=0.5).blocks[0].start_sample == 2 * BLOCK
    assert stream.faults == Faults(jumps=1)


def test_a_stream_that_is_joined_late_begins_at_zero() -> None:
    (block,) = Stream().send(123 * BLOCK).blocks
    assert block.start_sample == 0
