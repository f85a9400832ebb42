"""What a robot's microphone or beam hears in random halls, made in batches on the device that trains.

Tensors are named by their axes: B examples, S sources (the talker, a rival, machines), M microphones, T samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from queue import Queue
from threading import Thread

import numpy as np
import torch
from hearing_models.recognizer.batches import IGNORED, Batch, padded
from hearing_models.recognizer.beams import steer
from hearing_models.recognizer.corpus import Corpus
from hearing_models.recognizer.features import log_mel
from hearing_models.recognizer.halls import TAPS, Halls, Rooms
from torch import Tensor

from hearing.types import SAMPLE_RATE

Rng = np.random.Generator
FRAME = 320
"""Samples of an encoder frame."""
_MACHINES = 3
LONGEST = 20.0
"""Seconds after which no further clip begins in an example."""
_DRAWN = 384
"""Examples that are drawn at once, at least, to be sorted by their lengths."""


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How hard examples are; intervals are drawn from evenly, shares are probabilities.

    Attributes
    ----------
    clean, nobody
        Shares of the examples at the microphone that are clean, and where nobody speaks.
    beam
        Share of the batches that are heard through a beam of `mics` microphones.
    snr_db
        Speech over noise at the microphone.
    rival
        That somebody else talks at the same time.
    rival_db, rival_beam_db
        The talker over the other one at a microphone, and where a beam is steered at the talker.
    announced, announced_to_nobody
        That a loudspeaker talks in the background, and where nobody else speaks.
    damage
        Of each kind of damage: band limits, clipping, a jump of the level, masked bands.
    """

    clean: float = 0.15
    nobody: float = 0.14
    beam: float = 0.35
    mics: int = 4
    snr_db: tuple[float, float] = (0.0, 25.0)
    rival: float = 0.25
    rival_db: tuple[float, float] = (6.0, 20.0)
    rival_beam_db: tuple[float, float] = (-3.0, 12.0)
    announced: float = 0.22
    announced_to_nobody: float = 0.65
    damage: float = 0.1
    halls: Halls = field(default_factory=Halls)


@dataclass(frozen=True, slots=True)
class Utterances:
    """Clips said after each other in one example.

    Attributes
    ----------
    clips
        Numbers of the clips in the corpus.
    begins
        Sample of the example at which each begins.
    tempos
        Samples of a clip per sample of the example.
    gains
        Of each clip, beside what brings it to level 1.
    length
        Of the example in samples, a multiple of an encoder frame.
    """

    clips: list[int]
    begins: list[int]
    tempos: list[float]
    gains: list[float]
    length: int


class Mixtures:
    """Batches without end, the same for the same seed.

    Parameters
    ----------
    corpus
        What is heard, on the device where batches are made.
    frames
        Encoder frames, padding included, that a batch may hold.
    seed
        What the random stream follows from.
    how
        How hard the examples are.
    """

    def __init__(self, corpus: Corpus, frames: int, seed: tuple[int, ...], how: Difficulty | None = None) -> None:
        self._corpus, self._frames, self._seed = corpus, frames, seed
        self._how = how or Difficulty()

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng(self._seed)
        generator = torch.Generator(self._corpus.speech.device).manual_seed(int(rng.integers(2**62)))
        rooms = {n: Rooms(self._how.halls, 2, _MACHINES, n, generator) for n in (1, self._how.mics)}
        while True:
            number = max(_DRAWN, self._frames // 10)
            drawn = sorted((draw_utterances(rng, self._corpus) for _ in range(number)), key=lambda u: u.length)
            parts = list(self._split(drawn))
            for index in rng.permutation(len(parts)):
                yield self._mixed(rng, generator, rooms, parts[index])

    def _split(self, drawn: list[Utterances]) -> Iterator[list[Utterances]]:
        part: list[Utterances] = []
        for utterances in drawn:
            if part and (len(part) + 1) * utterances.length // FRAME > self._frames:
                yield part
                part = []
            part.append(utterances)
        yield part

    def _mixed(self, rng: Rng, generator: torch.Generator, rooms: Mapping[int, Rooms], part: list[Utterances]) -> Batch:
        corpus, how, n_examples = self._corpus, self._how, len(part)
        beam = rng.uniform() < how.beam
        kind = rng.uniform(size=n_examples)
        clean = (kind < how.clean) & (not beam)
        nobody = kind > 1 - how.nobody
        n_samples = max(utterances.length for utterances in part)
        lengths = torch.tensor([utterances.length for utterances in part], device=generator.device)
        there = torch.arange(n_samples, device=generator.device) < lengths[:, None]
        dry = say(corpus, part, n_samples) * _column(~nobody, generator)
        rivals = [draw_rival(rng, corpus, utterances.length) for utterances in part]
        talking = (rng.uniform(size=n_examples) < how.rival) & ~nobody
        rival_db = rng.uniform(*(how.rival_beam_db if beam else how.rival_db), n_examples)
        rival = say(corpus, rivals, n_samples) * _column(talking * 10 ** (-rival_db / 20), generator)
        announced = rng.uniform(size=n_examples) < np.where(nobody, how.announced_to_nobody, how.announced)
        machines = run_machines(rng, corpus, announced, nobody, n_samples)
        responses = rooms[how.mics if beam else 1].draw(n_examples)
        spectra = [torch.fft.rfft(part, _fast(n_samples + TAPS)) for part in (dry[:, None], rival[:, None], machines)]
        target, other, noise = (
            _arrived(spectrum, responses[:, sources])[..., :n_samples]
            for spectrum, sources in zip(spectra, (slice(0, 1), slice(1, 2), slice(2, None)), strict=True)
        )
        noise = _levelled(noise, there) + _background(noise.shape, rng, generator)
        level = _column(10 ** (-rng.uniform(*how.snr_db, n_examples) / 20), generator)
        noise = _levelled(noise, there) * level[..., None]
        if beam:
            heard = steer(target, other + noise, responses[:, 0], rng)
        else:
            heard = torch.where(_column(clean, generator) > 0, dry, (target + other + noise)[:, 0])
        heard = _damaged(heard, how.damage, rng)
        floor = _column(10 ** rng.uniform(-4.2, -2.8, n_examples), generator)
        hiss = torch.randn(heard.shape, generator=generator, device=heard.device)
        heard = heard + floor * _level(heard, there) * hiss
        return self._labelled(part, nobody, _masked(log_mel(heard * there), how.damage, rng), log_mel(dry * there))

    def _labelled(self, part: list[Utterances], nobody: np.ndarray, mel: Tensor, clean: Tensor) -> Batch:
        corpus, device = self._corpus, mel.device
        said = [[] if empty else utterances.clips for utterances, empty in zip(part, nobody, strict=True)]
        texts = [[token for clip in clips for token in corpus.tokens[clip]] for clips in said]
        spoken = [corpus.spoken(clips) for clips in said]
        sequences = [[*corpus.prompt, *text, corpus.end] for text in texts]
        silent = len(corpus.prompt) - 1
        return Batch(
            mel,
            clean,
            torch.tensor([utterances.length // FRAME for utterances in part], device=device),
            padded([sequence[:-1] for sequence in sequences], corpus.prompt[0], device),
            padded([[IGNORED] * silent + sequence[silent + 1 :] for sequence in sequences], IGNORED, device),
            padded(spoken, 0, device),
            torch.tensor([len(letters) for letters in spoken], device=device),
        )


def ahead(batches: Iterable[Batch], depth: int = 2) -> Iterator[Batch]:
    """Make the next batches in a thread of its own while the last one is learned from.

    On a graphics processor they are made in a stream of their own, or each would wait for what is being learned.
    """
    made: Queue[Batch | Exception] = Queue(depth)
    stream = torch.cuda.Stream() if torch.cuda.is_available() else None

    def make() -> None:
        try:
            with torch.cuda.stream(stream):
                for batch in batches:
                    if stream is not None:
                        stream.synchronize()
                    made.put(batch)
        except Exception as error:  # raised again where it is seen
            made.put(error)

    Thread(target=make, daemon=True).start()
    while True:
        batch = made.get()
        if isinstance(batch, Exception):
            raise batch
        if stream is not None:
            for tensor in (getattr(batch, part.name) for part in fields(batch)):
                tensor.record_stream(torch.cuda.current_stream())
        yield batch


def draw_utterances(rng: Rng, corpus: Corpus) -> Utterances:
    """Say one clip or several after each other, with pauses, up to a random length."""
    wanted = 0 if rng.uniform() < 0.4 else rng.uniform(2.0, LONGEST - 2.0) * SAMPLE_RATE
    clips, begins, tempos, gains = [], [], [], []
    end = int(rng.uniform(0.05, 0.6) * SAMPLE_RATE)
    while not clips or end < wanted:
        clip = int(rng.integers(len(corpus.lengths)))
        tempo = rng.uniform(0.85, 1.18) if rng.uniform() < 0.5 else 1.0
        length = int(corpus.lengths[clip] / tempo)
        if clips and end + length > (LONGEST - 1.0) * SAMPLE_RATE:
            break
        clips.append(clip)
        begins.append(end)
        tempos.append(tempo)
        gains.append(10 ** (rng.uniform(-4, 4) / 20))
        end += length + int(rng.uniform(0.1, 0.8) * SAMPLE_RATE)
    return Utterances(clips, begins, tempos, gains, -(-end // FRAME) * FRAME)


def draw_rival(rng: Rng, corpus: Corpus, length: int) -> Utterances:
    """Let somebody say a clip at any time; it may have begun before."""
    clip = int(rng.integers(len(corpus.lengths)))
    spoken = int(corpus.lengths[clip])
    begin = int(rng.integers(-spoken // 2, max(1, length - spoken // 2)))
    return Utterances([clip], [begin], [1.0], [1.0], length)


def say(corpus: Corpus, part: Sequence[Utterances], n_samples: int) -> Tensor:
    """Return the waveforms of examples, of shape (B, T), by cubic interpolation of the clips."""
    device, most = corpus.speech.device, max(len(utterances.clips) for utterances in part)

    def table(rows: list[list[float]], filler: float, dtype: torch.dtype) -> Tensor:
        return torch.tensor([[*row, *[filler] * (most - len(row))] for row in rows], dtype=dtype, device=device)

    begins = table([u.begins for u in part], n_samples, torch.int64)
    starts = table([[int(corpus.starts[clip]) for clip in u.clips] for u in part], 0, torch.int64)
    lengths = table([[int(corpus.lengths[clip]) for clip in u.clips] for u in part], 4, torch.int64)
    tempos = table([u.tempos for u in part], 1.0, torch.float64)
    scales = [[gain * float(corpus.gains[clip]) for gain, clip in zip(u.gains, u.clips, strict=True)] for u in part]
    gains = table(scales, 0.0, torch.float32)
    sample = torch.arange(n_samples, device=device).expand(len(part), -1).contiguous()
    number = (torch.searchsorted(begins, sample, right=True) - 1).clamp(min=0)
    place = (sample - begins.gather(1, number)) * tempos.gather(1, number)
    whole = place.floor().long()
    limit = lengths.gather(1, number) - 4
    inside = (whole >= 0) & (whole <= limit)
    index = starts.gather(1, number) + torch.minimum(whole.clamp(min=0), limit.clamp(min=0))
    before, here, after, later = (corpus.speech[index + offset].float() for offset in range(4))
    share = (place - whole).float()
    # Catmull and Rom's spline.
    slope, bend = after - before, 2 * before - 5 * here + 4 * after - later
    cubic = here + 0.5 * share * (slope + share * (bend + share * (3 * (here - after) + later - before)))
    return cubic * gains.gather(1, number) * inside


def run_machines(rng: Rng, corpus: Corpus, announced: np.ndarray, nobody: np.ndarray, n_samples: int) -> Tensor:
    """Return what one to three machines sound like, each at a pitch of its own, of shape (B, machines, T).

    Where it is announced, the first one is a loudspeaker that talks; where it does so to nobody, it is the loudest.
    """
    device, n_examples = corpus.noise.device, len(announced)
    shape = (n_examples, _MACHINES)
    which = corpus.machines[rng.integers(len(corpus.machines), size=shape)]
    levels_db = rng.uniform(-12, 0, shape)
    levels_db[:, 1:] = np.where(rng.uniform(size=(n_examples, 1)) < [[0.6, 0.3]], levels_db[:, 1:], -np.inf)
    if announced.any():
        talking = corpus.loudspeakers[rng.integers(len(corpus.loudspeakers), size=n_examples)]
        which[announced, 0] = talking[announced]
        loud = announced & nobody
        levels_db[loud, 0] = rng.uniform(0, 15, int(loud.sum()))
    pitch = np.where(np.isin(which, corpus.loudspeakers), 1.0, rng.uniform(0.75, 1.33, shape))

    def tensor(values: np.ndarray, dtype: torch.dtype) -> Tensor:
        return torch.tensor(values, dtype=dtype, device=device)[..., None]

    starts, lengths = (tensor(part[which], torch.int64) for part in (corpus.noise_starts, corpus.noise_lengths))
    place = tensor(rng.uniform(size=shape), torch.float64) * lengths
    place = place + torch.arange(n_samples, device=device) * tensor(pitch, torch.float64)
    whole = place.floor()
    share = (place - whole).float()
    here, after = (corpus.noise[starts + (whole.long() + offset) % lengths].float() for offset in (0, 1))
    signal = here + share * (after - here)
    level = signal.square().mean(dim=-1, keepdim=True).sqrt() + 1e-3
    return signal / level * tensor(10 ** (levels_db / 20), torch.float32)


def _arrived(spectra: Tensor, responses: Tensor) -> Tensor:
    """Sum sources (B, S, F) over their ways to the microphones (B, S, M, N): (B, M, samples)."""
    n_samples = 2 * (spectra.shape[-1] - 1)
    ways = torch.fft.rfft(responses, n_samples)
    return torch.fft.irfft((spectra[:, :, None] * ways).sum(dim=1), n_samples)


def _background(shape: torch.Size, rng: Rng, generator: torch.Generator) -> Tensor:
    """Draw noise from everywhere, between white and brown, of shape (B, M, T), 0 to 30 dB below the machines."""
    longer = (*shape[:-1], _fast(shape[-1]))
    white = torch.fft.rfft(torch.randn(longer, generator=generator, device=generator.device))
    frequency = torch.linspace(0, 1, white.shape[-1], device=generator.device).clamp(min=0.004)
    colour = _column(rng.uniform(0, 1, shape[0]), generator)[..., None]
    noise = torch.fft.irfft(white * frequency**-colour, longer[-1])[..., : shape[-1]]
    noise = noise / noise.square().mean(dim=-1, keepdim=True).sqrt()
    return noise * _column(10 ** (-rng.uniform(0, 30, shape[0]) / 20), generator)[..., None]


def _levelled(noise: Tensor, there: Tensor) -> Tensor:
    """Bring noise (B, M, T) to level 1 at the first microphone."""
    return noise / _level(noise[:, 0], there)[:, None]


def _level(signal: Tensor, there: Tensor) -> Tensor:
    """Root mean square of signals (B, T) while they are there, of shape (B, 1)."""
    power = (signal.square() * there).sum(dim=1) / there.sum(dim=1)
    return (power.sqrt() + 1e-6)[:, None]


def _damaged(heard: Tensor, probability: float, rng: Rng) -> Tensor:
    """Limit the band of some signals (B, T), clip some, and let the level of some jump."""
    n_examples, device = len(heard), heard.device

    def sometimes(values: np.ndarray, otherwise: float) -> Tensor:
        chosen = np.where(rng.uniform(size=n_examples) < probability, values, otherwise)
        return torch.tensor(chosen, dtype=torch.float32, device=device)[:, None]

    size = _fast(heard.shape[1])
    frequency = torch.linspace(0, SAMPLE_RATE / 2, size // 2 + 1, device=device).clamp(min=1.0)
    low = sometimes(rng.uniform(3500, 7000, n_examples), 1e6)
    high = sometimes(rng.uniform(80, 250, n_examples), 1e-3)
    # Butterworth's magnitudes, of orders 4 and 2.
    gain = (1 + (frequency / low) ** 8).rsqrt() * (1 + (high / frequency) ** 4).rsqrt()
    heard = torch.fft.irfft(torch.fft.rfft(heard, size) * gain, size)[:, : heard.shape[1]]
    limit = sometimes(rng.uniform(0.2, 0.8, n_examples), 1.0) * heard.abs().amax(dim=1, keepdim=True)
    heard = torch.maximum(torch.minimum(heard, limit), -limit)
    jump = sometimes(10 ** (rng.uniform(-12, 12, n_examples) / 20), 1.0)
    when = torch.tensor(rng.uniform(0, heard.shape[1], n_examples), device=device)[:, None]
    return torch.where(torch.arange(heard.shape[1], device=device) > when, heard * jump, heard)


def _masked(mel: Tensor, probability: float, rng: Rng) -> Tensor:
    """Hide a band and a moment of some examples (B, frames, bands), see Park et al. 2019."""
    shape, device = mel.shape, mel.device
    for axis, widest in ((1, 20), (2, 12)):
        width = np.where(rng.uniform(size=shape[0]) < 2 * probability, rng.integers(1, widest + 1, shape[0]), 0)
        begin = torch.tensor(rng.uniform(0, shape[axis] - width), device=device)[:, None]
        index = torch.arange(shape[axis], device=device)
        hidden = (index >= begin) & (index < begin + torch.tensor(width, device=device)[:, None])
        mel = torch.where(hidden.unsqueeze(3 - axis), mel.mean(dim=(1, 2), keepdim=True), mel)
    return mel


def _fast(n_samples: int) -> int:
    """Return a size at least as large whose Fourier transform has small factors only."""
    return -(-n_samples // 8192) * 8192


def _column(values: np.ndarray, generator: torch.Generator) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=generator.device)[:, None]
