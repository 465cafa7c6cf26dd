"""Standard output: prints the result of a command.

Rules: a command writes its result once, always as UTF-8, whatever the encoding of the terminal. If the reader has
closed the pipe, the command ends without a message. A full disk is reported.
"""

from __future__ import annotations

import os
import sys

from taskrun.cli.exit_codes import FAILED, SUCCEEDED
from taskrun.cli.stderr import report


def print_result(text: str) -> int:
    """Write a text to standard output and return the exit status: 0, or 1 when the text could not be written."""
    try:
        binary = getattr(sys.stdout, "buffer", None)
        if binary is None:  # standard output was replaced by a text stream, such as StringIO
            sys.stdout.write(text + "\n")
        else:
            binary.write(text.encode("utf-8", "backslashreplace") + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the flush at exit cannot fail again
        return FAILED
    except OSError as error:
        report(f"taskrun: error: cannot write to standard output: {error.strerror or error}")
        return FAILED
    return SUCCEEDED


def pluralize(number: int, noun: str) -> str:
    """Return a number and a noun, in the plural unless the number is 1.

    >>> pluralize(1, "file"), pluralize(2, "file")
    ('1 file', '2 files')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
