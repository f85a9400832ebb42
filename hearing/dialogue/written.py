"""Turns that reach the robot as text, from another recognizer or a keyboard, brought into the form of heard ones."""

from __future__ import annotations

from hearing.dialogue.floor import FloorState
from hearing.dialogue.prosody import TICK
from hearing.types import SAMPLE_RATE, CueConfidence, Direction, Utterance, Word

WRITTEN = 1_000_000
"""Ids of tracks from here on are sources of text."""
_PAUSE = 1.0


class WrittenTurns:
    """Streaming: takes texts as they come, and gives them as utterances to the robot with a floor that is yielded."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self._tracks: dict[str, int] = {}
        self._open: dict[str, tuple[str, int]] = {}
        self._waiting: list[tuple[str, str, str, bool]] = []
        self._yielded: dict[int, None] = {}
        self._count = 0

    @property
    def waiting(self) -> bool:
        """Whether there is something that nobody has taken."""
        return bool(self._waiting or self._yielded)

    def add(self, text: str, source: str, speaker: str, final: bool) -> None:
        """Take a turn as far as it is known.

        Parameters
        ----------
        text
            All of its words.
        source
            Where it comes from; of each only one turn is open at a time.
        speaker
            Who says it, as in `Utterance.speaker`.
        final
            Whether it is complete.
        """
        self._waiting.append((text, source, speaker, final))

    def take(self, start_sample: int, n_samples: int, ticked: bool) -> tuple[list[Utterance], list[FloorState]]:
        """Give what is new.

        Parameters
        ----------
        start_sample, n_samples
            The stretch of the stream that ends now.
        ticked
            Whether the floor model tells of people in this stretch; else it may have nobody to tell of.
        """
        end = start_sample + n_samples
        now = end / SAMPLE_RATE
        utterances = [self._utterance(*entry, now) for entry in self._waiting]
        self._waiting.clear()
        self._yielded |= {utterance.track_id: None for utterance in utterances if utterance.final}
        if not ticked and start_sample // TICK == end // TICK:
            return utterances, []
        # Somebody spoke until just now, and is silent.
        floors = [
            FloorState(now, track, talking, _PAUSE, _PAUSE, _PAUSE, 1.0, 1.0, 1.0, 0.0, 0.0)
            for track in self._yielded
            for talking in (True, False)
        ]
        self._yielded.clear()
        return utterances, floors

    def _utterance(self, text: str, source: str, speaker: str, final: bool, now: float) -> Utterance:
        track = self._tracks.setdefault(source, WRITTEN + len(self._tracks))
        name, revision = self._open.pop(source, ("", -1))
        if not name:
            self._count += 1
            name = f"written_{self._count}"
        if not final:
            self._open[source] = name, revision + 1
        words = tuple(Word(word, now, now, 1.0, now, now if final else None) for word in text.split())
        confidence = CueConfidence(1.0)
        return Utterance(name, revision + 1, final, speaker, track, words, now, now, Direction(0.0), confidence, 1.0)
