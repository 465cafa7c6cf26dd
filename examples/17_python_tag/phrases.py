"""Functions that are tags of a flow: parameters are attributes, what a tag holds is a callable."""

from collections.abc import Callable


def shout(text: str, times: int = 1) -> str:
    """Return a text in capitals, again and again."""
    return " ".join([text.upper()] * times)


def each(words: list[str], body: Callable[[str], object]) -> list[object]:
    """Call what the tag holds with each word."""
    return [body(word) for word in words]
