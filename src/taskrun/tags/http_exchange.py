"""One request to a server and its answer, for the tag library ``http``.

Rules: an answer is read up to a limit, and an attempt has one time limit from the connection to the last byte. What is
said of a URL never has its user, password or query. httpx is imported when it is needed, as it is an extra.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from taskrun.errors import PluginError

if TYPE_CHECKING:
    import httpx

_MAX_REDIRECTS = 10
_SHOWN = 300


class HttpError(Exception):
    """A request failed.

    Parameters: ``url`` has neither user, password nor query; ``status`` is the answer's, None when there was none; ``body`` is
    the text of the answer; ``transient`` says that there was no answer and that it may come another time; ``pause`` is
    how long the server wants to be left alone, in milliseconds.
    """

    def __init__(
        self,
        message: str,
        *,
        url: str = "",
        status: int | None = None,
        body: str = "",
        transient: bool = False,
        pause: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.url = url
        self.status = status
        self.body = body
        self.transient = transient
        self.pause = pause


@dataclass(frozen=True, slots=True)
class Exchange:
    """How a request is sent and judged.

    Parameters: ``client`` and ``request`` are httpx's, ``url`` is what may be shown of the URL; ``timeout`` in milliseconds;
    ``expected`` are the statuses that are no failure, None is 2xx; ``max_bytes`` limits the unpacked answer.
    """

    client: httpx.AsyncClient
    request: httpx.Request
    url: str
    timeout: float
    expected: Collection[int] | None
    max_bytes: int

    async def run(self) -> dict[str, Any]:
        """Send the request once; return the answer as a dict or raise HttpError."""
        import httpx

        what = f"{self.request.method} {self.url}"
        try:
            async with asyncio.timeout(self.timeout / 1000):
                response = await self.client.send(self.request, stream=True)
                try:
                    content = await self._content(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            message = f"{what}: not answered within {self.timeout:g} ms"
            raise HttpError(message, url=self.url, transient=True) from None
        except (httpx.RequestError, httpx.InvalidURL) as error:  # the latter from a redirect
            transient = isinstance(error, httpx.TransportError) and not isinstance(
                error, httpx.LocalProtocolError | httpx.UnsupportedProtocol
            )
            message = f"{what}: {str(error) or type(error).__name__}"
            raise HttpError(message, url=self.url, transient=transient) from error
        return self._judged(what, response, content)

    async def _content(self, response: httpx.Response) -> bytes:
        """Return the answer's content, of one that is too long one byte more than is allowed."""
        content = bytearray()
        chunks: Any = response.aiter_bytes()
        async with aclosing(chunks):
            async for chunk in chunks:
                content += chunk[: self.max_bytes + 1 - len(content)]
                if len(content) > self.max_bytes:
                    break
        return bytes(content)

    def _judged(self, what: str, response: httpx.Response, content: bytes) -> dict[str, Any]:
        status = int(response.status_code)
        text = _decoded(response, content)
        good = 200 <= status < 300 if self.expected is None else status in self.expected  # noqa: PLR2004  2xx
        problem = ""
        value = None
        if not good:
            said = " ".join(text[:_SHOWN].split())
            problem = f"{status} {response.reason_phrase}".rstrip() + (f": {said}" if said else "")
        elif len(content) > self.max_bytes:
            problem = f"the answer has more than {self.max_bytes} bytes: raise maxBytes or ask for less"
        elif text.strip() and _is_json(response.headers.get("content-type", "")):
            try:
                value = json.loads(content if content.isascii() else text)
            except (ValueError, RecursionError) as error:
                problem = f"the answer says that it is JSON, but: {error or 'it is nested too deeply'}"
        if problem:
            pause = retry_after(response.headers.get("retry-after", ""), datetime.now(UTC))
            raise HttpError(f"{what}: {problem}", url=self.url, status=status, body=text, pause=pause)
        return {"status": status, "headers": dict(response.headers), "body": text, "json": value}


def new_client() -> httpx.AsyncClient:
    """Return a client for one tag; it blocks while it reads the certificates. Raises PluginError without httpx."""
    try:
        import httpx
    except ImportError as error:
        raise PluginError(f"the tags of http need the package httpx: pip install 'taskrun[http]' ({error})") from error
    return httpx.AsyncClient(timeout=None, follow_redirects=True, max_redirects=_MAX_REDIRECTS)  # noqa: S113  run has one


def new_request(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, Any],
    params: Mapping[str, Any],
    value: Any,
    body: Any,
) -> httpx.Request:
    """Return a request, ready to be sent; ``value`` is sent as JSON, ``body`` as it is. HttpError for what cannot be."""
    import httpx

    shown = without_secrets(url)
    sent = {str(name): str(header) for name, header in headers.items() if header is not None}
    content = body
    try:
        if value is not None:
            content = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
            if "content-type" not in {name.lower() for name in sent}:
                sent["Content-Type"] = "application/json"
        target = httpx.URL(url)
        given = {name: item for name, item in params.items() if item is not None}
        if given:
            target = target.copy_merge_params(given)
        return client.build_request(method, target, headers=sent, content=content)
    except (httpx.InvalidURL, TypeError, ValueError, RecursionError) as error:
        raise HttpError(f"{method} {shown}: the request cannot be made: {error}", url=shown) from None


def without_secrets(url: str) -> str:
    """Return a URL of http or https without user, password, fragment and what its query says; HttpError for others.

    >>> without_secrets("https://me:secret@example.org:8443/a?key=secret")
    'https://example.org:8443/a?…'
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except (ValueError, TypeError, AttributeError):
        raise HttpError("url cannot be understood: give one such as https://example.org/path") from None
    if not usable:
        raise HttpError("url is not one of http or https with a host: give one such as https://example.org/path")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "")


def retry_after(header: str, now: datetime) -> float:
    """Return the pause in milliseconds that a header ``Retry-After``, seconds or a date, asks for at the time ``now``."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9]) * 1000
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return 0.0
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds() * 1000)


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _decoded(response: httpx.Response, content: bytes) -> str:
    """Return an answer's text by the encoding that it names, else UTF-8; what is not of it is replaced."""
    try:
        return content.decode(response.charset_encoding or "utf-8", "replace").removeprefix("\ufeff")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")
