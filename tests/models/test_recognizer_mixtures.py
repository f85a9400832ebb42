"""What the recognizer is trained on: halls, features, speech and noise as they arrive at a microphone or in a beam."""

from __future__ import annotations

from functools import partial
from itertools import islice

import numpy as np
import pytest
import torch
from hearing_models.recognizer import halls
from hearing_models.recognizer import mixtures as module
from hearing_models.recognizer.batches import IGNORED, Batch
from hearing_models.recognizer.beams import steer
from hearing_models.recognizer.corpus import Corpus, announcements
from hearing_models.recognizer.features import PEAK, log_mel
from hearing_models.recognizer.halls import SPEED_OF_SOUND, TAPS, Halls, Rooms, draw_responses, responses
from hearing_models.recognizer.mixtures import FRAME, Difficulty, Mixtures, Utterances, ahead, say
from hearing_models.recognizer.speech import Speech
from hearing_models.recognizer.vocabulary import END, PROMPT
from tokenizers import Tokenizer
from torch import Tensor

from hearing.recognition import mel
from hearing.recognition.ctc import SPACE, to_letters
from hearing.types import SAMPLE_RATE

ONSET = 8
"""Tap at which the direct sound arrives."""
QUIET = Difficulty(clean=1.0, nobody=0.0, beam=0.0, damage=0.0)
NOISY = Difficulty(clean=0.0, nobody=0.0, beam=0.0, rival=0.0, announced=0.0, damage=0.0)
TEXTS = {"Go to bay 4.": "go to bay four", "Stop!": "stop", "Bring me the wrench.": "bring me the wrench"}


@pytest.fixture(autouse=True)
def short_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 4.0)


@pytest.fixture(scope="module")
def pool() -> list[Speech]:
    rng = np.random.default_rng(0)
    return [
        Speech((3000 * rng.standard_normal(SAMPLE_RATE - 1000 * i)).astype(np.int16), written, said, f"{i}", "test")
        for i, (written, said) in enumerate(TEXTS.items())
    ]


@pytest.fixture(scope="module")
def corpus(pool: list[Speech], tokenizer: Tokenizer) -> Corpus:
    noises = [(3000 * np.random.default_rng(seed).standard_normal(30_000)).astype(np.int16) for seed in range(3)]
    return Corpus.collect(pool, noises[:2], noises[2:], tokenizer)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Middle:
    """Random numbers that are the same for every example."""

    def uniform(self, low: float, high: float, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, (low + high) / 2)


def batch_of(corpus: Corpus, how: Difficulty, seed: int = 1, frames: int = 400) -> Batch:
    return next(iter(Mixtures(corpus, frames, (seed,), how)))


# Halls


@pytest.mark.parametrize(
    ("room", "rt60"),
    [((5.0, 4.0, 2.7), 0.3), ((9.0, 7.0, 3.2), 0.5), ((20.0, 15.0, 3.0), 0.6), ((24.0, 18.0, 8.0), 1.1)],
)
def test_halls_reverberate_as_long_as_asked(room: tuple[float, float, float], rt60: float) -> None:
    size = torch.tensor([room])
    sources = size[:, None] * torch.rand(1, 4, 3, generator=generator(1)) * 0.8 + 0.1
    found = responses(size, torch.full((1, 3), rt60), sources, size[:, None] * 0.4, torch.ones(1, 4, 2, 3), generator())
    left = found[0, :, 0].square().flip(-1).cumsum(-1).flip(-1)
    decay_db = 10 * (left / left[:, :1]).log10().numpy()
    times = [np.polyfit(np.flatnonzero(part), db[part], 1)[0] for db in decay_db for part in [(db < -5) & (db > -30)]]
    assert -60 / np.mean(times) / SAMPLE_RATE == pytest.approx(rt60, rel=0.2)


def test_responses_begin_with_the_direct_sound_and_have_unit_energy() -> None:
    found = draw_responses(Halls(), 3, 2, 1, 2, generator())
    assert found.shape == (3, 3, 2, TAPS)
    torch.testing.assert_close(found[:, :, 0, : SAMPLE_RATE // 20].square().sum(-1), torch.ones(3, 3))
    torch.testing.assert_close(found, draw_responses(Halls(), 3, 2, 1, 2, generator()), rtol=0, atol=0)
    assert not torch.equal(found, draw_responses(Halls(), 3, 2, 1, 2, generator(1)))


def test_rooms_are_heard_again_and_new_ones_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halls, "KEPT", 4)
    rooms = Rooms(Halls(), 1, 0, 1, generator())
    first = rooms.draw(6)  # more than are kept
    assert first.shape == (6, 1, 1, TAPS)
    later = rooms.draw(5)
    known = torch.cat([first[:4], later[:1]])
    assert not (first == later[0]).flatten(1).all(dim=1).any()
    assert all((known == response).flatten(1).all(dim=1).any() for response in later)


def test_microphones_hear_the_direct_sound_one_after_the_other() -> None:
    room, source = torch.tensor([[8.0, 6.0, 3.0]]), torch.tensor([3.0, 4.0, 1.6])
    mics = torch.tensor([[[4.0, 2.0, 1.2], [4.05, 2.0, 1.2], [4.0, 2.06, 1.2]]])
    straight = torch.tensor([1.0, 0.0])[None, None, :, None].expand(1, 1, 2, 3)
    found = responses(room, torch.full((1, 3), 0.4), source[None, None], mics, straight, generator())[0, 0]
    assert int(found[0].abs().argmax()) == ONSET
    distance = torch.linalg.vector_norm(source - mics[0], dim=1)
    spectra = torch.fft.rfft(found)[:, : TAPS // 8]
    turn = np.unwrap(torch.angle(spectra[1:] * spectra[:1].conj()).numpy(), axis=1)
    delay = -turn[:, -1] / (2 * np.pi * (TAPS // 8 - 1) / TAPS)
    np.testing.assert_allclose(delay, (distance[1:] - distance[0]) / SPEED_OF_SOUND * SAMPLE_RATE, atol=0.1)


# Features


def test_features_are_those_that_a_robot_computes() -> None:
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((2, 80 * FRAME)).astype(np.float32) * np.geomspace(1e-3, 1, 80 * FRAME)
    samples[1, : 20 * FRAME] = 0
    samples = samples.astype(np.float32)
    found = log_mel(torch.from_numpy(samples))
    assert found.shape == (2, 160, 80)
    for ours, signal in zip(found, samples, strict=True):
        np.testing.assert_allclose(ours, mel.log_mel(signal), atol=1e-4)


# Speech


def test_clips_are_said_one_after_the_other(corpus: Corpus, pool: list[Speech]) -> None:
    (said,) = say(corpus, [Utterances([1, 0], [500, 20_000], [1.0, 1.0], [1.0, 0.5], 48_000)], 48_000)
    expected = np.zeros(48_000, np.float32)
    for clip, begin, gain in ((1, 500, 1.0), (0, 20_000, 0.5)):
        # The first sample and the last two are where the interpolation looks.
        inner = pool[clip].samples[1:-2]
        expected[begin : begin + len(inner)] = inner * gain * corpus.gains[clip]
    np.testing.assert_allclose(said, expected, rtol=1e-6)
    level = np.sqrt(np.mean(expected[600:14_000] ** 2))
    assert level == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("tempo", [0.9, 1.1])
def test_tempo_changes_length_and_pitch(tempo: float, tokenizer: Tokenizer) -> None:
    tone = (10_000 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)).astype(np.int16)
    corpus = Corpus.collect([Speech(tone, "Stop!", "stop", "tone", "test")], [tone], [tone], tokenizer)
    (said,) = say(corpus, [Utterances([0], [0], [tempo], [1.0], 24_000)], 24_000).numpy()
    length = SAMPLE_RATE / tempo
    assert np.flatnonzero(said)[-1] == pytest.approx(length, abs=5)
    expected = np.sin(2 * np.pi * 440 * (np.arange(int(length) - 5) * tempo + 1) / SAMPLE_RATE)
    assert np.corrcoef(said[: len(expected)], expected)[0, 1] > 0.9999


def test_a_rival_may_have_begun_before(corpus: Corpus) -> None:
    first, whole = (say(corpus, [Utterances([0], [begin], [1.0], [1.0], 9600)], 9600)[0] for begin in (-4000, 0))
    torch.testing.assert_close(first[:5000], whole[4000:9000])


def test_a_corpus_joins_what_is_spoken_by_blanks(corpus: Corpus) -> None:
    assert corpus.spoken([0, 1]) == to_letters("go to bay four stop")
    assert corpus.spoken([0, 1])[len(corpus.letters[0])] == SPACE
    assert corpus.spoken([]) == []


def test_announcements_last_as_long_as_asked(pool: list[Speech]) -> None:
    made = announcements(np.random.default_rng(0), pool, 0.2)
    assert 12 * SAMPLE_RATE <= sum(map(len, made)) < 12 * SAMPLE_RATE + max(map(len, made))
    assert all(part.dtype == np.int16 and np.abs(part).max() in (19_999, 20_000) for part in made)


# Batches


def test_batches_are_the_same_for_the_same_seed(corpus: Corpus) -> None:
    made = partial(Mixtures, corpus, 400)
    one, other = (list(islice(made((3, 0)), 2)) for _ in range(2))
    for first, second in zip(one, other, strict=True):
        for name in Batch.__slots__:
            torch.testing.assert_close(getattr(first, name), getattr(second, name), rtol=0, atol=0)
    assert not torch.equal(one[0].mel[0, :20], batch_of(corpus, Difficulty(), 4).mel[0, :20])
    torch.testing.assert_close(next(ahead(made((3, 0)))).mel, one[0].mel, rtol=0, atol=0)


def test_batches_fit_and_say_what_their_clips_say(corpus: Corpus, tokenizer: Tokenizer) -> None:
    batch = batch_of(corpus, NOISY)
    n_examples, n_frames = len(batch.mel), int(batch.frames.max())
    assert batch.mel.shape == batch.clean.shape == (n_examples, 2 * n_frames, 80)
    assert n_examples > 1
    assert n_examples * n_frames <= 400
    assert batch.mel.isfinite().all()
    assert not batch.mel.requires_grad
    prompt = [tokenizer.token_to_id(token) for token in PROMPT]
    assert batch.tokens.shape == batch.targets.shape
    for row in range(n_examples):
        *said, end = batch.targets[row][batch.targets[row] != IGNORED].tolist()
        assert end == tokenizer.token_to_id(END)
        assert batch.tokens[row, : len(prompt) + len(said)].tolist() == [*prompt, *said]
        words = tokenizer.decode(said).strip()
        for written, spoken in TEXTS.items():
            words = words.replace(written, spoken)
        assert batch.letters[row, : batch.n_letters[row]].tolist() == to_letters(words)


@pytest.mark.parametrize("beam", [0.0, 1.0])
def test_where_nobody_speaks_nothing_is_written(corpus: Corpus, tokenizer: Tokenizer, beam: float) -> None:
    batch = batch_of(corpus, Difficulty(nobody=1.0, beam=beam), frames=300)
    assert batch.mel.isfinite().all()
    assert not batch.n_letters.any()
    assert {tuple(row[row != IGNORED].tolist()) for row in batch.targets} == {(tokenizer.token_to_id(END),)}


def test_clean_examples_are_their_speech(corpus: Corpus) -> None:
    batch = batch_of(corpus, QUIET)
    loud = batch.clean > PEAK - 0.5
    assert loud.float().mean() > 0.3
    assert float((batch.mel - batch.clean)[loud].abs().max()) < 0.05


def test_masks_hide_a_band_and_a_moment() -> None:
    plain = torch.rand(20, 100, 80, generator=generator())
    hidden = module._masked(plain, 1.0, np.random.default_rng(0)) != plain
    for axis, widest in ((1, 20), (2, 12)):
        widths = hidden.all(dim=3 - axis).sum(dim=1)
        assert 1 <= widths.min() < widths.max() <= widest
    assert torch.equal(module._masked(plain, 0.0, np.random.default_rng(0)), plain)


@pytest.mark.parametrize("snr_db", [0.0, 15.0])
def test_speech_is_as_far_above_noise_as_asked(corpus: Corpus, monkeypatch: pytest.MonkeyPatch, snr_db: float) -> None:
    heard: list[tuple[Tensor, Tensor]] = []

    def note(speech: Tensor, noise: Tensor, *_: object) -> Tensor:
        heard.append((speech[:, 0], noise[:, 0]))
        return speech[:, 0]

    monkeypatch.setattr(module, "steer", note)
    monkeypatch.setattr(module, "_DRAWN", 4)
    monkeypatch.setattr(module, "draw_utterances", lambda *_: Utterances([0], [0], [1.0], [1.0], 50 * FRAME))
    dead = Halls(rt60=(0.12, 0.12), distance=(0.4, 0.8))
    batch_of(corpus, Difficulty(nobody=0.0, beam=1.0, rival=0.0, snr_db=(snr_db, snr_db), halls=dead))
    ((speech, noise),) = heard
    found = 10 * (speech.square().mean(dim=1) / noise.square().mean(dim=1)).log10()
    np.testing.assert_allclose(found, snr_db, atol=1.0)


# Beams


def scenes(number: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return what four microphones hear of talkers and of a machine, and the talkers' responses."""
    dry = torch.randn(number, 2, SAMPLE_RATE, generator=generator(1))
    ways = draw_responses(Halls(rt60=(0.2, 0.4), distance=(0.4, 1.5)), number, 1, 1, 4, generator(2))
    heard = torch.fft.irfft(torch.fft.rfft(dry, 2 * TAPS)[:, :, None] * torch.fft.rfft(ways, 2 * TAPS))
    speech, noise = heard[..., :SAMPLE_RATE].unbind(dim=1)
    return speech, noise, ways[:, 0]


def test_beams_raise_speech_over_noise() -> None:
    speech, noise, ways = scenes(6)
    made = steer(speech, noise, ways, np.random.default_rng(0))
    assert made.shape == speech[:, 0].shape
    gained = []
    for beam, target, rest in zip(made, speech[:, 0], noise[:, 0], strict=True):
        shares = [float(torch.corrcoef(torch.stack([signal, target]))[0, 1]) for signal in (target + rest, beam)]
        before, after = (10 * np.log10(share**2 / (1 - share**2)) for share in shares)
        gained.append(after - before)
    assert np.mean(gained) > 2


def test_beams_of_a_batch_are_those_of_each_alone() -> None:
    parts = scenes(2)
    both = steer(*parts, Middle())
    for index in range(2):
        alone = steer(*(part[index : index + 1] for part in parts), Middle())
        torch.testing.assert_close(both[index : index + 1], alone, atol=1e-4, rtol=1e-4)
