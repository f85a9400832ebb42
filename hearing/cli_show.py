"""`hearing show`: a finished session on the web page, as if it were heard now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from hearing.console import say
from hearing.errors import InputError

Port = Annotated[int, typer.Option(help="Port of the page.", min=0, max=65535)]
Host = Annotated[str, typer.Option("--web-host", help="Address to serve the page on; 0.0.0.0 for other machines too.")]
Token = Annotated[
    str | None,
    typer.Option("--web-token", envvar="HEARING_WEB_TOKEN", help="What others must show; by default a new one."),
]


def show(
    folder: Annotated[Path, typer.Argument(help="Folder that `hearing transcribe`, `listen` or `replay` has written.")],
    port: Port = 8080,
    host: Host = "127.0.0.1",
    token: Token = None,
    at_once: Annotated[bool, typer.Option("--at-once", help="Show all of it at once, not as it was heard.")] = False,
) -> None:
    """Play what was heard on a web page, until Ctrl-C."""
    with needs_web():
        from hearing.web import WebView
        from hearing.web.playback import play, read_session
    session, view, stopping = read_session(folder), WebView(), Event()
    say(f"the page is at {view.start(host, port, token)} until Ctrl-C")
    try:
        play(session, view, stopping, at_once)
        stopping.wait()
    except KeyboardInterrupt:
        say("stopped")
    finally:
        view.stop()


@contextmanager
def needs_web() -> Iterator[None]:
    """Turn a missing package into one clear line."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"{error}; install what the page needs: pip install 'robot-hearing[web]'") from error
