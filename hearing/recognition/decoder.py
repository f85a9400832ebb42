"""The recognizer's decoder: the final text of an utterance, by a beam search over what the encoder heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from hearing.recognition.biasing import PhraseBoost
from hearing.recognition.session import Memory, empty_inputs, open_session
from hearing.types import Float32Array

PROMPT = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
END = "<|endoftext|>"
WORD_START = "\u0120"
_TOKENS_PER_SECOND = 8
_SPARE_TOKENS = 6
_UNLIKELY = -5.0
"""Natural log-probability of a phrase's first token below which nobody asks for the others."""
_NEARLY = 0.5
_LOOP = 12
_LOOP_PERIODS = range(1, 5)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text that the decoder may have heard.

    Attributes
    ----------
    tokens
        Their numbers, without prompt and end.
    log_probabilities
        Of each of them, and of the end after them if the decoder ended the text.
    score
        By which texts compete: mean log-probability of tokens and end, and what expected phrases add.
    rest
        What followed on the tokens before the text was cut.
    """

    tokens: tuple[int, ...] = ()
    log_probabilities: tuple[float, ...] = ()
    score: float = 0.0
    rest: tuple[int, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether the decoder ended the text; one that loops is cut off."""
        return len(self.log_probabilities) > len(self.tokens)

    def cut(self, length: int) -> Decoded:
        """Return the first tokens alone."""
        return Decoded(self.tokens[:length], self.log_probabilities[:length], rest=self.tokens[length:])


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    state: int
    bonus: float

    @property
    def total(self) -> float:
        return sum(self.log_probabilities) + self.bonus


class Decoder:
    """The network and its search.

    Parameters
    ----------
    folder
        Holds `decoder.onnx` and `tokenizer.json`.
    threads
        That the network may use.
    beam
        Texts that are followed.
    """

    def __init__(self, folder: Path, threads: int, beam: int = 4) -> None:
        self._session = open_session(folder / "decoder.onnx", threads)
        self._nothing = empty_inputs(self._session, "past_")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._prompt = [int(self.tokenizer.token_to_id(token) or 0) for token in PROMPT]
        self._end = int(self.tokenizer.token_to_id(END) or 0)
        self._inside_word = np.array([self._continues(number) for number in range(self.tokenizer.get_vocab_size())])
        self._beam = beam
        self._boost: PhraseBoost | None = None

    def expect(self, boost: PhraseBoost | None) -> None:
        """Expect other phrases from now on, compiled for tokens."""
        self._boost = boost

    def search(self, heard_keys: Float32Array, heard_values: Float32Array, duration: float) -> list[Decoded]:
        """Find the most likely texts, the best one first.

        Parameters
        ----------
        heard_keys, heard_values
            See `Encoder.with_silence`.
        duration
            Of the utterance in seconds: a text is no longer than it can hold, eight tokens a second.
        """
        most = int(duration * _TOKENS_PER_SECOND) + _SPARE_TOKENS
        heard, past = _by_layer(heard_keys, heard_values), self._nothing
        tokens = np.array([self._prompt])
        open_ = [_Hypothesis((), (), self._boost.start if self._boost else 0, 0.0)]
        ended: list[Decoded] = []
        for _ in range(most):
            log_probabilities, past = self._step(tokens, past, heard)
            origins, open_ = self._extend(open_, log_probabilities[:, -1], ended)
            if not open_ or self._hopeless(open_, ended):
                break
            past = {name: array[origins] for name, array in past.items()}
            tokens = np.array([[hypothesis.tokens[-1]] for hypothesis in open_])
        return sorted(ended, key=lambda decoded: decoded.score, reverse=True)

    def write_on(
        self, prefix: Decoded, heard_keys: Float32Array, heard_values: Float32Array, duration: float
    ) -> Decoded:
        """Go on with a text greedily, until the decoder ends it, loops, or the utterance so far can hold no more.

        Parameters
        ----------
        prefix
            The text that stays. What followed on it before it was cut is tried first: as far as the decoder would write
            it again, that takes one step.
        heard_keys, heard_values, duration
            As for `search`.
        """
        most = int(duration * _TOKENS_PER_SECOND)
        written, logs = list(prefix.tokens), list(prefix.log_probabilities)
        tried = prefix.rest[: max(0, most - len(written) - 1)]
        heard, past = _by_layer(heard_keys, heard_values), self._nothing
        tokens = [*self._prompt, *written, *tried]
        while len(written) < most and not _loops(written[len(prefix.tokens) :]):
            log_probabilities, past = self._step(np.array([tokens]), past, heard, 1 + len(tried))
            for following, guess in zip(log_probabilities[0], (*tried, None), strict=True):
                best = int(following.argmax())
                logs.append(float(following[best]))
                if best >= self._end:
                    return Decoded(tuple(written), tuple(logs))
                written.append(best)
                if best != guess:
                    break
            known = len(self._prompt) + len(written) - 1
            past = {name: array[:, :, :known] for name, array in past.items()}
            tokens, tried = [best], ()
        return Decoded(tuple(written), tuple(logs))

    def ask(
        self, phrases: Sequence[Sequence[int]], heard_keys: Float32Array, heard_values: Float32Array, most: int
    ) -> tuple[Decoded, NDArray[np.float64], NDArray[np.int64]]:
        """Write greedily, and tell how likely phrases are after each word of that.

        Parameters
        ----------
        phrases
            Tokens of each, the first of which begins a word.
        heard_keys, heard_values
            As for `search`.
        most
            Tokens that are written at most.

        Returns
        -------
        What is written; of every phrase the natural log-probability of its tokens, and of the end of a word after
        them, where that is highest; and after how many tokens that is.
        """
        heard, past = _by_layer(heard_keys, heard_values), self._nothing
        tokens, written, logs = list(self._prompt), list[int](), list[float]()
        best, places = np.full(len(phrases), -np.inf), np.zeros(len(phrases), np.int64)
        firsts = np.array([phrase[0] for phrase in phrases], np.int64)
        while True:
            log_probabilities, past = self._step(np.array([tokens]), past, heard)
            following = log_probabilities[0, -1]
            token = int(following.argmax())
            if not self._inside_word[token]:
                here = following[firsts].astype(np.float64)
                asked = np.flatnonzero(here > _UNLIKELY)
                here[asked] = self._likely([*self._prompt, *written], [phrases[number] for number in asked], heard)
                # Of places that are nearly as likely the first: what is cut off in the middle is often written again.
                better = here > best + _NEARLY
                places = np.where(better, len(written), places)
                best = np.where(better, here, best)
            logs.append(float(following[token]))
            if token >= self._end or len(written) == most or _loops(written):
                return Decoded(tuple(written), tuple(logs)), best, places
            written.append(token)
            tokens = [token]

    def _continues(self, token: int) -> bool:
        """Tell whether a token goes on with a word."""
        name = self.tokenizer.id_to_token(token) or ""
        return token < self._end and name[:1] != WORD_START and (name[:1].isalnum() or name[:1] == "'")

    def _likely(self, before: list[int], phrases: Sequence[Sequence[int]], heard: Memory) -> NDArray[np.float64]:
        """Return log-probabilities of phrases after other tokens, and of the end of a word after them."""
        likely = np.zeros(len(phrases))
        lengths = np.array([len(phrase) for phrase in phrases])
        for length in np.unique(lengths):
            some = np.flatnonzero(lengths == length)
            said = np.array([phrases[number] for number in some])
            tokens = np.column_stack([np.tile(before, (len(some), 1)), said])
            nothing = {name: np.repeat(array, len(some), axis=0) for name, array in self._nothing.items()}
            log_probabilities, _ = self._step(tokens, nothing, heard, int(length) + 1)
            inside = np.exp(log_probabilities[:, -1, self._inside_word]).sum(axis=1)
            letters = np.take_along_axis(log_probabilities[:, :-1], said[:, :, None], axis=2).sum(axis=(1, 2))
            likely[some] = letters + np.log(np.maximum(1e-6, 1 - inside))
        return likely

    def _step(
        self, tokens: NDArray[np.int64], past: Memory, heard: Memory, read: int = 1
    ) -> tuple[Float32Array, Memory]:
        """Run the network: log-probabilities of what follows on the last `read` tokens, and what to remember."""
        feed = {"tokens": tokens, "read": np.array(read)}
        log_probabilities, *known = self._session.run(None, feed | past | heard)
        return log_probabilities, dict(zip(past, known, strict=True))

    def _extend(
        self, open_: list[_Hypothesis], log_probabilities: Float32Array, ended: list[Decoded]
    ) -> tuple[NDArray[np.int64], list[_Hypothesis]]:
        """Go on with the best tokens; move what ends to `ended`. Return where the open ones came from, and these."""
        scores = log_probabilities + np.array([[hypothesis.total] for hypothesis in open_], np.float32)
        gains = np.zeros_like(scores)
        if self._boost:
            for row, hypothesis in zip(gains, open_, strict=True):
                symbols, bonuses, others = self._boost.bonuses(hypothesis.state)
                row += others
                row[symbols] += bonuses
                row[self._end] = self._boost.finish(hypothesis.state)
        total = (scores + gains).ravel()
        best = np.argpartition(total, -2 * self._beam)[-2 * self._beam :]
        best = best[np.argsort(total[best])[::-1]]
        origins: list[int] = []
        extended: list[_Hypothesis] = []
        for index in best:
            row, token = divmod(int(index), scores.shape[1])
            hypothesis = open_[row]
            logs = (*hypothesis.log_probabilities, float(log_probabilities[row, token]))
            if token == self._end:
                score = (sum(logs) + hypothesis.bonus + float(gains[row, token])) / len(logs)
                ended.append(Decoded(hypothesis.tokens, logs, score))
            elif token < self._end and len(extended) < self._beam:
                state, gain = self._boost.step(hypothesis.state, token) if self._boost else (0, 0.0)
                origins.append(row)
                extended.append(_Hypothesis((*hypothesis.tokens, token), logs, state, hypothesis.bonus + gain))
        return np.array(origins, np.int64), extended

    def _hopeless(self, open_: list[_Hypothesis], ended: list[Decoded]) -> bool:
        """Tell whether enough texts have ended, and none that is open can become better than the best of them."""
        if len(ended) < self._beam:
            return False
        best = max(decoded.score for decoded in ended)
        return all(hypothesis.total / (len(hypothesis.tokens) + 1) < best for hypothesis in open_)


def _by_layer(keys: Float32Array, values: Float32Array) -> Memory:
    """Name keys and values of shape (n_layers, ...) as the network does; nothing is copied."""
    named = (("cross_keys", keys), ("cross_values", values))
    return {f"{name}_{number}": layer for name, layers in named for number, layer in enumerate(layers)}


def _loops(tokens: list[int]) -> bool:
    """Tell whether the last twelve tokens are few that repeat."""
    last = tokens[-_LOOP:]
    return len(last) == _LOOP and any(last[period:] == last[:-period] for period in _LOOP_PERIODS)
