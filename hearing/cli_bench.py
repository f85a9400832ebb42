"""`hearing bench`: measure parts of the system by themselves, on simulated scenes whose truth is known."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

bench = typer.Typer(help="Measure parts of the system on simulated scenes.")


@bench.callback()
def _group() -> None:
    """Measure parts of the system on simulated scenes."""


@bench.command()
def frontend(
    scenes: Annotated[int, typer.Option(help="Scenes of each kind.")] = 2,
    kinds: Annotated[str, typer.Option(help="Kinds of FactoryBench, as in quiet,busy; by default all.")] = "",
    split: Annotated[str, typer.Option(help="dev or test.")] = "dev",
    out: Annotated[Path, typer.Option(help="Folder for recordings and measurements.")] = Path("out/bench/frontend"),
    page: Annotated[Path | None, typer.Option(help="Folder of the page; by default docs/benchmarks.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also measure what has been measured.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="See that it works: seconds of two scenes, no words, page in OUT.")
    ] = False,
) -> None:
    """Hear FactoryBench with every stage of the front end off in turn, and write a page about what each is good for."""
    from hearing.bench.frontend import Plan, run_bench
    from hearing.bench.page import write_page
    from hearing.outputs import check_out_dir

    page = page or (out if quick else Path("docs/benchmarks"))
    for folder in (out, page):
        check_out_dir(folder)
    chosen = tuple(dict.fromkeys(kind.strip() for kind in kinds.split(",") if kind.strip()))
    plan = Plan.quick(split) if quick else Plan(chosen, split, scenes)
    with _progress() as note:
        results = run_bench(plan, out, again, note)
    _say(f"{write_page(results, page)}")


def _say(line: str) -> None:
    print(f"hearing: {line}", file=sys.stderr, flush=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show what is done and how long it will take: as a bar in a terminal, as lines in a log."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    # A variant takes a minute: the speed is that of the last hour.
    with Progress(*columns, console=console, transient=True, speed_estimate_period=3600) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)


class _Lines:
    """Write a line for every step, with an estimate of what is left."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        left = (time.monotonic() - self._begin) * (total - done) / done / 60 if done else None
        estimate = "" if left is None else f", about {left:.0f} min left"
        _say(f"{done} of {total}{estimate}: {what}")
