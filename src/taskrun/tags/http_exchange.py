"""One HTTP request and its response, for the tag library ``http``.

Rules: a response is read up to a maximum size. One timeout covers an attempt from the connection to the last byte.
Messages never contain user, password or query of a URL. httpx is imported in functions, because it is an optional
dependency.
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
_MAX_EXCERPT = 300


class HttpError(Exception):
    """Raised when a request fails or its response is not accepted.

    Parameters: ``url`` is the URL without user, password and query; ``status`` is that of the response, None without
    one; ``body`` is the text of the response; ``transient`` means that there was no response but a retry may succeed;
    ``pause`` is the pause that the server requests before a retry, in milliseconds.
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
    """A prepared request, which can be sent several times, with the conditions for accepting its response.

    Parameters: ``client`` and ``request`` are the objects of httpx; ``url`` is the URL without secrets, for messages;
    ``timeout`` is in milliseconds; ``expected`` are the statuses that are accepted, None for all of 2xx; ``max_bytes``
    is the maximum size of the response after decompression.
    """

    client: httpx.AsyncClient
    request: httpx.Request
    url: str
    timeout: float
    expected: Collection[int] | None
    max_bytes: int

    async def run(self) -> dict[str, Any]:
        """Send the request once and return the response as a dict with status, headers, body and json.

        Raises HttpError if there is no response, or if it is not accepted.
        """
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
            message = f"{what}: no response within {self.timeout:g} ms"
            raise HttpError(message, url=self.url, transient=True) from None
        except (httpx.RequestError, httpx.InvalidURL) as error:  # a redirect may contain an invalid URL
            transient = isinstance(error, httpx.TransportError) and not isinstance(
                error, httpx.LocalProtocolError | httpx.UnsupportedProtocol
            )
            message = f"{what}: {str(error) or type(error).__name__}"
            raise HttpError(message, url=self.url, transient=transient) from error
        return self._check_response(what, response, content)

    async def _content(self, response: httpx.Response) -> bytes:
        """Read the content of a response, at most ``max_bytes`` + 1 bytes: the last one shows that it is too large."""
        content = bytearray()
        chunks: Any = response.aiter_bytes()
        async with aclosing(chunks):
            async for chunk in chunks:
                content += chunk[: self.max_bytes + 1 - len(content)]
                if len(content) > self.max_bytes:
                    break
        return bytes(content)

    def _check_response(self, what: str, response: httpx.Response, content: bytes) -> dict[str, Any]:
        """Return the response as a dict; ``what`` names the request in messages.

        Raises HttpError for an unexpected status, for more than ``max_bytes`` bytes of content, and for JSON that is
        malformed.
        """
        status = int(response.status_code)
        text = _decode_body(response, content)
        accepted = 200 <= status < 300 if self.expected is None else status in self.expected  # noqa: PLR2004  2xx
        problem = ""
        value = None
        if not accepted:
            excerpt = " ".join(text[:_MAX_EXCERPT].split())
            problem = f"{status} {response.reason_phrase}".rstrip() + (f": {excerpt}" if excerpt else "")
        elif len(content) > self.max_bytes:
            problem = f"the response has more than {self.max_bytes} bytes: increase maxBytes or request less"
        elif text.strip() and _is_json(response.headers.get("content-type", "")):
            try:
                value = json.loads(content if content.isascii() else text)
            except (ValueError, RecursionError) as error:
                problem = f"the response has a JSON content type, but is not JSON: {error or 'it is nested too deeply'}"
        if problem:
            pause = parse_retry_after(response.headers.get("retry-after", ""), datetime.now(UTC))
            raise HttpError(f"{what}: {problem}", url=self.url, status=status, body=text, pause=pause)
        return {"status": status, "headers": dict(response.headers), "body": text, "json": value}


def new_client() -> httpx.AsyncClient:
    """Create an HTTP client of httpx; raises PluginError if httpx is not installed.

    The call blocks while it reads the certificates, so it must not run on the event loop.
    """
    try:
        import httpx
    except ImportError as error:
        raise PluginError(f"the tags of http need the package httpx: pip install 'taskrun[http]' ({error})") from error
    return httpx.AsyncClient(timeout=None, follow_redirects=True, max_redirects=_MAX_REDIRECTS)  # noqa: S113  see run


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
    """Prepare a request and return it; raises HttpError if its parts are invalid.

    Parameters: ``value`` is sent as JSON; if it is None, ``body`` is sent unchanged instead. An item of ``headers`` or
    ``params`` with the value None is omitted.
    """
    import httpx

    safe_url = redact_url(url)
    header_texts = {str(name): str(header) for name, header in headers.items() if header is not None}
    content = body
    try:
        if value is not None:
            content = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
            if "content-type" not in {name.lower() for name in header_texts}:
                header_texts["Content-Type"] = "application/json"
        target = httpx.URL(url)
        given = {name: item for name, item in params.items() if item is not None}
        if given:
            target = target.copy_merge_params(given)
        return client.build_request(method, target, headers=header_texts, content=content)
    except (httpx.InvalidURL, TypeError, ValueError, RecursionError) as error:
        raise HttpError(f"{method} {safe_url}: the request cannot be made: {error}", url=safe_url) from None


def redact_url(url: str) -> str:
    """Return an http or https URL without user, password, query and fragment; raises HttpError for other URLs.

    >>> redact_url("https://me:secret@example.org:8443/a?key=secret")
    'https://example.org:8443/a?…'
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except (ValueError, TypeError, AttributeError):
        raise HttpError("url is malformed: use one such as https://example.org/path") from None
    if not usable:
        raise HttpError("url is not one of http or https with a host: use one such as https://example.org/path")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "")


def parse_retry_after(header: str, now: datetime) -> float:
    """Return the milliseconds to wait by a header ``Retry-After``, which has seconds or a date; 0 if it is neither."""
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
    """Return whether a content type means JSON: ``application/json``, or one that ends in ``+json``."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _decode_body(response: httpx.Response, content: bytes) -> str:
    """Return the text of a response in its declared encoding, by default UTF-8; malformed bytes are replaced."""
    try:
        return content.decode(response.charset_encoding or "utf-8", "replace").removeprefix("\ufeff")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")
