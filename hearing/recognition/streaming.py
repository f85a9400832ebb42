"""The project's own engine: one streaming encoder, read twice.

While somebody speaks, the attention decoder writes on every 0.6 s or so from the words that stay, those that two
drafts in a row agree on; a CTC prefix beam reads the encoder's letters and shows the newest words before the next
draft. When the utterance ends, a beam search of the decoder over the whole of it writes the final text with casing and
punctuation; the letters judge its proposals (hybrid CTC/attention, Watanabe et al. 2017, equation 12) and time its
words.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from hearing.errors import InputError
from hearing.recognition.biasing import PhraseBoost, spoken, written_forms
from hearing.recognition.calibration import Calibration
from hearing.recognition.confidence import reason_to_drop
from hearing.recognition.ctc import FRAME_RATE, PrefixBeamSearch, align, log_likelihoods, to_letters
from hearing.recognition.decoder import WORD_START, Decoded, Decoder
from hearing.recognition.encoder import CHUNK, LONGEST, LOOK_AHEAD, Encoded, Encoder, EncoderStream
from hearing.recognition.engine import Hypothesis, Recognition, RecognizedWord, spread
from hearing.recognition.liveness import Liveness
from hearing.recognition.mel import HOP, N_MELS, WARM_UP, WINDOW, LogMel, log_mel
from hearing.recognition.spotting import Spotted, SpotterStream, SpottingModel, WordSpotter
from hearing.recognition.text import normalize
from hearing.types import SAMPLE_RATE, Float32Array

_LOG = logging.getLogger(__name__)
_FILES = ("encoder.onnx", "decoder.onnx", "tokenizer.json")
_SHORTEST = 0.15
_MOST_SAMPLES = round(LONGEST / FRAME_RATE) * SAMPLE_RATE
_LETTERS_WEIGHT = 0.1
_UNHEARD = -1e4
_LETTER_BONUS = 1.0
_TOKEN_BONUS = 1.5
_DRAFT_EVERY = 2 * CHUNK
_SURE_LETTERS = 0.7
_SETTLED = 0.4
_LETTER_SECONDS = 0.06


class StreamingRecognizer:
    """The engine.

    Parameters
    ----------
    folder
        Holds `encoder.onnx`, `decoder.onnx` and `tokenizer.json`, see `hearing_models.recognizer`, and perhaps
        `calibration.json`: without it the probability of a final word is what the decoder says; and `spotting.json`:
        without it no words are spotted.
    threads
        That the networks may use.

    Raises
    ------
    InputError
        If a file is missing, or the calibration is damaged.
    """

    latency = CHUNK / FRAME_RATE
    takes_phrases = True

    def __init__(self, folder: Path, threads: int = 1) -> None:
        if missing := [name for name in _FILES if not (folder / name).is_file()]:
            raise InputError(f"{folder}: no {missing[0]}; reinstall robot-hearing, or export it with `hearing train`")
        self.encoder = Encoder(folder / "encoder.onnx", threads)
        self.decoder = Decoder(folder, threads)
        self.calibration = Calibration.beside(folder)
        self.liveness = Liveness()
        self.letter_boost: PhraseBoost | None = None
        self.spotter: WordSpotter | None = None
        self._spotting = SpottingModel.beside(folder)
        vocabulary = self.decoder.tokenizer.get_vocab()
        self._word_starts = [number for token, number in vocabulary.items() if token.startswith(WORD_START)]
        self._marks = [number for token, number in vocabulary.items() if not re.search("[A-Za-z0-9']", token)]

    def open(self) -> RecognizerStream:
        """Begin an utterance."""
        return RecognizerStream(self)

    def bias(self, phrases: Sequence[str]) -> None:
        """Expect these words and phrases from now on; replaces earlier ones.

        Raises
        ------
        InputError
            If a phrase has neither letters nor digits.
        """
        if not phrases:
            self.letter_boost = None
            self.decoder.expect(None)
            return
        self.letter_boost = PhraseBoost(phrases, _LETTER_BONUS)
        written = set().union(*map(written_forms, phrases))
        tokens = [self.decoder.tokenizer.encode(f" {form}", add_special_tokens=False).ids for form in sorted(written)]
        self.decoder.expect(PhraseBoost.compile(tokens, _TOKEN_BONUS, self._word_starts, self._marks))

    def listen_for(self, phrases: Sequence[str]) -> None:
        """Spot these words and phrases from now on, in utterances that are open as well; replaces earlier ones.

        Raises
        ------
        InputError
            If a phrase has neither letters nor digits.
        """
        self.spotter = None
        if phrases and self._spotting:
            self.spotter = WordSpotter(phrases, self._spotting, self.encoder, self.decoder)

    def read(self, heard: Encoded) -> Recognition:
        """Read an utterance that was heard as a whole; no words if it holds none."""
        duration = len(heard.letters) / FRAME_RATE
        texts = self.decoder.search(*self.encoder.with_silence(heard), duration)
        if not texts:
            return Recognition()
        spellings = [to_letters(_said(self.decoder.tokenizer.decode(list(text.tokens)))) for text in texts]
        letters = np.maximum(log_likelihoods(heard.letters, spellings), _UNHEARD)
        # The decoder's score is per token, so that short texts are not preferred; the letters' is of the whole.
        n_tokens = float(np.mean([len(text.log_probabilities) for text in texts]))
        best = int(np.argmax([n_tokens * text.score for text in texts] + _LETTERS_WEIGHT * letters))
        logs = texts[best].log_probabilities
        nobody = next((text.log_probabilities[0] for text in texts if not text.tokens), -math.inf)
        return Recognition(
            self.words(texts[best], heard),
            sum(logs) / len(logs),
            math.exp(nobody),
            float(letters[best]) / max(1, len(spellings[best])),
        )

    def draft(self, heard: Encoded, prefix: Decoded) -> Decoded:
        """Write on from a text that stays, given what was heard so far."""
        return self.decoder.write_on(prefix, *self.encoder.with_silence(heard), len(heard.letters) / FRAME_RATE)

    def starts_word(self, token: int) -> bool:
        """Tell whether a token begins a word."""
        return (self.decoder.tokenizer.id_to_token(token) or "").startswith(WORD_START)

    def words(self, text: Decoded, heard: Encoded) -> tuple[RecognizedWord, ...]:
        """Join tokens to words, and time these by where their letters are heard."""
        return timed(self.spelled(text), heard.letters, len(heard.letters) / FRAME_RATE)

    def spelled(self, text: Decoded) -> list[tuple[str, float]]:
        """Join tokens to words of letters or digits, signs belonging to the word before; with their probabilities."""
        starts = [at for at, token in enumerate(text.tokens) if at == 0 or self.starts_word(token)]
        found: list[tuple[str, float]] = []
        for begin, end in pairwise([*starts, len(text.tokens)]):
            name = self.decoder.tokenizer.decode(list(text.tokens[begin:end])).strip()
            if normalize(name):
                found.append((name, math.exp(sum(text.log_probabilities[begin:end]) / (end - begin))))
            elif found:
                found[-1] = (found[-1][0] + name, found[-1][1])
        return found


class RecognizerStream:
    """One utterance on its way through the engine."""

    def __init__(self, engine: StreamingRecognizer) -> None:
        self._engine = engine
        self._mel = LogMel()
        self._encoder = EncoderStream(engine.encoder)
        self._beam = PrefixBeamSearch(boost=engine.letter_boost)
        self._boost = engine.letter_boost
        self._accepted: list[Float32Array] = []
        self._n_samples = 0
        self._frames: Float32Array = np.zeros((0, N_MELS), np.float32)
        self._heard: list[Encoded] = []
        self._n_read = self._n_spotted = 0
        self._spotter: WordSpotter | None = None
        self._spotting: SpotterStream | None = None
        self._draft = self._agreed = Decoded()
        self._drafted = 0
        self._letters: list[str] = []
        self._words: tuple[RecognizedWord, ...] = ()

    @property
    def pending(self) -> float:
        """Seconds of accepted audio that `advance` would compute on now; 0 if it would change nothing."""
        frames = max(0, (self._n_samples - WINDOW // 2) // HOP + 1)
        chunks = (frames - LOOK_AHEAD) // (2 * CHUNK) if frames >= WARM_UP else 0
        return max(0, chunks * CHUNK - sum(len(part.letters) for part in self._heard[: self._n_read])) / FRAME_RATE

    def accept(self, samples: Float32Array) -> None:
        """Take the next samples, of shape (n_samples,) at 16 kHz; only keeps them, and no more than 30 s in all."""
        samples = samples[: _MOST_SAMPLES - self._n_samples]
        self._accepted.append(samples)
        self._n_samples += len(samples)

    def spot(self) -> list[Spotted]:
        """Hear what was accepted, half a chunk at a time, and return the words that are listened for and new in it."""
        if self._spotter is not self._engine.spotter:
            self._spotter, self._n_spotted = self._engine.spotter, len(self._heard)
            self._spotting = SpotterStream(self._spotter, self._n_frames) if self._spotter else None
        if self._spotting is None:
            return []
        self._encode()
        for part in self._heard[self._n_spotted :]:
            self._spotting.gate.process(part.letters)
        self._n_spotted = len(self._heard)
        stretch = self._spotting.gate.due(len(self._frames) // 2, self._encoder.peek())
        if stretch is None:
            return []
        first, end = stretch
        return self._spotting.judge(self._frames[2 * first : 2 * end], first)

    def advance(self) -> Hypothesis:
        """Compute on all that is pending and return what was said so far."""
        self._encode()
        self._hear()
        # In a pause there is nothing to write on.
        letters = [word.text for word in self._beam.words]
        if self._n_frames - self._drafted >= _DRAFT_EVERY and letters != self._letters:
            self._letters = letters
            self._write_on()
        n_committed = len(self._engine.spelled(self._agreed))
        until = self._words[-1].end if self._words else 0.0
        newest = [word for word in self._beam.words if word.start >= until and word.probability > _SURE_LETTERS]
        return Hypothesis(self._words[:n_committed], (*self._words[n_committed:], *newest))

    def _write_on(self) -> None:
        """Let the decoder write on from what is agreed, and agree on what it wrote twice (Liu et al. 2020)."""
        heard = Encoded.join(self._heard)
        self._drafted = self._n_frames
        draft = self._engine.draft(heard, self._agreed)
        if not draft.ended:
            return
        tokens, known = draft.tokens, len(self._agreed.tokens)
        starts = [at for at, token in enumerate(tokens) if at == 0 or self._engine.starts_word(token)]
        same = known
        while same < min(len(tokens), len(self._draft.tokens)) and tokens[same] == self._draft.tokens[same]:
            same += 1
        # A word is complete once the next one begins; what was said just now is often heard otherwise a little later.
        words = self._engine.words(draft.cut(starts[-1] if starts else 0), heard)
        settled = sum(word.end < self._drafted / FRAME_RATE - _SETTLED for word in words)
        agreed = max((at for at in starts[: settled + 1] if known <= at <= same), default=known)
        self._draft, self._agreed, self._words = draft, draft.cut(agreed), words

    def finish(self, whole: Float32Array | None = None) -> Recognition:
        """Compute what is left and return the final words; no call may follow.

        Parameters
        ----------
        whole
            The utterance's audio once more, of shape (n_samples,), if it could be made cleaner than what was accepted;
            it is then heard as a whole.
        """
        if whole is not None and len(whole) >= _SHORTEST * SAMPLE_RATE:
            mel = log_mel(whole)
            heard = self._engine.encoder.whole(mel)
        else:
            rest = np.concatenate([self._mel.process(self._take()), self._mel.flush()])
            self._heard += [*self._encoder.process(rest), *self._encoder.flush()]
            if self._n_samples < _SHORTEST * SAMPLE_RATE:
                return Recognition()
            mel, heard = np.concatenate([self._frames, rest]), Encoded.join(self._heard)
        recognition = self._engine.read(heard)
        duration = len(heard.letters) / FRAME_RATE
        if reason := reason_to_drop(recognition, duration, self._engine.liveness.log_odds(mel)):
            _LOG.info("nothing was said: %s; heard: %s", reason, recognition.text)
            return replace(recognition, words=())
        if self._engine.calibration:
            return replace(recognition, words=self._engine.calibration.apply(recognition.words, heard.letters))
        return recognition

    @property
    def _n_frames(self) -> int:
        return sum(len(part.letters) for part in self._heard)

    def _take(self) -> Float32Array:
        samples: Float32Array = np.concatenate([np.zeros(0, np.float32), *self._accepted])
        self._accepted.clear()
        return samples

    def _encode(self) -> None:
        mel = self._mel.process(self._take())
        self._frames = np.concatenate([self._frames, mel])
        self._heard += self._encoder.process(mel)

    def _hear(self) -> None:
        """Let the beam hear what is encoded."""
        if self._boost is not self._engine.letter_boost:
            self._boost = self._engine.letter_boost
            self._beam.expect(self._boost)
        for part in self._heard[self._n_read :]:
            self._beam.process(part.letters)
        self._n_read = len(self._heard)


def timed(words: Sequence[tuple[str, float]], letters: Float32Array, duration: float) -> tuple[RecognizedWord, ...]:
    """Time words by where their letters are heard.

    Parameters
    ----------
    words
        Pairs of a word as it is written and its probability.
    letters
        Natural log-probabilities of shape (n_frames, 29).
    duration
        Of the utterance in seconds, over which words are spread evenly if their letters do not fit into it.
    """
    said = [_said(word) for word, _ in words]
    spelling = to_letters(" ".join(said))
    try:
        frames = align(letters, spelling)
    except ValueError:
        return spread([word for word, _ in words], [probability for _, probability in words], duration)
    found: list[RecognizedWord] = []
    at = 0
    for (word, probability), name in zip(words, said, strict=True):
        count = len(to_letters(name))
        first, last = frames[at] / FRAME_RATE, frames[at + count - 1] / FRAME_RATE
        at += count + 1
        # The letters' frames are where they are surest: a word goes on for a while after its last one.
        following = frames[at] / FRAME_RATE if at < len(frames) else duration
        end = min(last + _LETTER_SECONDS, following, duration)
        found.append(RecognizedWord(word, float(first), float(max(first, end)), probability))
    return tuple(found)


def _said(text: str) -> str:
    """Spell a text as it is most likely said, each word on its own; a word without a letter is dropped."""
    return " ".join(spoken(word)[0] for word in text.split() if normalize(word))
