"""Functions that the flow uses as tags. Parameters are attributes; the body of a tag is passed as a callable."""

from collections.abc import Callable


def shout(text: str, times: int = 1) -> str:
    """Return a text in capital letters, repeated ``times`` times."""
    return " ".join([text.upper()] * times)


def each(words: list[str], body: Callable[[str], object]) -> list[object]:
    """Return the results of calling the body with each word."""
    return [body(word) for word in words]
