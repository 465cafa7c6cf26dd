"""Tag library ``http``: sends a request to a server and returns the response.

    <http:Request url="https://example.org/orders" params="${{'day': day}}" retries="3"/>

Rules: only http and https are supported. A response whose status is not 2xx is a failure, unless ``expectStatus`` lists
the status. With ``retries``, a request is repeated after a failed connection, a timeout, or a status in ``retryOn``.
Methods that may change the server twice, such as POST, are repeated only with ``retryAny``. The pause between two
attempts doubles each time, up to ``MAX_PAUSE``. A longer ``Retry-After`` of the response is used instead; if it is
longer than ``MAX_RETRY_AFTER``, the request fails at once.

Messages and reports never contain user, password or query of a URL. Proxies and certificates come from environment
variables (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``). Each tag opens a connection of its own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

from taskrun.core.timers import exponential_delay
from taskrun.tags.context import TagContext
from taskrun.tags.http_exchange import Exchange, HttpError, new_client, new_request, redact_url

__all__ = ["HttpError", "request"]

MAX_BYTES = 16 * 1024 * 1024
"""The default maximum size of a decompressed response: 16 MiB."""

MAX_PAUSE = 30_000.0
"""The longest pause before a retry, in milliseconds, unless the server requests a longer one."""

MAX_RETRY_AFTER = 120_000.0
"""The longest pause that a server may request, in milliseconds; if it requests more, there is no retry."""

_IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_RETRY_STATUSES = (429, 502, 503, 504)
_METHOD = re.compile(r"[A-Z][A-Z0-9_-]*")


async def request(
    url: str,
    *,
    method: str = "GET",
    headers: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
    json: Any = None,
    body: Any = None,
    timeout: float = 30_000,  # noqa: ASYNC109  of one attempt, in milliseconds
    retries: int = 0,
    retryDelay: float = 200,
    retryOn: list[int] | None = None,
    retryAny: bool = False,
    expectStatus: list[int] | None = None,
    maxBytes: int = MAX_BYTES,
    context: TagContext,
) -> dict[str, Any]:
    """Send a request and return the response; follow up to ten redirects.

    Parameters: ``params`` are added to the query of the URL: None omits one, a list repeats it; ``headers`` likewise,
    but without lists; ``json`` is a value to send as JSON, ``body`` a text (sent as UTF-8) or bytes; ``timeout`` limits
    each attempt as a whole, in milliseconds; ``retries`` is the number of attempts after the first one, ``retryDelay``
    the first pause in milliseconds, ``retryOn`` the statuses to retry, by default 429, 502, 503 and 504; ``retryAny``
    retries every method, even POST; ``expectStatus`` lists the statuses that are no failure, by default all of 2xx;
    ``maxBytes`` limits the size of the response.
    Returns a dict with ``status``; ``headers`` with names in lower case; ``body``, a text; and ``json``, the value of a
    response with a JSON content type, otherwise None.
    Raises HttpError, and PluginError if the package httpx is not installed.
    """
    safe_url = redact_url(url)
    verb = method.upper()
    problems = list(
        _attribute_problems(
            verb,
            json,
            body,
            {"headers": headers or {}, "params": params or {}},
            {"retryOn": retryOn or [], "expectStatus": expectStatus or []},
        )
    )
    if retries < 0 or timeout <= 0 or maxBytes <= 0:
        problems.append("retries is 0 or more, timeout and maxBytes are more than 0")
    if problems:
        raise HttpError(f"{safe_url}: {'; '.join(problems)}", url=safe_url)
    retry_statuses = frozenset(_RETRY_STATUSES if retryOn is None else retryOn)
    client = await asyncio.to_thread(new_client)  # reading the certificates takes a while
    async with client:
        prepared = new_request(client, verb, url, headers=headers or {}, params=params or {}, value=json, body=body)
        exchange = Exchange(client, prepared, safe_url, timeout, expectStatus, maxBytes)
        for attempt in range(retries + 1):
            try:
                return await exchange.run()
            except HttpError as error:
                may_retry = (error.transient or error.status in retry_statuses) and (
                    retryAny or verb in _IDEMPOTENT_METHODS
                )
                pause = max(exponential_delay(retryDelay, attempt, MAX_PAUSE), error.pause)
                if attempt == retries or not may_retry or error.pause > MAX_RETRY_AFTER:
                    raise
                context.report(f"{error}; again in {pause:.0f} ms ({attempt + 1} of {retries})")
            await asyncio.sleep(pause / 1000)
    raise AssertionError("the last attempt returns or raises")


def _attribute_problems(
    verb: str, json: Any, body: Any, dictionaries: dict[str, Any], statuses: dict[str, Any]
) -> Iterator[str]:
    """Yield a message for each invalid attribute of a request.

    Parameters: ``verb`` is the HTTP method in upper case; ``dictionaries`` and ``statuses`` are the values of
    attributes that must be dicts or lists of statuses, by name.
    """
    if not _METHOD.fullmatch(verb):
        yield f"the method {verb!r} is not one such as GET or POST"
    if json is not None and body is not None:
        yield "json and body are both given: a request has one body"
    if not isinstance(body, str | bytes | None):
        yield f"body is a {type(body).__name__}: give a text or bytes, or the value in json"
    for name, table in dictionaries.items():
        if not isinstance(table, dict):
            yield f"{name} is a {type(table).__name__}: give a dict of names and values"
            continue
        for key, value in table.items():
            if isinstance(value, dict) or (name == "headers" and isinstance(value, list | tuple)):
                yield f"{name}[{key!r}] is a {type(value).__name__}: give a text or a number"
    for name, numbers in statuses.items():
        if not isinstance(numbers, list | tuple) or not all(isinstance(number, int) for number in numbers):
            yield f"{name} is {numbers!r}: give a list of numbers such as [200, 404]"
