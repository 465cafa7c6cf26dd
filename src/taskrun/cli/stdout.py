"""Standard output: where the result of a command goes.

Rules: it is written once, as UTF-8 whatever the terminal says. Nobody listening any more is no error that is worth a
message; a full disk is.
"""

from __future__ import annotations

import os
import sys

from taskrun.cli.exit_codes import say


def write(text: str) -> int:
    """Write a text and return the exit status: 0, or 1 when it could not be written."""
    try:
        binary = getattr(sys.stdout, "buffer", None)
        if binary is None:  # somebody collects what is printed
            sys.stdout.write(text + "\n")
        else:
            binary.write(text.encode("utf-8", "backslashreplace") + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the interpreter's last flush is quiet
        return 1
    except OSError as error:
        say(f"taskrun: error: the outputs cannot be written: {error.strerror or error}")
        return 1
    return 0


def counted(number: int, word: str) -> str:
    """Return a number with its word, in the plural where it is one.

    >>> counted(1, "file"), counted(2, "file")
    ('1 file', '2 files')
    """
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
