"""Serves the page, and what is new on it, to browsers."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from hearing.errors import InputError
from hearing.types import HearingOutput
from hearing.web.access import Access, is_loopback
from hearing.web.board import Board

PERIOD = 0.1
"""Seconds between two looks for something new, for each viewer."""
HEARTBEAT = 2.0
"""Seconds of nothing new after which a viewer is told that the connection stands."""
MOST_VIEWERS = 16
LARGEST_REQUEST = 65_536
"""Bytes."""

_PAGE = Path(__file__).with_name("page")
_FILES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js", "/radar.js": "radar.js"}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Check = Callable[[Sequence[str]], None]


class WebView:
    """What the robot hears and sees, on a web page.

    Parameters
    ----------
    check
        Raises InputError if phrases cannot be expected, from any thread, see `hearing.pipeline.Pipeline.check_phrases`;
        without, viewers cannot ask for any.
    """

    def __init__(self, check: Check | None = None) -> None:
        self._board = Board()
        self._check = check
        self._asked: deque[tuple[str, ...]] = deque(maxlen=1)  # taking and giving are atomic
        self._viewers = 0
        self._closing = Event()
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None

    def show(self, output: HearingOutput, health: Mapping[str, Any], picture: bytes | None = None) -> None:
        """Show what the pipeline said after a block; takes well under a millisecond, whoever is looking.

        Parameters
        ----------
        output
            What it said.
        health
            How it is; each of these may be missing: `seconds` of stream time heard, `latency` in seconds,
            `real_time_factor`, `queue` (utterances that wait for the recognizer), `behind` (seconds of audio that it
            owes), `levels_db` (of each microphone, full scale is 0), `faults` (lines of text).
        picture
            What the camera sees, as JPEG, if viewers shall see it.
        """
        self._board.show(output, health, picture)

    def reset(self) -> None:
        """Start a new stream: what was shown is taken away."""
        self._board.reset()

    def asked(self) -> tuple[str, ...] | None:
        """Return the phrases that a viewer asked to expect from now on, once; None if nobody did."""
        return self._asked.popleft() if self._asked else None

    def start(self, host: str = "127.0.0.1", port: int = 8080, token: str | None = None) -> str:
        """Serve the page from a thread of its own.

        Parameters
        ----------
        host
            Address to listen on; 0.0.0.0 for all.
        port
            0 for any that is free.
        token
            What must be shown from elsewhere, and to change something; by default a new one.

        Returns
        -------
        The address to open, with the token unless only this machine can open it and there is nothing to change.

        Raises
        ------
        InputError
            If the address cannot be listened on, or the token can be guessed.
        """
        if self._thread is not None:
            raise InputError("the web page is served already; stop it first")
        token = token or secrets.token_urlsafe(16)
        listening = _listen(host, port)
        port = listening.getsockname()[1]
        try:
            access = Access(token, f"hearing_{port}")
        except InputError:
            listening.close()
            raise
        self._closing.clear()
        # The access log would hold the token, and proxies' headers would let everybody claim to be here.
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app(access),
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                lifespan="off",
                ws="none",
                limit_concurrency=4 * MOST_VIEWERS,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = Thread(target=self._server.run, args=([listening],), name="web", daemon=True)
        self._thread.start()
        secret = f"?token={token}" if self._check is not None or not is_loopback(host) else ""
        return f"http://{_reachable(host)}:{port}/{secret}"

    def stop(self) -> None:
        """Stop serving; viewers keep what they have, and come back when it is served again."""
        self._closing.set()
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._server = self._thread = None

    def _app(self, access: Access) -> Starlette:
        async def file(request: Request) -> Response:
            _require(access.may_read(request))
            response = FileResponse(_PAGE / _FILES[request.url.path], headers=_HEADERS)
            if access.in_address(request):
                response.set_cookie(access.cookie, access.token, httponly=True, samesite="strict", max_age=30 * 86_400)
            return response

        async def events(request: Request) -> Response:
            _require(access.may_read(request))
            if self._viewers >= MOST_VIEWERS:
                raise HTTPException(503, f"{MOST_VIEWERS} are looking already; try again later")
            control = self._check is not None and access.may_control(request)
            return StreamingResponse(self._news(control), media_type="text/event-stream", headers=_HEADERS)

        async def picture(request: Request) -> Response:
            _require(access.may_read(request))
            if (image := self._board.picture) is None:
                raise HTTPException(404, "no picture")
            return Response(image, media_type="image/jpeg", headers=_HEADERS)

        async def phrases(request: Request) -> Response:
            _require(access.may_control(request))
            if self._check is None:
                raise HTTPException(409, "nothing can be changed here: this page only shows")
            asked = _phrases(await _body(request))
            try:
                self._check(asked)
            except InputError as error:
                raise HTTPException(422, str(error)) from error
            self._asked.append(asked)
            return JSONResponse({"phrases": len(asked)}, headers=_HEADERS)

        reading = [Route(path, file) for path in _FILES] + [Route("/events", events), Route("/picture", picture)]
        return Starlette(routes=[*reading, Route("/phrases", phrases, methods=["POST"])])

    async def _news(self, control: bool) -> AsyncIterator[str]:
        """Say as server-sent events what is new."""
        self._viewers += 1
        try:
            version, quiet = 0, 0.0
            yield f"event: hello\ndata: {json.dumps({'control': control})}\n\n"
            while not self._closing.is_set():
                version, news = self._board.since(version)
                quiet = quiet + PERIOD if news is None else 0.0
                if news is not None:
                    yield f"data: {json.dumps(news, allow_nan=False)}\n\n"
                elif quiet >= HEARTBEAT:
                    quiet = 0.0
                    yield "event: alive\ndata: {}\n\n"
                await asyncio.sleep(PERIOD)
        finally:
            self._viewers -= 1


def _require(allowed: bool) -> None:
    if not allowed:
        raise HTTPException(403, "open the address with its token, as it was printed when the page was started")


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_REQUEST:
            raise HTTPException(413, f"more than {LARGEST_REQUEST} bytes")
    return body


def _phrases(body: bytes) -> tuple[str, ...]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, 'not JSON; send {"phrases": ["...", "..."]}') from error
    asked = content.get("phrases") if isinstance(content, dict) else None
    if not isinstance(asked, list) or not all(isinstance(phrase, str) for phrase in asked):
        raise HTTPException(400, 'not a list of phrases; send {"phrases": ["...", "..."]}')
    return tuple(phrase.strip() for phrase in asked if phrase.strip())


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{host} port {port}: cannot be listened on ({reason}); give another host or port") from error


def _reachable(host: str) -> str:
    """Return an address under which others find this machine, in place of one that means all of its own."""
    if host not in ("0.0.0.0", "::"):
        return f"[{host}]" if ":" in host else host
    addresses = [a.address for entries in psutil.net_if_addrs().values() for a in entries if a.family == socket.AF_INET]
    return next((address for address in addresses if not is_loopback(address)), socket.gethostname())
