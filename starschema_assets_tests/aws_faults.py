"""A proxy in front of the AWS emulator, for responses that only the real service would give."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any, ClassVar
from urllib.parse import urlsplit

Answer = dict[str, Any]
"""The body of a response."""


@dataclass
class FaultyAWS:
    """Defines faults by operation, e.g. `StartCrawler`."""

    url: str = ""
    refuse: dict[str, list[Answer]] = field(default_factory=dict)
    """Errors to return instead of executing a request, each once."""
    alter: dict[str, Callable[[Answer], None]] = field(default_factory=dict)
    """Functions that change a response."""
    on_start: dict[str, Callable[[], None]] = field(default_factory=dict)
    """Functions that run after an operation, before its response."""
    asked: list[str] = field(default_factory=list)
    """The requested operations, in order."""


def error(code: str, message: str, **more: str) -> Answer:
    """Return an error response of AWS's JSON services, with status 400."""
    return {"__type": code, "message": message, **more}


THROTTLED = error("ThrottlingException", "Rate exceeded")


@contextmanager
def faulty_aws(server_url: str, context: SSLContext | None = None) -> Iterator[FaultyAWS]:
    """Yield a proxy to the emulator. It passes on the Host header, so signatures stay valid."""
    faults = FaultyAWS()

    class Handler(_Proxy):
        upstream = urlsplit(server_url).netloc
        tls = context
        state = faults

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        faults.url = f"http://127.0.0.1:{proxy.server_port}"
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield faults
        finally:
            proxy.shutdown()
            thread.join()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: ClassVar[str]
    tls: ClassVar[SSLContext | None]
    state: ClassVar[FaultyAWS]

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.state.asked.append(operation)
        if refusals := self.state.refuse.get(operation):
            self._answer(400, json.dumps(refusals.pop(0)).encode())
            return
        connection = (
            HTTPSConnection(self.upstream, context=self.tls)
            if self.tls
            else HTTPConnection(self.upstream)
        )
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status == 200:
            self.state.on_start.get(operation, lambda: None)()
            if operation in self.state.alter:
                altered = json.loads(content)
                self.state.alter[operation](altered)
                content = json.dumps(altered).encode()
        headers = {name.title(): value for name, value in answer.getheaders()}
        self._answer(answer.status, content, headers)

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {"Date": self.date_time_string()}).items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log nothing, to keep the test output readable."""

    do_POST = _forward  # noqa: N815 - the base's name
