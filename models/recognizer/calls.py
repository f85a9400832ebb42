"""What people call when a robot must stop, and what only sounds like it: to measure how words are spotted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hearing_models.recognizer.texts import Line

COMMAND, MENTION, ALIKE, OTHER = "command", "mention", "sounds alike", "other"
_SHARES = {COMMAND: 0.35, MENTION: 0.1, ALIKE: 0.3, OTHER: 0.25}
_ALIKE = """That one is unstoppable.|We play nonstop music.|I lost my stopwatch.|They stopped it yesterday.|It is
    stopping now.|Put it on top.|The stock is low.|Take one step.|The shop opens at nine.|Stopping by the
    shop.|A tub of salt.|The hall is empty.|Halter and rope.|Halting speech.|The freezer is cold.|It is
    freezing.|A warm breeze.|These are free.|Many emergencies today.|An urgent matter.|Emerging markets.|Hold
    on.|Hold the door.|I told it.|Sold it.|Halfway there.|He is at fault.|The top
    drawer.|Stoplight.|Doorstop.|Stopgap.|Freezes at night.|Setup is done.|Stuff the box.|Spot the
    robot.|Stomp on it.|Adopt it.|Start it.|Step up.|Hot pot."""
_OTHER = """window table seven please open left right water hammer forklift coffee bring wait carry pallet yellow
    engine doctor finger garden silver broken ladder signal button market music paper pencil river rocket
    winter yesterday understand remember conveyor warehouse supervisor temperature listen attention careful
    danger follow forward backward elevator number nine three down go back look help fire door turn push pull
    move slow fast drop lift clear begin cancel repeat faster slower tomorrow clean grab shut watch again
    enough never robot hello thank_you come_here look_out watch_out turn_around go_away come_back shut_down
    back_off be_quiet wait_here slow_down pick_up put_it_down step_back"""


@dataclass(frozen=True, slots=True)
class Call:
    """Something that is said.

    Attributes
    ----------
    text
        As people write it.
    kind
        A `COMMAND`, a `MENTION` that is none, what only sounds `ALIKE`, or something `OTHER` that is called.
    word
        The emergency word in it, the first one; empty where there is none.
    """

    text: str
    kind: str
    word: str = ""

    @property
    def ends_with_word(self) -> bool:
        """Whether the word is the last one, and is said once."""
        text = self.text.lower().rstrip(".!?")
        return bool(self.word) and text.endswith(self.word) and text.count(self.word) == 1


def _calls(kind: str, word: str, texts: str) -> list[Call]:
    return [Call(" ".join(text.split()), kind, word) for text in texts.split("|")]


CALLS = (
    *_calls(
        COMMAND, "stop", "Stop!|Robot, stop!|Stop stop!|Stop it!|Stop the conveyor!|Please stop.|No, stop!|Stop now!"
    ),
    *_calls(COMMAND, "stop", "Stop, there is a man under it!"),
    *_calls(COMMAND, "halt", "Halt!|Halt the press!|Robot, halt!"),
    *_calls(COMMAND, "freeze", "Freeze!|Freeze, robot!|Hey, freeze!"),
    *_calls(COMMAND, "emergency", "Emergency!|Emergency, stop the line!|Emergency in bay four!"),
    *_calls(COMMAND, "hold it", "Hold it!|Hold it right there!"),
    *_calls(
        MENTION, "stop", "The bus stop is over there.|Don't stop.|We never stop before noon.|The stop button is red."
    ),
    *_calls(MENTION, "stop", "I have to stop at the shop.|Could you stop by later?"),
    *_calls(MENTION, "halt", "It came to a halt."),
    *_calls(MENTION, "freeze", "Freeze the dough first."),
    *_calls(MENTION, "emergency", "In an emergency call Ben.|The emergency exit is blocked."),
    *_calls(ALIKE, "", _ALIKE),
    *(Call(f"{word.capitalize().replace('_', ' ')}!", OTHER) for word in _OTHER.split()),
)


def call_of(text: str) -> Call:
    """Return the call with a text."""
    return next(call for call in CALLS if call.text == text)


def draw_call(rng: np.random.Generator) -> Line:
    """Draw one, commands more often than the rest."""
    kind = rng.choice(list(_SHARES), p=list(_SHARES.values()))
    calls = [call for call in CALLS if call.kind == kind]
    text = calls[int(rng.integers(len(calls)))].text
    return Line(text, text)
