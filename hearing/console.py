"""What the `hearing` command says to people while it works, all of it on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

QUIET = 10.0
"""Seconds between two lines about progress in a log, at least."""

Note = Callable[[str, int, int], None]
"""Is told what is done next, how much has been done, and of how much."""


def say(line: str) -> None:
    """Print what is not a result."""
    print(f"hearing: {line}", file=sys.stderr, flush=True)


@contextmanager
def hushed() -> Iterator[None]:
    """Keep what native libraries write about their own workings, which Python cannot catch, from the terminal."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def progress_bar(what: str, total: float) -> Iterator[Callable[[float], None]]:
    """Show how far something is and how long it will take if stderr is a terminal; call what it gives to advance."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda amount: progress.advance(task, amount)


@contextmanager
def step_progress() -> Iterator[Note]:
    """Show what is done and how long it will take: as a bar in a terminal, as lines in a log."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    # A step takes a minute: the speed is that of the last hour.
    with Progress(*columns, console=console, transient=True, speed_estimate_period=3600) as progress:
        task = progress.add_task("", total=None)

        def note(what: str, done: int, total: int) -> None:
            if progress.tasks[0].total != total:  # something else has begun
                progress.reset(task, total=total)
            progress.update(task, description=what, completed=done)

        yield note


class _Lines:
    """Write a line now and then, with an estimate of what is left."""

    def __init__(self) -> None:
        self._total = -1
        self._said = -QUIET

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if total != self._total:  # something else has begun
            self._total, self._begin, self._before, self._said = total, now, done, -QUIET
        if now - self._said < QUIET and done < total:
            return
        self._said = now
        made = done - self._before
        left = (now - self._begin) * (total - done) / made / 60 if made else None
        say(f"{done} of {total}{'' if left is None else f', about {left:.0f} min left'}: {what}")
