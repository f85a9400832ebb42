"""The page's server, over loopback."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from hall import HEALTH, TOKEN, hall, track, utterance

from hearing.errors import InputError
from hearing.types import HearingOutput
from hearing.web import WebView
from hearing.web.access import Access
from hearing.web.board import KEPT, MOST_CAPTIONS, Board
from hearing.web.server import LARGEST_REQUEST, MOST_VIEWERS

Answer = tuple[int, dict[str, str], bytes]


def send(address: str, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


class Viewer:
    """Reads what is new."""

    def __init__(self, address: str, token: str = "") -> None:
        place = urlsplit(address)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
        self._connection.request("GET", f"/events?token={token}")
        self._response = self._connection.getresponse()
        self.status = self._response.status

    def next(self) -> dict[str, Any]:
        while not (line := self._response.readline()).startswith(b"data:"):
            assert line, "the stream has ended"
        return dict(json.loads(line[5:]))

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def test_a_viewer_is_told_how_things_stand_and_then_what_is_new(view: WebView) -> None:
    view.show(hall(), HEALTH)
    viewer = Viewer(view.start(port=0))
    assert viewer.next() == {"control": False}
    first = viewer.next()
    assert [(c["speaker"], c["final"], c["to_robot"]) for c in first["captions"]] == [
        ("Anna", True, True),
        ("<b>Jonas</b>", True, False),
        ("Anna", False, False),
    ]
    assert [t["speaker"] for t in first["tracks"]] == ["Anna", "<b>Jonas</b>", None, None, None]
    assert first["faces"][0]["speaker"] == "Anna"
    assert first["health"] == {**HEALTH, "faults": []}
    view.show(HearingOutput(utterances=(utterance("u3", "Anna", "and could you come", 10, 13),)), {"seconds": 13.0})
    second = viewer.next()
    assert [(c["id"], c["text"]) for c in second["captions"]] == [("u3", "and could you come")]
    assert second["tracks"] == second["faces"] == [], "they were not reported for a while"
    assert (first["fresh"], second["fresh"]) == (True, False)
    viewer.close()


def test_the_picture_is_shown_only_if_it_is_given(view: WebView) -> None:
    address = view.start(port=0)
    view.show(hall(), HEALTH)
    assert send(address, "GET", "/picture")[0] == 404
    view.show(hall(), HEALTH, b"\xff\xd8jpeg")
    status, headers, content = send(address, "GET", "/picture")
    assert (status, headers["content-type"], content) == (200, "image/jpeg", b"\xff\xd8jpeg")


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/radar.js"])
def test_the_page_needs_nothing_from_elsewhere(view: WebView, path: str) -> None:
    status, headers, content = send(view.start(port=0), "GET", path)
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert b"http" not in content.replace(b"http://www.w3.org/2000/svg", b"")


def test_here_anybody_may_read_but_not_through_a_name_of_others() -> None:
    view = WebView(lambda phrases: None)
    address = view.start(port=0, token=TOKEN)
    try:
        assert send(address, "GET", "/")[0] == 200
        assert send(address, "GET", "/", Host="evil.example")[0] == 403
        assert send(address, "GET", "/events", Host="evil.example:8080")[0] == 403
        assert send(address, "GET", "/picture", Host="evil.example")[0] == 403
        body = json.dumps({"phrases": ["bay four"]}).encode()
        assert send(address, "POST", "/phrases", body)[0] == 403, "control takes the token even here"
        assert send(address, "POST", "/phrases?token=wrong", body)[0] == 403
        assert send(address, "POST", "/phrases", body, Authorization=f"Bearer {TOKEN}x")[0] == 403
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert send(address, "POST", "/phrases", body, **right, Origin="http://evil.example")[0] == 403
        assert view.asked() is None
        assert send(address, "POST", "/phrases", body, **right)[0] == 200
        assert view.asked() == ("bay four",)
    finally:
        view.stop()


def test_elsewhere_everything_takes_the_token(view: WebView) -> None:
    """A name that is not this machine's stands for another machine: both are refused alike."""
    address = view.start(host="0.0.0.0", port=0)
    port, token = urlsplit(address).port, parse_qs(urlsplit(address).query)["token"][0]
    local, robot = f"http://127.0.0.1:{port}/", {"Host": "robot.local"}
    for path in ("/", "/page.js", "/events", "/picture"):
        assert send(local, "GET", path, **robot)[0] == 403
    status, headers, _ = send(local, "GET", f"/?token={token}", **robot)
    assert status == 200
    cookie = headers["set-cookie"]
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert send(local, "GET", "/page.js", **robot, Cookie=cookie.partition(";")[0])[0] == 200


@pytest.mark.parametrize("token", ["short", "twelve signs & more", "ümläute-und-mehr"])
def test_a_token_that_is_no_good_is_refused(view: WebView, token: str) -> None:
    with pytest.raises(InputError, match="token of"):
        view.start(port=0, token=token)
    with pytest.raises(InputError, match="token of"):
        Access(token, "cookie")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 50_000, 400),
        (b"[]", 400),
        (b'{"phrases": "one"}', 400),
        (b'{"phrases": [1]}', 400),
        (b"\xff\xfe", 400),
        (b"x" * (LARGEST_REQUEST + 1), 413),
        (b'{"phrases": ["!"]}', 422),
    ],
)
def test_malformed_requests_are_refused(body: bytes, status: int) -> None:
    from hearing.recognition.phrases import check_phrases

    view = WebView(check_phrases)
    try:
        address = view.start(port=0, token=TOKEN)
        assert send(address, "POST", f"/phrases?token={TOKEN}", body)[0] == status
        assert view.asked() is None
        assert send(address, "GET", "/")[0] == 200
    finally:
        view.stop()


def test_what_is_no_request_is_refused(view: WebView) -> None:
    address = view.start(port=0)
    for noise in (b"\x16\x03\x01\x00\xff\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 200_000):
        with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0), timeout=20) as connection:
            connection.sendall(noise)
            assert connection.recv(100).startswith(b"HTTP/1.1 4")
    assert send(address, "POST", "/")[0] == 405
    assert send(address, "GET", "/../server.py")[0] == 404
    assert send(address, "POST", "/phrases", b"{}")[0] == 403


def test_only_so_many_may_look(view: WebView) -> None:
    address = view.start(port=0)
    viewers = [Viewer(address) for _ in range(MOST_VIEWERS)]
    assert [viewer.next() for viewer in viewers] == [{"control": False}] * MOST_VIEWERS
    refused = Viewer(address)
    assert refused.status == 503
    for viewer in [*viewers, refused]:
        viewer.close()


def test_an_address_that_is_taken_is_one_line(view: WebView) -> None:
    port = urlsplit(view.start(port=0)).port or 0
    other = WebView()
    with pytest.raises(InputError, match=f"port {port}: cannot be listened on"):
        other.start(port=port)
    with pytest.raises(InputError, match="served already"):
        view.start(port=0)
    view.stop()
    view.stop()
    view.start(port=port)


def test_memory_is_bounded_by_time_and_by_number() -> None:
    board = Board()
    for number in range(3 * MOST_CAPTIONS):
        said = utterance(f"u{number}", f"talker_{number}", "yes", number * 0.01, number * 0.01, track_id=number)
        board.show(HearingOutput((track(number, number * 0.01, 0),), (said,)), {})
    version, news = board.since(0)
    assert news is not None
    assert len(news["captions"]) == MOST_CAPTIONS
    assert len(board._captions) == len(board._versions) == MOST_CAPTIONS
    later = KEPT + 1000.0
    board.show(HearingOutput((), (utterance("last", "Anna", "yes", later, later),)), {})
    _, news = board.since(version)
    assert news is not None
    assert [caption["id"] for caption in news["captions"]] == ["last"]
    assert list(board._captions) == ["last"]


def test_what_json_cannot_say_is_left_out() -> None:
    board = Board()
    numbers = {"latency": np.float64("nan"), "queue": np.int64(3), "behind": float("inf"), "unknown": object()}
    board.show(
        HearingOutput(), numbers | {"levels_db": np.array([-np.inf, np.nan, -20], np.float32), "faults": ["x" * 999]}
    )
    _, news = board.since(0)
    assert news is not None
    assert json.loads(json.dumps(news, allow_nan=False))["health"] == {
        "queue": 3.0,
        "levels_db": [-99.0, -99.0, -20.0],
        "faults": ["x" * 300],
    }


def test_tentative_tracks_are_not_shown() -> None:
    board = Board()
    board.show(HearingOutput((track(1, 1.0, 0, tentative=True), track(2, 1.0, 0))), {})
    _, news = board.since(0)
    assert news is not None
    assert [t["id"] for t in news["tracks"]] == [2]
