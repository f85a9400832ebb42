"""The whole line on two real voices that installed packages carry, as plane waves without a room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hearing_datasets import packaged_clips, read_clip
from plane_waves import microphone_noise, plane_wave

from hearing.activity import VoiceActivity
from hearing.arrays import load_array
from hearing.errors import InputError
from hearing.pipeline import Pipeline
from hearing.recognition import Recognizer
from hearing.recognition.catalogue import MODELS
from hearing.recognition.drafting import DraftingEngine
from hearing.recognition.moonshine import Moonshine
from hearing.recognition.scheduling import RecognitionQueue, SchedulingConfig
from hearing.recognition.store import locate
from hearing.recognition.whisper import Whisper
from hearing.types import SAMPLE_RATE, AudioBlock, Direction, Float32Array, HearingOutput, Utterance

ARRAY = load_array("respeaker_6mic")
LEFT, RIGHT = Direction(np.deg2rad(70.0), 0.1), Direction(np.deg2rad(-40.0), 0.1)


@pytest.fixture(scope="module")
def engine() -> DraftingEngine:
    draft, final = Moonshine(locate(MODELS["moonshine-tiny-en"]), 1), Whisper(locate(MODELS["whisper-base"]), 1)
    return DraftingEngine(draft, final)


def make(engine: DraftingEngine, scheduling: SchedulingConfig | None = None) -> Pipeline:
    activity = VoiceActivity(locate(MODELS["silero-vad-v6"]) / "silero_vad_v6.onnx")
    return Pipeline(ARRAY, Recognizer(engine, scheduling), activity)


@pytest.fixture
def pipeline(engine: DraftingEngine) -> Pipeline:
    return make(engine)


@pytest.fixture(scope="module")
def conversation() -> Float32Array:
    """Two people in turn: `Do you remember ...` from the left, `it was the age ...` from the right."""
    clips = {clip.speaker: read_clip(clip) for clip in packaged_clips() if clip.start in (23.60, 4.75)}
    signal = np.zeros((10 * SAMPLE_RATE, ARRAY.n_microphones), np.float32)
    for voice, direction, start in (("nagg", LEFT, 0.6), ("two-cities", RIGHT, 5.6)):
        wave = plane_wave(ARRAY, direction, clips[voice].astype(np.float64))
        first = round(start * SAMPLE_RATE)
        signal[first : first + len(wave)] += wave[: len(signal) - first]
    return signal + microphone_noise(signal.shape, 1e-3, 0)


def blocks(samples: Float32Array, size: int = 512) -> Iterator[AudioBlock]:
    for start in range(0, len(samples), size):
        yield AudioBlock(samples[start : start + size], start)


def hear(pipeline: Pipeline, samples: Float32Array, size: int = 512) -> list[HearingOutput]:
    return [*(pipeline.process(block) for block in blocks(samples, size)), pipeline.flush()]


def finals(outputs: list[HearingOutput]) -> list[Utterance]:
    return [u for output in outputs for u in output.utterances if u.final and u.words]


def test_two_people_in_turn_are_heard_told_apart_and_placed(pipeline: Pipeline, conversation: Float32Array):
    first, second = finals(hear(pipeline, conversation))
    assert "do you remember the day" in first.text.lower()
    assert "age of foolishness" in second.text.lower()
    assert first.speaker != second.speaker
    assert first.direction.angle_to(LEFT) < np.deg2rad(5.0)
    assert second.direction.angle_to(RIGHT) < np.deg2rad(5.0)
    assert 0.4 < first.start_time < 1.1
    assert 5.4 < second.start_time < 6.1


def test_utterances_have_stable_ids_and_growing_revisions(pipeline: Pipeline, conversation: Float32Array):
    seen: dict[str, list[Utterance]] = {}
    for output in hear(pipeline, conversation):
        for utterance in output.utterances:
            seen.setdefault(utterance.id, []).append(utterance)
    assert len(seen) == 2
    for revisions in seen.values():
        assert [u.revision for u in revisions] == list(range(len(revisions)))
        assert [u.final for u in revisions] == [False] * (len(revisions) - 1) + [True]
        assert len(revisions) >= 3
        assert len({u.speaker for u in revisions}) == 1


@pytest.mark.parametrize("change_at", [3.3, 6.9, 7.0])
def test_no_output_depends_on_what_comes_later(pipeline: Pipeline, conversation: Float32Array, change_at: float):
    changed = conversation.copy()
    sample = round(change_at * SAMPLE_RATE)
    changed[sample:] = microphone_noise(changed[sample:].shape, 0.3, 7)
    heard = []
    for samples in (conversation, changed):
        pipeline.reset()
        until = [pipeline.process(block) for block in blocks(samples) if block.end_time <= change_at]
        heard.append(until)
    assert heard[0] == heard[1]
    assert any(output.utterances for output in heard[0])
    assert any(output.tracks for output in heard[0])


def test_the_block_size_does_not_change_what_is_heard(pipeline: Pipeline, conversation: Float32Array):
    once = hear(pipeline, conversation, 512)
    pipeline.reset()
    again = hear(pipeline, conversation, 4001)
    assert [u for output in once for u in output.utterances] == [u for output in again for u in output.utterances]
    assert [t for output in once for t in output.tracks] == [t for output in again for t in output.tracks]


def test_tracks_are_reported_ten_times_a_second(pipeline: Pipeline, conversation: Float32Array):
    tracks = [track for output in hear(pipeline, conversation) for track in output.tracks]
    ticks = sorted({round(track.time * 10) for track in tracks})
    assert ticks == list(range(ticks[0], ticks[-1] + 1))
    talking = [track for track in tracks if track.activity > 0.5]
    assert {track.kind for track in talking} <= {"talker", "noise"}
    assert sum(track.kind == "talker" for track in talking) > 0.7 * len(talking)


def test_silence_in_nothing_out(pipeline: Pipeline):
    outputs = hear(pipeline, np.zeros((6 * SAMPLE_RATE, ARRAY.n_microphones), np.float32))
    assert not any(output.tracks or output.utterances for output in outputs)


@pytest.mark.parametrize("kind", ["hiss", "hum", "hammer"])
def test_machines_alone_say_at_most_a_word(pipeline: Pipeline, kind: str):
    time = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
    rng = np.random.default_rng(1)
    sound = {
        "hiss": rng.standard_normal(len(time)),
        "hum": sum(np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 20)),
        "hammer": rng.standard_normal(len(time)) * np.exp(-((time % 0.7) / 0.05)),
    }[kind]
    samples = plane_wave(ARRAY, Direction(0.5), 0.1 * sound) + microphone_noise((len(time), 6), 1e-3, 2)
    assert sum(len(u.words) for u in finals(hear(pipeline, samples))) <= 1


def test_a_small_budget_delays_final_words_and_changes_nothing_else(
    pipeline: Pipeline, engine: DraftingEngine, conversation: Float32Array
):
    late = make(engine, SchedulingConfig(decoders=0.3))
    behind, outputs = 0.0, []
    for block in blocks(conversation):
        outputs.append(late.process(block))
        behind = max(behind, late.queue.behind)
    outputs.append(late.flush())
    assert behind > 3.0
    assert late.queue == RecognitionQueue()
    times = []
    for mine, other in zip(finals(outputs), finals(hear(pipeline, conversation)), strict=True):
        times.append((mine.words[0].emitted_final, other.words[0].emitted_final))
        said = [replace(word, emitted_partial=0.0, emitted_final=None) for word in mine.words]
        assert said == [replace(word, emitted_partial=0.0, emitted_final=None) for word in other.words]
        assert replace(mine, revision=0, words=()) == replace(other, revision=0, words=())
    assert all(mine >= other for mine, other in times)
    assert any(mine > other + 1.0 for mine, other in times)


def test_two_pipelines_do_not_disturb_each_other(
    pipeline: Pipeline, engine: DraftingEngine, conversation: Float32Array
):
    alone = finals(hear(pipeline, conversation))
    pipeline.reset()
    other = make(engine)
    outputs = []
    for block, mirrored in zip(blocks(conversation), blocks(conversation[::-1].copy()), strict=True):
        outputs.append(pipeline.process(block))
        other.process(mirrored)
    outputs.append(pipeline.flush())
    assert finals(outputs) == alone


def test_a_block_with_the_wrong_channels_is_refused(pipeline: Pipeline):
    with pytest.raises(InputError, match="6 microphones"):
        pipeline.process(AudioBlock(np.zeros((512, 4), np.float32), 0))


def test_a_gap_is_refused(pipeline: Pipeline):
    pipeline.process(AudioBlock(np.zeros((512, 6), np.float32), 0))
    with pytest.raises(InputError, match="expected 512"):
        pipeline.process(AudioBlock(np.zeros((512, 6), np.float32), 1024))


def test_what_is_reported_for_a_moment_depends_on_nothing_after_it(pipeline: Pipeline, conversation: Float32Array):
    reported = []
    for change_at in (3.0, 3.1):
        changed = conversation.copy()
        sample = round(change_at * SAMPLE_RATE)
        changed[sample:] = microphone_noise(changed[sample:].shape, 0.3, 7)
        pipeline.reset()
        outputs = [pipeline.process(block) for block in blocks(changed[: 4 * SAMPLE_RATE])]
        reported.append([track for output in outputs for track in output.tracks if track.time <= 3.0])
    assert reported[0] == reported[1]
    assert reported[0][-1].time == 3.0
