"""Scoring on development scenes: voices, places and noises that training never sees, decoded greedily."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from hearing_datasets.text import normalized_text
from hearing_models.recognizer.examples import Difficulty, arrive, cached_place, even, spoken_at
from hearing_models.recognizer.network import Decoder, Encoder, KeysValues, chunk_mask, heard
from hearing_models.recognizer.places import ARRAY_EVERY
from hearing_models.recognizer.speech import Speech
from hearing_models.recognizer.vocabulary import END, PROMPT
from tokenizers import Tokenizer
from torch import Tensor

from hearing.recognition.ctc import FRAME_RATE, LETTERS
from hearing.recognition.encoder import CHUNK, LEFT
from hearing.recognition.mel import log_mel
from hearing.types import SAMPLE_RATE, Float32Array

SNRS_DB = (15.0, 8.0, 2.0)
_TOKENS_PER_SECOND = 8


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Word errors over words, by condition.

    Attributes
    ----------
    clean, microphone, beam
        With the whole utterance as context; microphone and beam over all ratios of speech to noise.
    streaming
        At the microphone in chunks of 320 ms.
    letters
        Of the CTC head's best path, at the microphone in chunks of 320 ms.
    invented
        Words that are written where nobody speaks, per minute.
    """

    clean: float
    microphone: float
    beam: float
    streaming: float
    letters: float
    invented: float

    @property
    def score(self) -> float:
        """What is to be small."""
        return (2 * self.microphone + self.beam + self.streaming + self.clean) / 5


@dataclass(frozen=True, slots=True)
class Trial:
    """An utterance to be recognized: samples of shape (n_samples,), and what is said in them by whom, if anything."""

    samples: Float32Array
    written: str
    condition: str
    snr_db: float
    speaker: str = ""


def development_trials(pool: Sequence[Speech], places: Sequence[Path], seed: int, number: int) -> list[Trial]:
    """Draw trials: as many clean, microphone and beam ones each, and a quarter as many where nobody speaks."""
    trials = []
    for index in range(number):
        rng = np.random.default_rng((seed, index))
        speech = pool[int(rng.permutation(len(pool))[0])]
        dry = np.pad(spoken_at(rng, speech), (SAMPLE_RATE // 4, SAMPLE_RATE // 4))
        snr = SNRS_DB[index % len(SNRS_DB)]
        how = Difficulty(snr_db=(snr, snr), rival=0.0)
        for condition in ("microphone", "beam"):
            place = int(rng.integers(len(places)))
            there = cached_place(places[place - place % ARRAY_EVERY if condition == "beam" else place])
            heard = arrive(rng, dry, pool, there, how, condition)
            trials.append(Trial(heard, speech.written, condition, snr, speech.speaker))
        trials.append(Trial(dry.astype(np.float32), speech.written, "clean", np.inf, speech.speaker))
        if index % 4 == 0:
            silence = np.zeros(round(rng.uniform(1.0, 8.0) * SAMPLE_RATE), np.float32)
            there = cached_place(places[int(rng.integers(len(places)))])
            trials.append(Trial(arrive(rng, silence, pool, there, how, "microphone"), "", "nobody", -np.inf))
    return trials


def evaluate(encoder: Encoder, decoder: Decoder, tokenizer: Tokenizer, trials: Sequence[Trial]) -> Evaluation:
    """Recognize all trials and count."""
    encoder.eval()
    by_condition = {
        name: [t for t in trials if t.condition == name] for name in ("clean", "microphone", "beam", "nobody")
    }
    texts = {name: transcribe(encoder, decoder, tokenizer, part, None)[0] for name, part in by_condition.items()}
    microphone = by_condition["microphone"]
    streamed, letters = transcribe(encoder, decoder, tokenizer, microphone, CHUNK)
    minutes = sum(len(trial.samples) for trial in by_condition["nobody"]) / SAMPLE_RATE / 60
    return Evaluation(
        *(round(error_rate(by_condition[name], texts[name]), 4) for name in ("clean", "microphone", "beam")),
        round(error_rate(microphone, streamed), 4),
        round(error_rate(microphone, letters), 4),
        round(sum(len(text.split()) for text in texts["nobody"]) / minutes, 2),
    )


def error_rate(trials: Sequence[Trial], texts: Sequence[str]) -> float:
    """Return word errors over words, both normalized; a text that loops is as bad as none, not worse."""
    from meeteval.wer import siso_word_error_rate

    scores = [
        siso_word_error_rate(normalized_text(trial.written), normalized_text(text))
        for trial, text in zip(trials, texts, strict=True)
    ]
    return sum(min(score.errors, score.length) for score in scores) / sum(score.length for score in scores)


@torch.inference_mode()
def transcribe(
    encoder: Encoder, decoder: Decoder, tokenizer: Tokenizer, trials: Sequence[Trial], chunk: int | None
) -> tuple[list[str], list[str]]:
    """Recognize trials with the decoder, greedily, and with the CTC head's best path."""
    order = sorted(range(len(trials)), key=lambda index: len(trials[index].samples))
    words, letters = [""] * len(trials), [""] * len(trials)
    silence = encoder.silence()
    device = silence.device
    for start in range(0, len(order), 8):
        part = order[start : start + 8]
        mels = [even(log_mel(trials[index].samples)) for index in part]
        n_frames = max(map(len, mels)) // 2
        mel = torch.from_numpy(np.stack([np.pad(m, ((0, 2 * n_frames - len(m)), (0, 0))) for m in mels])).to(device)
        frames = torch.tensor([len(m) // 2 for m in mels], device=device)
        there = torch.arange(n_frames, device=device) < frames[:, None]
        seen = chunk_mask(n_frames, chunk, LEFT if chunk else None).to(device)[None, None] & there[:, None, None]
        with torch.autocast(device.type, torch.bfloat16):
            encoded = encoder(mel, seen | torch.eye(n_frames, dtype=torch.bool, device=device))
            best = encoder.letter_log_probabilities(encoded).argmax(dim=-1)
            tokens = _greedy(decoder, tokenizer, *heard(decoder, encoded, frames, silence), n_frames)
        for row, index in enumerate(part):
            words[index] = tokenizer.decode(tokens[row], skip_special_tokens=True).strip()
            path = best[row, : int(frames[row])]
            letters[index] = "".join(LETTERS[n - 1] for n in torch.unique_consecutive(path).tolist() if n)
    return words, letters


def _greedy(
    decoder: Decoder, tokenizer: Tokenizer, cross: list[KeysValues], there: Tensor, n_frames: int
) -> list[list[int]]:
    prompt = [tokenizer.token_to_id(token) for token in PROMPT]
    end = tokenizer.token_to_id(END)
    tokens = torch.tensor([prompt] * len(there), device=there.device)
    done = torch.zeros(len(there), dtype=torch.bool, device=there.device)
    for _ in range(int(n_frames / FRAME_RATE * _TOKENS_PER_SECOND) + 8):
        best = decoder(tokens, cross, there)[:, -1].argmax(dim=-1)
        best[done] = end
        done |= best == end
        tokens = torch.cat([tokens, best[:, None]], dim=1)
        if bool(done.all()):
            break
    return [[token for token in row if token < end] for row in tokens[:, len(prompt) :].tolist()]
