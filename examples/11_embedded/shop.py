"""Run a flow inside a Python program, with a bean, an observer, and two concurrent runs in one event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from taskrun import TaskManager
from taskrun.events import Event, StepSkipped

FLOW = Path(__file__).with_name("stock.task.xml")


class Warehouse:
    """Bean that the flow calls. Its ``async`` methods are awaited, the others run in worker threads."""

    def __init__(self) -> None:
        self.shelves = {"pen": 3}

    def stock(self, article: str) -> int:
        """Return the number of articles in stock."""
        return self.shelves.get(article, 0)

    async def order(self, article: str, count: int) -> int:
        """Order articles and return the number ordered."""
        self.shelves[article] = count
        return count


async def main() -> None:
    """Run the flow for two articles concurrently."""
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
