"""`hearing report` and `hearing compare`: what was heard, to look at and listen to, and which way is better."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hearing.console import say
from hearing.errors import InputError


def report(
    recording: Annotated[
        Path, typer.Argument(help="Recording folder, bag, folder of outputs, or a folder of several of these.")
    ],
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    run: Annotated[
        list[Path] | None, typer.Option(help="Folder of outputs to show; may be repeated to compare runs.")
    ] = None,
) -> None:
    """Write who said what against the truth, directions, mistakes to listen to, a comparison of runs: one HTML file."""
    with _needs_report():
        from hearing.report import write_report

    recordings = write_report(recording, run or [], out)
    say(f"{out}: {recordings} recording{'s' if recordings > 1 else ''}, {out.stat().st_size / 1e6:.1f} MB")


def compare(
    first: Annotated[Path, typer.Argument(help="Folder with a folder of outputs for each recording.")],
    second: Annotated[Path, typer.Argument(help="The same recordings, heard another way.")],
    reference: Annotated[
        Path | None, typer.Option(help="Folder of the recordings; by default the truth beside the first's outputs.")
    ] = None,
) -> None:
    """Say which of two ways of hearing the same recordings is better, with confidence intervals."""
    with _needs_report():
        from hearing.report import compare as compared
        from hearing.report.material import read_runs, run_names
        from hearing.report.page import table

    one, other = run_names([first, second])
    names = (one, other)
    result = compared(names, *read_runs(first, second, reference))
    shown = Table(title=f"{result.recordings} recordings", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in ("", *names, "difference, 95 % interval", "better"):
        shown.add_column(column, justify="left" if column in ("", "better") else "right", no_wrap=True)
    for row in table(result):
        shown.add_row(*row)
    Console().print(shown)
    print(result.verdict)


@contextmanager
def _needs_report() -> Iterator[None]:
    """Turn a missing package into one clear line."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"{error}; install what reports need: pip install 'robot-hearing[bags,report]'") from error
