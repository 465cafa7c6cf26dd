"""A program that runs flows: beans, an observer, several runs at once in one event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from taskrun import TaskManager
from taskrun.core.events import Event, StepSkipped

FLOW = Path(__file__).with_name("stock.task.xml")


class Warehouse:
    """The bean that the flow calls; ``async`` methods are awaited, others run in threads."""

    def __init__(self) -> None:
        self.shelves = {"pen": 3}

    def stock(self, article: str) -> int:
        """Return how many are there."""
        return self.shelves.get(article, 0)

    async def order(self, article: str, count: int) -> int:
        """Order some and return how many."""
        self.shelves[article] = count
        return count


async def main() -> None:
    """Ask for two articles at once."""
    skipped: list[str] = []

    def observe(event: Event) -> None:
        if isinstance(event, StepSkipped):
            skipped.append(f"{event.path}: {event.reason}")

    manager = TaskManager(beans={"warehouse": Warehouse()}, observers=[observe])
    flow = manager.load(FLOW)
    pen, cup = await asyncio.gather(
        manager.run_async(flow, {"article": "pen"}), manager.run_async(flow, {"article": "cup"})
    )
    print("pen:", dict(pen))
    print("cup:", dict(cup))
    print("skipped:", *skipped)


if __name__ == "__main__":
    asyncio.run(main())
