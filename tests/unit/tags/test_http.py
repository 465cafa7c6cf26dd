"""HTTP requests to real local servers: reliable, flaky, slow, with huge or wrong responses, and closed."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from taskrun.errors import PluginError
from taskrun.tags import http
from taskrun.tags.context import TagContext
from taskrun.tags.http import HttpError, request
from taskrun.tags.http_exchange import parse_retry_after, redact_url

Answer = tuple[int, dict[str, str], bytes]


class Server:
    """Server that sends the given responses in turn, repeats the last one, and records all requests."""

    def __init__(self) -> None:
        self.answers: list[Answer | Callable[[BaseHTTPRequestHandler], None]] = [(200, {}, b"")]
        self.asked: list[dict[str, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.asked.append({"method": self.command, "path": self.path, "headers": headers, "body": body})
                answer = server.answers[min(len(server.asked), len(server.answers)) - 1]
                if callable(answer):
                    answer(self)
                    return
                status, sent, content = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **sent}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = answer

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.web.daemon_threads = True
        self.web.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.host = f"127.0.0.1:{self.web.server_port}"
        self.url = f"http://{self.host}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A running server, without a proxy."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    thread = threading.Thread(target=server.web.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.web.shutdown()
    thread.join()
    server.web.server_close()


@pytest.fixture
def ask(context: TagContext) -> Callable[..., dict[str, Any]]:
    """A call of the tag with short pauses."""
    return lambda url, **more: asyncio.run(request(url, **{"retryDelay": 1, "context": context, **more}))


def close(handler: BaseHTTPRequestHandler) -> None:
    """Close a connection without a response."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def test_a_response(server: Server, ask: Any) -> None:
    """A response has status, headers, text and value."""
    server.answers = [(201, {"Content-Type": "application/json; charset=utf-8", "X-A": "b"}, '{"ä": 1}'.encode())]
    answer = ask(server.url)
    assert (answer["status"], answer["headers"]["x-a"], answer["body"], answer["json"]) == (
        201,
        "b",
        '{"ä": 1}',
        {"ä": 1},
    )


@pytest.mark.parametrize(
    ("kind", "content", "body", "value"),
    [
        ("text/plain; charset=latin-1", b"\xe4", "ä", None),
        ("text/plain; charset=nonsense", b"\xc3\xa4", "ä", None),
        ("text/plain", b"\xff", "�", None),
        ("text/plain", b"1", "1", None),
        ("application/problem+json", b"[1]", "[1]", [1]),
        ("application/json", b"\xef\xbb\xbf[1]", "[1]", [1]),
        ("application/json", b"", "", None),
    ],
)
def test_texts_and_values(kind: str, content: bytes, body: str, value: Any, *, server: Server, ask: Any) -> None:
    """The declared encoding and content type of the response are used."""
    server.answers = [(200, {"Content-Type": kind}, content)]
    answer = ask(server.url)
    assert (answer["body"], answer["json"]) == (body, value)


def test_parts_of_the_request(server: Server, ask: Any) -> None:
    """Parameters are added to the query, None omits one, JSON and texts are sent as UTF-8."""
    ask(server.url + "/p?a=1", params={"b": [2, "ü&"], "c": None, "d": True}, headers={"X-N": 3, "X-None": None})
    assert server.asked[-1]["path"] == "/p?a=1&b=2&b=%C3%BC%26&d=true"
    assert server.asked[-1]["headers"]["x-n"] == "3"
    assert "x-none" not in server.asked[-1]["headers"]
    ask(server.url, method="post", json={"ä": [1]})
    assert server.asked[-1]["headers"]["content-type"] == "application/json"
    assert json.loads(server.asked[-1]["body"]) == {"ä": [1]}
    ask(server.url, method="PATCH", json=[], headers={"content-type": "application/x+json"})
    assert server.asked[-1]["headers"]["content-type"] == "application/x+json"
    ask(server.url, method="PUT", body="ä")
    assert server.asked[-1]["body"] == "ä".encode()
    ask(server.url, method="PUT", body=b"\xff")
    assert server.asked[-1]["body"] == b"\xff"


@pytest.mark.parametrize(
    ("url", "settings", "message"),
    [
        ("ftp://me:hidden@host/", {}, "not one of http or https"),
        ("file:///etc/passwd", {}, "not one of http or https"),
        ("example.org?key=hidden", {}, "not one of http"),
        ("", {}, "not one of http"),
        (None, {}, "url "),
        ("http://", {}, "not one of http"),
        ("http://[::1", {}, "url is malformed"),
        ("http://me:hidden@h:port/", {}, "url is malformed"),
        ("http://h/\x00?hidden", {}, "cannot be made"),
        ("http://me:hidden@h/", {"json": 1, "body": "a"}, "json and body"),
        ("http://h/?hidden", {"json": {1, 2}}, "cannot be made.*set"),
        ("http://h/", {"json": float("nan")}, "cannot be made"),
        ("http://h/", {"body": {}}, "body is a dict"),
        ("http://h/", {"body": "\ud800"}, "cannot be made"),
        ("http://h/", {"method": "GET /"}, "method"),
        ("http://h/", {"headers": {"X": ["a"]}}, r"headers\['X'\] is a list"),
        ("http://h/", {"headers": {"X": "ä\ud800"}}, "cannot be made"),
        ("http://h/", {"headers": ["X"]}, "headers is a list"),
        ("http://h/", {"params": {"a": {}}}, r"params\['a'\] is a dict"),
        ("http://h/", {"retries": -1}, "retries is 0 or more"),
        ("http://h/", {"timeout": 0}, "more than 0"),
        ("http://h/", {"expectStatus": 404}, "expectStatus is 404: give a list"),
        ("http://h/", {"retryOn": ["503"]}, "retryOn is"),
    ],
)
def test_invalid_requests(url: str, settings: dict, message: str, ask: Any) -> None:
    """An invalid request is not sent, and the error shows no secret."""
    with pytest.raises(HttpError, match=message) as caught:
        ask(url, **settings)
    assert "hidden" not in str(caught.value)


def test_headers_cannot_add_lines(server: Server, ask: Any) -> None:
    """A header with a newline is refused and not retried."""
    with pytest.raises(HttpError, match="header"):
        ask(server.url, headers={"X": "a\r\nY: b"}, retries=3)
    assert not server.asked


def test_other_statuses_are_failures(server: Server, ask: Any) -> None:
    """The error has status, text, and a URL without secrets."""
    server.answers = [(404, {}, b"no such\norder " + b"x" * 1_000)]
    with pytest.raises(HttpError) as caught:
        ask(f"http://me:hidden@{server.host}/a?key=hidden#hidden", params={"key2": "hidden"}, retries=3)
    assert str(caught.value).startswith(f"GET {server.url}/a?…: 404 Not Found: no such order xxx")
    assert len(str(caught.value)) < 400
    assert (caught.value.status, caught.value.url) == (404, f"{server.url}/a?…")
    assert len(server.asked) == 1


def test_expected_statuses(server: Server, ask: Any) -> None:
    """Expected statuses replace 2xx, and are not retried."""
    server.answers = [(503, {}, b"")]
    assert ask(server.url, expectStatus=[200, 503], retries=3)["status"] == 503
    server.answers = [(200, {}, b"")]
    with pytest.raises(HttpError, match="200 OK"):
        ask(server.url, expectStatus=[404])


def test_requests_to_a_flaky_server_are_retried(server: Server, ask: Any, reports: list[str]) -> None:
    """Statuses and closed connections are retried, and each retry is reported without secrets."""
    server.answers = [(503, {}, b"busy"), close, (429, {}, b""), (200, {}, b"well")]
    assert ask(server.url + "?key=hidden", retries=3)["body"] == "well"
    assert len(server.asked) == 4
    assert reports[0] == f"GET {server.url}?…: 503 Service Unavailable: busy; again in 1 ms (1 of 3)"
    assert len(reports) == 3
    assert "hidden" not in "".join(reports)


def test_the_number_of_retries_is_limited(server: Server, ask: Any) -> None:
    """The last failure is raised; other statuses are not retried."""
    server.answers = [(502, {}, b"")]
    with pytest.raises(HttpError, match="502"):
        ask(server.url, retries=2)
    assert len(server.asked) == 3
    with pytest.raises(HttpError):
        ask(server.url, retries=2, retryOn=[])
    assert len(server.asked) == 4


def test_only_idempotent_methods_are_retried(server: Server, ask: Any) -> None:
    """POST is not retried unless that is allowed; then the body is sent again."""
    server.answers = [(503, {}, b"")]
    for answer in ((503, {}, b""), close):
        server.answers, count = [answer], len(server.asked)
        with pytest.raises(HttpError):
            ask(server.url, method="POST", json=[1], retries=2)
        assert len(server.asked) == count + 1
    with pytest.raises(HttpError):
        ask(server.url, method="POST", json=[1], retries=2, retryAny=True)
    assert [asked["body"] for asked in server.asked[-3:]] == [b"[1]"] * 3


def test_pauses_double_up_to_a_limit(
    server: Server, ask: Any, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reports contain the pauses."""
    monkeypatch.setattr(http, "MAX_PAUSE", 20)
    server.answers = [(503, {}, b"")]
    with pytest.raises(HttpError):
        ask(server.url, retries=4, retryDelay=4)
    assert [line.partition("again in ")[2] for line in reports] == [
        "4 ms (1 of 4)", "8 ms (2 of 4)", "16 ms (3 of 4)", "20 ms (4 of 4)",
    ]  # fmt: skip


def test_pauses_requested_by_the_server(server: Server, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A requested pause is used, unless it is as long as an hour."""
    pauses: list[float] = []

    async def no_pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", no_pause)
    server.answers = [(503, {"Retry-After": "60"}, b""), (200, {}, b"")]
    ask(server.url, retries=1)
    assert 60 in pauses
    server.answers = [(503, {"Retry-After": "3600"}, b"")]
    with pytest.raises(HttpError) as caught:
        ask(server.url, retries=1)
    assert caught.value.pause == 3_600_000


NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("", 0),
        ("2", 2_000),
        ("-2", 0),
        ("soon", 0),
        ("²", 0),
        ("9" * 5_000, 999_999_999_000),
        (format_datetime(NOW + timedelta(seconds=3), usegmt=True), 3_000),
        (format_datetime(NOW - timedelta(seconds=3), usegmt=True), 0),
        ("Mon, 01 Jan 2024 00:00:03", 3_000),
        ("Mon, 99 Jan 2024 99:00:03 GMT", 0),
    ],
)
def test_retry_after(header: str, pause: float) -> None:
    """The header has seconds or a date; anything else is ignored."""
    assert parse_retry_after(header, NOW) == pause


def test_a_slow_server(server: Server, ask: Any) -> None:
    """The timeout covers the whole response, also one that arrives byte by byte."""
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not ended.wait(0.02):
            handler.wfile.write(b"x")

    server.answers = [drip, drip, (200, {}, b"fast")]
    start = time.monotonic()
    try:
        with pytest.raises(HttpError, match="no response within 200 ms"):
            ask(server.url, timeout=200)
        assert ask(server.url, timeout=200, retries=1)["body"] == "fast"
        assert time.monotonic() - start < 10
    finally:
        ended.set()


def test_a_refused_connection(ask: Any, reports: list[str]) -> None:
    """A failed connection is retried and has no status."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(HttpError, match=f"GET http://127.0.0.1:{port}/: ") as caught:
        ask(f"http://127.0.0.1:{port}/", retries=2)
    assert caught.value.status is None
    assert len(reports) == 2


def test_responses_have_a_maximum_size(server: Server, ask: Any) -> None:
    """The limit applies to the decompressed response; the text of a failure is shortened."""
    server.answers = [(200, {}, b"x" * 10)]
    assert ask(server.url, maxBytes=10)["body"] == "x" * 10
    with pytest.raises(HttpError, match="more than 9 bytes"):
        ask(server.url, maxBytes=9)
    server.answers = [(200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 5_000_000))]
    with pytest.raises(HttpError, match="more than 1000 bytes"):
        ask(server.url, maxBytes=1000)
    server.answers = [(500, {}, b"x" * 5_000)]
    with pytest.raises(HttpError, match="500"):
        ask(server.url, maxBytes=1000)


@pytest.mark.parametrize(
    ("headers", "content", "message"),
    [
        ({"Content-Type": "application/json"}, b"{", "has a JSON content type, but is not JSON"),
        ({"Content-Type": "application/json"}, b"[" * 100_000, "has a JSON content type, but is not JSON"),
        ({"Content-Encoding": "gzip"}, b"no gzip", "GET http://.*: "),
    ],
)
def test_responses_that_contradict_their_headers(
    headers: dict, content: bytes, message: str, server: Server, ask: Any
) -> None:
    """A response that contradicts its headers is a failure and is not retried."""
    server.answers = [(200, headers, content)]
    with pytest.raises(HttpError, match=message):
        ask(server.url, retries=2)
    assert len(server.asked) == 1


def test_an_incomplete_response(server: Server, ask: Any) -> None:
    """An incomplete response is retried."""
    server.answers = [(200, {"Content-Length": "100"}, b"x"), (200, {}, b"whole")]
    assert ask(server.url, retries=1)["body"] == "whole"


def test_redirects(server: Server, ask: Any) -> None:
    """Redirects are followed up to a limit, not to other protocols, and without showing secrets."""
    server.answers = [(302, {"Location": "/there"}, b""), (200, {}, b"well")]
    assert ask(server.url)["body"] == "well"
    assert server.asked[-1]["path"] == "/there"
    for target, message in (("/again", "redirects"), ("file:///etc/passwd", "protocol"), ("http://[hidden", "GET")):
        server.answers, count = [(302, {"Location": target}, b"")], len(server.asked)
        with pytest.raises(HttpError, match=message):
            ask(server.url, retries=3)
        assert len(server.asked) - count <= 11


def test_a_cancelled_request(server: Server, context: TagContext) -> None:
    """A cancellation is not delayed by the request or a pause."""
    arrived, ended = threading.Event(), threading.Event()

    def hang(_: BaseHTTPRequestHandler) -> None:
        arrived.set()
        ended.wait(20)

    async def main(url: str, wait: Callable[[], Any], **more: Any) -> None:
        task = asyncio.create_task(request(url, context=context, **more))
        assert await asyncio.to_thread(wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    server.answers = [hang]
    try:
        asyncio.run(main(server.url, lambda: arrived.wait(20)))
    finally:
        ended.set()
    reported = threading.Event()
    context = TagContext(folder=context.folder, allowed=(), report=lambda _: reported.set())
    server.answers = [(503, {}, b"")]
    asyncio.run(main(server.url, lambda: reported.wait(20), retries=1, retryDelay=30_000))


def test_without_httpx(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(PluginError, match=r"pip install 'taskrun\[http\]'"):
        ask("http://example.org/")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@example.org:8443/a/b?q=s#f", "https://example.org:8443/a/b?…"),
        ("http://a@b@example.org", "http://example.org"),
        ("HTTP://Example.org/@x", "http://Example.org/@x"),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str) -> None:
    """User, password, query and fragment are removed."""
    assert redact_url(url) == shown
