"""What to do about somebody who speaks while the robot does: nothing, duck, pause; then drop the answer or go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from hearing.dialogue.answer import Answer
from hearing.dialogue.floor import PERIOD, FloorState
from hearing.dialogue.partner import Partner

Decision = Literal["nothing", "duck", "pause", "resume", "drop", "recall"]


@dataclass(frozen=True, slots=True)
class InterruptionConfig:
    """How easily the robot is interrupted. Probabilities and seconds.

    Attributes
    ----------
    duck, takes
        Probabilities that somebody takes the floor at which an answer is ducked, and paused.
    sure_run, run
        Voice that it needs for that; and voice after which an answer is paused unless it rather seems to be a
        backchannel or said to somebody else.
    resume_after, unclear
        Silence after which the answer goes on: after what was no interruption, and after one of which no word came.
    recall
        After a pause longer than this the rest is said as a new answer.
    """

    duck: float = 0.3
    takes: float = 0.7
    sure_run: float = 0.2
    run: float = 0.8
    resume_after: float = 0.5
    unclear: float = 2.0
    recall: float = 3.0


def decide(now: float, answer: Answer, partners: Mapping[int, Partner], config: InterruptionConfig) -> Decision:
    """Decide about an answer that is being said; notes in it who made it pause.

    Parameters
    ----------
    now
        Stream time in seconds.
    answer
        The answer.
    partners
        Everybody, by track.
    config
        How easily it is interrupted.
    """
    if answer.voice == "paused":
        return _after_pause(now, answer, partners.get(answer.by), config)
    talking = _talking(partners.values())
    taking = next((state for state in talking if _takes_floor(state, config)), None)
    if taking is not None:
        answer.by = taking.track_id
        return "pause"
    if answer.voice == "speaking":
        return "duck" if any(state.takes >= config.duck and state.run >= PERIOD for state in talking) else "nothing"
    return "nothing" if talking or now - answer.since < 0.3 else "resume"


def _talking(partners: Iterable[Partner]) -> list[FloorState]:
    return [each.floor for each in partners if each.floor is not None and each.floor.talking]


def _takes_floor(state: FloorState, config: InterruptionConfig) -> bool:
    sure = state.takes >= config.takes and state.run >= config.sure_run
    return sure or (state.run >= config.run and state.takes > max(state.backchannel, state.side))


def _after_pause(now: float, answer: Answer, who: Partner | None, config: InterruptionConfig) -> Decision:
    state = who.floor if who else None
    if who is None or state is None:
        return "resume"
    if state.talking:
        return "nothing"
    meant = state.takes > max(state.backchannel, state.side)
    if meant and who.turn is not None:
        return "drop"
    if state.silence < (config.unclear if meant else config.resume_after):
        return "nothing"
    return "resume" if now - answer.since <= config.recall else "recall"
