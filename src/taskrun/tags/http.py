"""The tag library ``http``: asking a server.

    <http:Request url="https://example.org/orders" params="${{'day': day}}" retries="3"/>

Rules: only http and https; an answer with a status other than 2xx is a failure unless ``expectStatus`` names it. Only
methods that may be repeated without harm are, unless ``retryAny`` says so: after a failed connection, a timeout or a status
of ``retryOn``, with pauses that double up to ``MAX_PAUSE``, or as long as the answer's ``Retry-After`` asks. Messages and
reports never show the user, the password or the query of a URL. Proxies and certificates come from the environment, as
for every program (``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``). Each tag has connections of its own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

from taskrun.core.backoff import exponential_delay
from taskrun.tags.context import TagContext
from taskrun.tags.http_exchange import Exchange, HttpError, new_client, new_request, without_secrets

__all__ = ["HttpError", "request"]

MAX_BYTES = 16 * 1024 * 1024
"""The size of the largest answer, unpacked, that is accepted unless told otherwise: 16 MiB."""

MAX_PAUSE = 30_000.0
"""The longest pause before a repetition in milliseconds, unless the server asks for a longer one."""

MAX_RETRY_AFTER = 120_000.0
"""The longest pause in milliseconds that a server may ask for: who asks for more is not asked again."""

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_RETRY_ON = (429, 502, 503, 504)
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
    """Ask a server and return its answer, following up to ten redirects.

    Parameters: ``params`` are added to the URL's query, None leaves one out, a list gives it several times; ``headers``
    likewise without lists; ``json`` is a value to send as JSON, ``body`` a text (sent as UTF-8) or bytes to send as they are;
    ``timeout`` limits each attempt as a whole, in milliseconds; ``retries`` is the number of repetitions after the first
    attempt, ``retryDelay`` the first pause in milliseconds, ``retryOn`` the statuses to repeat for, by default 429, 502,
    503 and 504, ``retryAny`` repeats every method, POST too; ``expectStatus`` lists the statuses that are no failure,
    by default all of 2xx; ``maxBytes`` limits the size of the answer.
    Returns a dict with ``status``; ``headers``, their names in lower case; ``body``, a text; and ``json``, the value of an
    answer that says that it is JSON, else None.
    Raises HttpError, PluginError without the package httpx.
    """
    shown = without_secrets(url)
    verb = method.upper()
    problems = list(
        _problems(
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
        raise HttpError(f"{shown}: {'; '.join(problems)}", url=shown)
    repeated = frozenset(_RETRY_ON if retryOn is None else retryOn)
    client = await asyncio.to_thread(new_client)  # reading the certificates takes a while
    async with client:
        sent = new_request(client, verb, url, headers=headers or {}, params=params or {}, value=json, body=body)
        exchange = Exchange(client, sent, shown, timeout, expectStatus, maxBytes)
        for attempt in range(retries + 1):
            try:
                return await exchange.run()
            except HttpError as error:
                may = (error.transient or error.status in repeated) and (retryAny or verb in _REPEATABLE)
                pause = max(exponential_delay(retryDelay, attempt, MAX_PAUSE), error.pause)
                if attempt == retries or not may or error.pause > MAX_RETRY_AFTER:
                    raise
                context.report(f"{error}; again in {pause:.0f} ms ({attempt + 1} of {retries})")
            await asyncio.sleep(pause / 1000)
    raise AssertionError("the last attempt returns or raises")


def _problems(verb: str, json: Any, body: Any, tables: dict[str, Any], statuses: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a request's attributes."""
    if not _METHOD.fullmatch(verb):
        yield f"the method {verb!r} is not one such as GET or POST"
    if json is not None and body is not None:
        yield "json and body are both given: a request has one body"
    if not isinstance(body, str | bytes | None):
        yield f"body is a {type(body).__name__}: give a text or bytes, or the value in json"
    for name, table in tables.items():
        if not isinstance(table, dict):
            yield f"{name} is a {type(table).__name__}: give a dict of names and values"
            continue
        for key, value in table.items():
            if isinstance(value, dict) or (name == "headers" and isinstance(value, list | tuple)):
                yield f"{name}[{key!r}] is a {type(value).__name__}: give a text or a number"
    for name, numbers in statuses.items():
        if not isinstance(numbers, list | tuple) or not all(isinstance(number, int) for number in numbers):
            yield f"{name} is {numbers!r}: give a list of numbers such as [200, 404]"
