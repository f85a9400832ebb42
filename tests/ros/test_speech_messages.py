"""Speech and transcripts survive their way through messages."""

from __future__ import annotations

import numpy as np
import pytest
from hearing_msgs.msg import SpeechStep, Transcripts
from hearing_nodes import speech
from hearing_nodes.speech import Answer, Step
from rclpy.serialization import deserialize_message, serialize_message

from hearing.errors import InputError
from hearing.recognition.scheduling import RecognitionQueue
from hearing.types import SpeechChunk, SpottedWord, Transcript, Word


def test_steps() -> None:
    samples = np.linspace(-1, 1, 5, dtype=np.float32)
    chunks = (
        SpeechChunk("a", 3, samples, 1.5, 2.0, last=False, opened=1.0),
        SpeechChunk("b", 4, samples[:0], 1.75, 2.0, last=True, opened=0.5, whole=samples[::-1]),
    )
    sent = Step(2**40, 7, 2.0, chunks, {"a": 0.25, "b": 1.0}, ("stop",), anew=True, end=True)
    message = deserialize_message(serialize_message(speech.step_message(sent)), SpeechStep)
    got = speech.step(message)
    assert (got.stream, got.number, got.now, got.anew, got.end) == (2**40, 7, 2.0, True, True)
    assert (got.addressed, got.listen_for) == ({"a": 0.25, "b": 1.0}, ("stop",))
    for new, old in zip(got.chunks, chunks, strict=True):
        np.testing.assert_array_equal(new.samples, old.samples)
        assert (new.whole is None) == (old.whole is None)
        assert (new.utterance_id, new.start_time, new.opened, new.last) == (
            *(old.utterance_id, old.start_time, old.opened, old.last),
        )
    np.testing.assert_array_equal(got.chunks[1].whole, samples[::-1])


def test_answers() -> None:
    words = (Word("Hello", 1.0, 1.5, 0.5, 2.0, None), Word("there.", 1.5, 2.0, 0.75, 2.0, 3.0))
    spotted = SpottedWord("stop", "a", 3, 1.0, 1.25, 1.5, 0.875, "please")
    transcript = Transcript("a", 3, words, 0.625, final=False, stable=1)
    sent = Answer(5, 6, 7, False, (transcript,), (spotted,), RecognitionQueue(1, 0.5, 2.0), 0.25)
    for answer in (sent, Answer(5), Answer(5, queue=RecognitionQueue.of((), 1.0))):
        message = deserialize_message(serialize_message(speech.answer_message(answer)), Transcripts)
        assert speech.answer(message) == answer


def test_a_step_that_is_not_consistent_is_refused() -> None:
    with pytest.raises(InputError, match="1 utterances with 0 probabilities"):
        speech.step(SpeechStep(utterance_ids=["a"]))
