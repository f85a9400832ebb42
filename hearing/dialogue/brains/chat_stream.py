"""Requests to an OpenAI-compatible endpoint that a caller without a thread to spare can wait for.

A request runs in a thread of its own, which ends with the answer, with an error, or when it is told to; what arrives
waits in a queue. Server-sent events as in the HTML standard, section 9.2; their data is the chat completions
interface's, as llama.cpp, Ollama and vLLM speak it.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from hearing.errors import InputError

_LONGEST_LINE = 1 << 20
_CONNECT = 2.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a language model answers.

    Attributes
    ----------
    url
        Up to the version, such as `http://127.0.0.1:8080/v1`.
    model
        Name of the model.
    key
        Key, where the endpoint wants one.
    first_piece
        Most seconds from a question to the first piece of its answer.
    between
        Most seconds for which an answer may stop.
    longest
        Most tokens of an answer.

    Raises
    ------
    InputError
        If the address or a number cannot be.
    """

    url: str
    model: str
    key: str | None = None
    first_piece: float = 4.0
    between: float = 2.0
    longest: int = 300

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"endpoint {self.url!r}: write http://HOST:PORT/v1")
        if not self.model:
            raise InputError(f"endpoint {self.url}: name a model; `curl {self.url}/models` lists them")
        if min(self.first_piece, self.between, self.longest) <= 0:
            raise InputError(f"endpoint {self.url}: timeouts and the longest answer must be above 0")

    def request(self, method: str, path: str, body: object, timeout: float) -> tuple[HTTPConnection, HTTPResponse]:
        """Send a request and wait for the head of the response.

        Raises
        ------
        OSError, HTTPException
            If nobody answers as HTTP wants it.
        """
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(str(parts.hostname), parts.port, timeout=min(timeout, _CONNECT))
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            connection.connect()
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, parts.path.rstrip("/") + path, content, headers)
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer, as the interface's `choices[0].delta`."""

    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """The answer broke off; `refused` if the endpoint will not take the request however often it is asked."""

    reason: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Complete:
    """The answer is complete."""


Piece = Delta | Broken | Complete


class ChatStream:
    """One answer on its way.

    Parameters
    ----------
    endpoint
        Whom to ask.
    body
        The request, without `stream`.

    Attributes
    ----------
    arrived
        `time.monotonic()` when something arrived last, or when the request was sent.
    """

    def __init__(self, endpoint: Endpoint, body: Mapping[str, Any]) -> None:
        self.arrived = time.monotonic()
        self._endpoint = endpoint
        self._body = {**body, "stream": True}
        self._pieces: SimpleQueue[Piece] = SimpleQueue()
        self._closed = threading.Event()
        self._connection: HTTPConnection | None = None
        threading.Thread(target=self._run, name="chat", daemon=True).start()

    def take(self, wait: float) -> Piece | None:
        """Return what comes next, or None if it takes more than some seconds."""
        try:
            return self._pieces.get(timeout=wait)
        except Empty:
            return None

    def close(self) -> None:
        """Let go of the connection, so that the endpoint stops working on the answer."""
        self._closed.set()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        try:
            end = self._receive()
        except TimeoutError:
            end = Broken("does not answer")
        except (OSError, HTTPException) as error:
            end = Broken(f"connection lost ({error or type(error).__name__})")
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            end = Broken(f"its answer cannot be read ({error})")
        self._pieces.put(end)

    def _receive(self) -> Piece:
        if self._closed.is_set():
            return Complete()
        patience = max(self._endpoint.first_piece, self._endpoint.between)
        self._connection, response = self._endpoint.request("POST", "/chat/completions", self._body, patience)
        try:
            if response.status != 200:
                text = response.read(300).decode(errors="replace")
                return Broken(f"HTTP {response.status}: {' '.join(text.split())}", 400 <= response.status < 429)
            finished = False
            while not self._closed.is_set() and (line := response.readline(_LONGEST_LINE)):
                self.arrived = time.monotonic()
                field, _, data = line.decode().strip().partition(":")
                if field != "data" or not data.strip():
                    continue
                if data.strip() == "[DONE]":
                    return Complete()
                finished |= self._pass_on(json.loads(data))
            return Complete() if finished else Broken("its answer broke off")
        finally:
            self._connection.close()

    def _pass_on(self, event: Mapping[str, Any]) -> bool:
        """Queue one event; return whether it is the last of the answer."""
        if "error" in event:
            raise ValueError(event["error"])
        if not event["choices"]:
            return False
        choice = event["choices"][0]
        self._pieces.put(Delta(dict(choice.get("delta") or {})))
        return choice.get("finish_reason") is not None


class Probe:
    """Asks an endpoint whether it is there, without waiting for it.

    Attributes
    ----------
    result
        None as long as it is not known, "" if it is there, else what is wrong.
    """

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self.result: str | None = None
        self._endpoint, self._timeout = endpoint, timeout
        threading.Thread(target=self._run, name="chat-probe", daemon=True).start()

    def _run(self) -> None:
        try:
            connection, response = self._endpoint.request("GET", "/models", None, self._timeout)
            connection.close()
        except (OSError, HTTPException) as error:
            self.result = f"unreachable ({error or type(error).__name__})"
        else:
            # Whoever has no list of models is there all the same.
            self.result = "" if response.status in (200, 404, 405) else f"HTTP {response.status}"
