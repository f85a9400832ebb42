"""Captions in the terminal: who says what, from where, while it is said."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from hearing.types import Utterance

ARROWS = "↑↖←↙↓↘→↗"
"""Eight directions counter-clockwise from straight ahead, as azimuth grows."""
COLOURS = ("green", "yellow", "magenta", "blue", "red")


def caption(utterance: Utterance) -> Text:
    """Return one line: when, from where, who, and what; words that are not final yet are dim."""
    azimuth = utterance.direction.azimuth_deg
    arrow = ARROWS[round(azimuth / 45) % len(ARROWS)]
    colour = COLOURS[sum(utterance.speaker.encode()) % len(COLOURS)]
    to_robot = utterance.final and utterance.addressed_to_robot >= 0.5
    return Text.assemble(
        (f"{utterance.start_time:6.1f} s  {arrow} {azimuth:4.0f}°  ", "dim"),
        (f"{utterance.speaker}{' → robot' if to_robot else ''}: ", f"bold {colour}"),
        (utterance.text, "" if utterance.final else "dim italic"),
    )


class LiveCaptions:
    """What is final scrolls up, what is still being said stays below and is written on."""

    def __init__(self, console: Console | None = None) -> None:
        self._live = Live(console=console or Console(), auto_refresh=False, transient=True)
        self._partial: dict[str, Utterance] = {}

    def start(self) -> None:
        """Take over the lower edge of the terminal."""
        self._live.start()

    def stop(self) -> None:
        """Give the terminal back."""
        self._live.stop()

    def forget(self) -> None:
        """Drop what is still being said: the stream has ended."""
        self._partial.clear()

    def show(self, utterance: Utterance) -> None:
        """Show a revision of an utterance."""
        if utterance.final:
            self._partial.pop(utterance.id, None)
            if utterance.words:
                self._live.console.print(caption(utterance))
        else:
            self._partial[utterance.id] = utterance
        self._live.update(Group(*map(caption, self._partial.values())), refresh=True)

    def write(self, line: str) -> None:
        """Let a line of something else scroll up."""
        self._live.console.print(Text(line, "bold cyan"))
