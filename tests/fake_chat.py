"""A chat endpoint on this machine that answers as it is told, well or badly."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """How a request is answered: pieces of text or raw events, how long each takes, and what goes wrong after them."""

    pieces: list = field(default_factory=list)
    delay: float = 0.0
    breaks_off: bool = False
    hangs: float = 0.0
    status: int = 200


def call(name, *arguments):
    """Deltas of one function call, its arguments in parts."""
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": ""}}
    parts = [{"index": 0, "function": {"arguments": part}} for part in arguments]
    return [{"tool_calls": [delta]} for delta in (first, *parts)]


class FakeChat:
    """Starts and stops on one port; `replies` are used up one by one, the last one again and again."""

    def __init__(self):
        self.replies = [Reply(["Hello there."])]
        self.requests = []
        self.closed = threading.Event()
        self._server = None
        self._port = 0
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self):
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                body = b'{"data": []}'
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                fake.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                reply = fake.replies.pop(0) if len(fake.replies) > 1 else fake.replies[0]
                try:
                    self._answer(reply)
                except OSError:
                    fake.closed.set()
                self.close_connection = True

            def _answer(self, reply):
                fake.closed.wait(reply.hangs)
                self.send_response(reply.status)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for piece in reply.pieces:
                    fake.closed.wait(reply.delay)
                    delta = {"content": piece} if isinstance(piece, str) else piece
                    event = piece if isinstance(piece, bytes) else self._event(delta)
                    self.wfile.write(event)
                    self.wfile.flush()
                if not reply.breaks_off and reply.status == 200:
                    self.wfile.write(b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')

            @staticmethod
            def _event(delta):
                return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n".encode()

        self.closed.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        if self._server is not None:
            self.closed.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def wait_until(condition, limit=20.0):
    """Wait for something that another thread does; a generous limit, for machines that are busy."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it never happened")
        time.sleep(0.01)
