"""``make soak``: run random programs with CPython and with both evaluators, and show every difference."""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import random
import sys
import time

from script_programs import by_python, by_script, program, same


def main(count: int, seed: int) -> int:
    """Run the programs; returns 1 when one of them ended in two ways."""
    source = random.Random(seed)
    values = wrong = 0
    started = time.monotonic()
    for _ in range(count):
        text = program(source)
        expected = by_python(text)
        values += expected[0] is None
        for evaluator in ("compiled", "asteval"):
            actual = by_script(text, evaluator)
            if not same(expected, actual):
                wrong += 1
                print(f"--- {evaluator}\n{text}\n    Python: {expected}\n    script: {actual}")
    share = 100 * values / count
    print(
        f"{count:,} programs (seed {seed}) in {time.monotonic() - started:.0f} s: {share:.1f} % end in a value, {wrong} differ"
    )
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    )
