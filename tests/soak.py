"""``make soak``: the checks that take minutes, each with random input of which the seed is told.

    python tests/soak.py                         all of them
    python tests/soak.py kills --seed 7          processes that are killed, with another seed
    python tests/soak.py scripts --count 500     fewer random scripts

``scripts`` compares random programs with Python; ``kills`` kills real processes of ``taskrun`` until their runs have ended
(``killing.py``); ``races`` lets processes resume the same runs (``racing.py``). The exit status is 1 when something does not hold.
"""

# ruff: noqa: T201 - it prints

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

from forking import KILLS, FreshProcesses
from killing import SCENARIOS, Trial
from racing import race
from script_programs import by_python, by_script, program, same
from watching import PHASES, Place


def scripts(count: int, seed: int) -> int:
    """Run random programs with CPython and with both evaluators, print every difference, and return their number."""
    source = random.Random(seed)
    values = wrong = 0
    for _ in range(count):
        text = program(source)
        expected = by_python(text)
        values += expected[0] is None
        for evaluator in ("compiled", "asteval"):
            actual = by_script(text, evaluator)
            if not same(expected, actual):
                wrong += 1
                print(f"--- {evaluator}\n{text}\n    Python: {expected}\n    script: {actual}")
    print(f"{count:,} programs (seed {seed}): {100 * values / count:.1f} % end in a value, {wrong} differ")
    return wrong


def kills(count: int, seed: int) -> int:
    """Kill processes until enough were killed during a run; return the number of runs with a wrong outcome."""
    folder = Path(mkdtemp(prefix="taskrun-kills-"))
    wrong = runs = 0
    phases: Counter[tuple[str, str]] = Counter()
    with FreshProcesses(KILLS) as processes:
        whole = {}
        for name, scenario in SCENARIOS.items():
            if not scenario.cancelled:
                trial = whole[name] = Trial(scenario, 0, Place(folder / f"{name}-whole", processes), most_kills=0)
                trial.go()
        number = seed
        while phases.total() < count:
            for name, scenario in SCENARIOS.items():
                trial = Trial(scenario, number, Place(folder / f"{name}-{number}", processes))
                runs += 1
                try:
                    trial.go()
                    if name in whole:
                        trial.check_same(whole[name])
                except AssertionError as error:
                    wrong += 1
                    print(f"--- {error}")
                phases.update((name, phase) for phase in trial.kills)
            number += 1
    print(f"{phases.total()} kills of {runs} runs (seeds {seed} to {number - 1}): {wrong} runs are wrong")
    print("".join(f"{phase:>16}" for phase in ("", *PHASES)))
    for name in SCENARIOS:
        print(f"{name:>16}" + "".join(f"{phases[name, phase]:16}" for phase in PHASES))
    if wrong:
        print(f"    what is left of them: {folder}")
    return wrong


def races(count: int, seed: int) -> int:
    """Let two, then three processes resume runs at the same time; return the number of runs without exactly one owner."""
    del seed  # chance is in the processes
    folder = Path(mkdtemp(prefix="taskrun-races-"))
    winners, problems = race(folder, count)
    print(*problems, sep="\n")
    print(f"{count:,} races for a run: {len(problems)} are wrong; won by each: {sorted(winners.values())}")
    return len(problems)


CHECKS = {"scripts": (scripts, 20_000), "kills": (kills, 150), "races": (races, 1_000)}


def main() -> int:
    """Run the checks that the command line names."""
    parser = argparse.ArgumentParser(description="The checks that take minutes.")
    parser.add_argument("checks", nargs="*", choices=[*CHECKS, []], help="default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, help="how many programs, kills or races")
    arguments = parser.parse_args()
    wrong = 0
    for name in arguments.checks or CHECKS:
        check, count = CHECKS[name]
        started = time.monotonic()
        wrong += check(count if arguments.count is None else arguments.count, arguments.seed)
        print(f"    {name}: {time.monotonic() - started:.0f} s", flush=True)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
