from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch
from hearing_models.floor.material import Sound, voice_of
from hearing_models.floor.network import ODDS, export
from hearing_models.floor.recipe import _IdealRobot, _weights, draw_lines, fit, judge, loss_of
from hearing_models.floor.world import Address, Turn, World

from hearing.dialogue.floor import CUES, MEMORY, FloorModel, PersonNow, RobotNow

VOICE, PAUSE = [1.0, 0.1, 0.1, 0.8, -0.3, 0.3], [0.0] * 6
ADDRESSES = [Address(True, 0.8, 0.9), Address(False, 0.1, 0.1)]


def sound(kind, ticks, text, pause=0, speaker="x"):
    rows = [VOICE] * (ticks // 2) + [PAUSE] * pause + [VOICE] * (ticks - ticks // 2)
    words = text.split()
    times = [(word, round((k + 1) * len(rows) / 10 / len(words), 2)) for k, word in enumerate(words)]
    asked = [(ticks // 2 / 10, 0.1)] if pause else []
    return Sound(kind, "made", speaker, rows, times, [*asked, (len(rows) / 10, 0.95)])


SOUNDS = [
    sound("command", 12, "Robot, bring the drill."),
    sound("command", 16, "Robot, bring the red drill.", pause=15),
    sound("backchannel", 3, "Mm-hm."),
    sound("barge_in", 8, "No, the other one."),
    sound("side_talk", 15, "He never finds the drill."),
]


def test_turns_have_truths_that_fit():
    lines = draw_lines(SOUNDS, ADDRESSES, 4, seed=1)
    assert lines.cues.shape == (*lines.truth.shape[:2], len(CUES))
    over, ahead, said = (lines.truth[..., k] for k in range(3))
    assert set(np.unique(over)) == {-1, 0, 1}
    assert (ahead[over == 1] == 1).all()
    assert (over[said == 1] == -1).all()
    # Nobody talks after his turn is over.
    assert (lines.cues[..., CUES.index("voice")][over == 1] < 0.5).all()


def test_who_is_not_answered_yet_stands_for_those_who_have_been():
    said = Turn(1, "request", True, SOUNDS[0], ADDRESSES[0], 1.0, 2.0)
    total, number, end = np.zeros(60), 4000, 20
    for seed in range(number):
        robot, world = _IdealRobot(np.random.default_rng(seed)), SimpleNamespace(turns=[said], now=0.0)
        speaks = np.zeros(60, bool)
        for tick in range(60):
            world.now = (tick + 1) / 10
            speaks[tick] = robot.decide(world)[0]
        if not speaks[:end].any():
            waits = np.cumsum(speaks) == 0
            total += waits * _weights([said], speaks)
    assert total[end + 30] / total[end] == pytest.approx(1.0, abs=0.1)
    assert total[end + 8] / total[end] == pytest.approx(1.0, abs=0.05)


def test_the_network_learns_and_runs_step_by_step_as_it_was_trained(tmp_path):
    lines = draw_lines(SOUNDS, ADDRESSES, 6, seed=1)
    network = fit(lines, seed=1, epochs=8)
    tensors = torch.from_numpy(lines.cues), torch.from_numpy(lines.truth).long(), torch.from_numpy(lines.weights)
    cues = tensors[0]
    odds, _ = network(cues, torch.zeros(len(cues), MEMORY))
    assert float(loss_of(odds, *tensors).detach()) < float(loss_of(torch.zeros_like(odds), *tensors))
    assert all(0 <= value <= 1 for name, value in judge(network, lines).items() if name != "loss")
    path = tmp_path / "floor.onnx"
    export(network, path)
    session = onnxruntime.InferenceSession(str(path))
    memory = np.zeros((2, MEMORY), np.float32)
    for tick in range(30):
        step, memory = session.run(None, {"cues": lines.cues[:2, tick], "memory": memory})
    np.testing.assert_allclose(step, odds[:2, 29].detach().numpy(), atol=1e-4)
    assert step.shape == (2, len(ODDS))
    assert FloorModel(path).process(0.1, {1: PersonNow()}, RobotNow())[0].track_id == 1


def test_words_are_shown_late_and_utterances_become_final():
    world = World(SOUNDS, ADDRESSES, np.random.default_rng(0), 1)
    shown = [utterance for _ in range(400) for utterance in world.step(False).utterances]
    assert shown
    for utterance in shown:
        turn = next(turn for turn in world.turns if turn.name == utterance.id.split("_")[0])
        assert all(word.emitted_partial > word.end_time for word in utterance.words)
        assert utterance.start_time == turn.begin
    latest = {utterance.id: utterance for utterance in shown}
    assert all(utterance.final for utterance in list(latest.values())[:-2])


def test_most_emergency_words_are_spotted_before_they_are_shown():
    shouts = [sound("command", 8, "Robot, stop it."), sound("command", 8, "Bring the drill.")]
    world = World(shouts, ADDRESSES, np.random.default_rng(0), 1)
    noticed = [world.step(False) for _ in range(2000)]
    spotted = [(word, each.now) for each in noticed for word in each.spotted]
    said = [turn for turn in world.turns if "stop" in turn.text and turn.end < world.now - 1]
    assert 0.5 * len(said) < len(spotted) <= len(said)
    for word, now in spotted:
        turn = next(turn for turn in world.turns if turn.name == word.utterance_id.split("_")[0])
        end = next(turn.begin + end for text, end in turn.sound.words if text == "stop")
        assert (word.word, word.before, word.track_id) == ("stop", "Robot,", turn.person)
        assert 0.0 <= now - end <= 0.3


def test_the_same_seed_makes_the_same_world():
    first, second = (World(SOUNDS, ADDRESSES, np.random.default_rng(5), 2) for _ in range(2))
    for tick in range(300):
        assert first.step(tick % 50 > 30) == second.step(tick % 50 > 30)


def test_people_answer_to_when_the_robot_speaks():
    silent, speaking = (World(SOUNDS, ADDRESSES, np.random.default_rng(5), 2) for _ in range(2))
    for tick in range(600):
        silent.step(False)
        speaking.step(tick % 60 > 20)
    assert not any(turn.kind == "barge_in" for turn in silent.turns)
    assert {"barge_in", "backchannel"} & {turn.kind for turn in speaking.turns}


def test_short_holes_are_not_pauses():
    rng = np.random.default_rng(0)
    samples = np.concatenate([rng.normal(0, level, 4096) for level in (0.1, 1e-4, 0.1)]).astype(np.float32)
    samples[4096:5120] = rng.normal(0, 0.1, 1024)
    voice = voice_of(samples)
    assert voice[:20].all()
    assert not voice[21:31].any()
    samples[5120:7168] = rng.normal(0, 0.1, 2048)
    assert voice_of(samples).all()
