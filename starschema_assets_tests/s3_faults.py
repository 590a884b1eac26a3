"""A proxy in front of a real S3 server. It can make selected requests fail."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
CONFLICT = b"<Error><Code>ConditionalRequestConflict</Code><Message>Retry.</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"

Match = Callable[[str, str], bool]
"""Takes a request's method and path with query string; returns True if it must fail."""


@dataclass
class FaultyS3:
    """Defines which requests fail. `failed` counts them."""

    url: str = ""
    slow_down: Match | None = None
    """Matching requests get status 503 (Slow Down)."""
    deny: Match | None = None
    """Matching requests get status 403 (Access Denied)."""
    conflict: Match | None = None
    """Matching requests get status 409 (Conflict)."""
    lose_answer: Match | None = None
    """The server executes matching requests, but the connection is closed before the response."""
    times: int = 0
    """Number of matching requests that still fail."""
    failed: int = 0
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and headers of each request, in order; the headers' names in lower case."""
    mutex: threading.Lock = field(default_factory=threading.Lock)

    def fails(self, match: Match | None, method: str, path: str) -> bool:
        """Return whether this request must fail, and count it if so."""
        with self.mutex:
            if not match or self.times == 0 or not match(method, path):
                return False
            self.times -= 1
            self.failed += 1
            return True


@contextmanager
def faulty_s3(server_url: str) -> Iterator[FaultyS3]:
    """Yield a proxy to the server. It passes on the Host header, so signatures stay valid."""
    faults = FaultyS3()

    class Handler(_Proxy):
        upstream = server_url.removeprefix("http://")
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
    state: ClassVar[FaultyS3]

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.state.asked.append((self.command, self.path, headers))
        if self.state.fails(self.state.slow_down, self.command, self.path):
            self._answer(503, SLOW_DOWN)
        elif self.state.fails(self.state.deny, self.command, self.path):
            self._answer(403, DENIED)
        elif self.state.fails(self.state.conflict, self.command, self.path):
            self._answer(409, CONFLICT)
        else:
            connection = HTTPConnection(self.upstream)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            if self.state.fails(self.state.lose_answer, self.command, self.path):
                self.close_connection = True
            else:
                self._answer(answer.status, content, dict(answer.getheaders()))
            connection.close()

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        length = (headers or {}).get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            with suppress(ConnectionError):  # the client has closed the connection
                self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log nothing, to keep the test output readable."""

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _forward  # noqa: N815 - the base's names
