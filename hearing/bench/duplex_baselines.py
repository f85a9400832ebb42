"""Simpler ways to take turns, to compare the duplex controller with: a silence timer, and the classifier alone.

Both ask the same addressee model and wait for a first word, stop for every voice, and know no emergency words.
"""

from __future__ import annotations

from abc import abstractmethod

from hearing.dialogue.acts import DialogueAct, Stop
from hearing.dialogue.answer import Answer
from hearing.dialogue.brains.brain import Ask, Say
from hearing.dialogue.controller import DuplexController, Heard
from hearing.dialogue.floor import FloorState
from hearing.dialogue.partner import Partner

STOPS = 0.3
"""Seconds of voice for which they fall silent."""
TIMER, LATEST = 0.7, 3.0
"""Seconds of silence after which the timer takes the turn, and the classifier whatever it thinks."""


class _Baseline(DuplexController):
    """Answers after a pause, and stops for every voice."""

    def process(self, now: float, heard: Heard) -> list[DialogueAct]:
        """Take what is new and decide."""
        acts: list[DialogueAct] = []
        for utterance in heard.utterances:
            self._partner(utterance.track_id).hear(utterance)
        self._follow_speech(now, heard.spoken)
        if self._answer is not None and self._answer.over:
            self._answer = None
        for state in heard.floor:
            self._partner(state.track_id).follow(state)
            if state.talking and state.run >= STOPS and self._answer is not None and self._answer.spoken is not None:
                acts.append(Stop(self._answer.id))
                self._answer = None
        for partner in self._partners.values() if self._answer is None and heard.floor else ():
            if self._is_over(partner):
                acts += self._say(now, partner)
                break
        return acts

    def _is_over(self, partner: Partner) -> bool:
        turn, floor = partner.turn, partner.floor
        if turn is None or floor is None or floor.talking or turn.addressed < self.config.addressed:
            return False
        return partner.last_voice > partner.closed_voice and self._ended(floor)

    def _say(self, now: float, partner: Partner) -> list[DialogueAct]:
        turn = partner.turn
        if turn is None:
            return []
        partner.close()
        self._answer = answer = Answer(self._new_id(), partner.track_id, turn, since=now)
        return [
            self._speak(answer, event.text, now)
            for event in self.brain.respond(turn, self._context())
            if isinstance(event, (Say, Ask))
        ]

    @abstractmethod
    def _ended(self, floor: FloorState) -> bool:
        """Whether somebody's turn is over."""


class SilenceTimer(_Baseline):
    """Takes the turn after 0.7 s of silence."""

    def _ended(self, floor: FloorState) -> bool:
        return floor.silence >= TIMER - 1e-6


class ClassifierAlone(_Baseline):
    """Takes the turn when the classifier says at a pause that it is over, and after 3 s in any case."""

    def _ended(self, floor: FloorState) -> bool:
        return (floor.sounds_over or 0.0) > 0.5 or floor.silence >= LATEST
