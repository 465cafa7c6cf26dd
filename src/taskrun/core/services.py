"""Services: the objects that all runs of a TaskManager share.

Rules: runs share nothing but these objects. Each started flow has its own ``search_path``, whose first folder is that
of the flow; the other services are the same for all runs.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taskrun.core.beans import Beans, Imports
from taskrun.core.limits import Limiters
from taskrun.core.workers import Processes, Threads
from taskrun.syntax.search_path import SearchPath

if TYPE_CHECKING:
    from taskrun.core.events import Observer
    from taskrun.core.flow import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What all runs of a TaskManager share: beans, worker threads and processes, limiters, observers, compiled flows.

    ``load`` returns the compiled flow of a file. ``compile_text`` compiles a flow from a file path and the text that a
    run has recorded. ``log`` receives each event for the log. ``random`` returns a number from 0 to 1, by which retries
    vary their delays.
    """

    load: Callable[[str], Flow]
    compile_text: Callable[[str, str], Flow]
    beans: Beans
    imports: Imports
    search_path: SearchPath
    observers: tuple[Observer, ...] = ()
    log: Observer
    random: Callable[[], float] = random.random
    limiters: Limiters = field(default_factory=Limiters)
    threads: Threads = field(default_factory=Threads)
    processes: Processes = field(default_factory=Processes)
    check_mutation: bool = False
    """Whether a step fails if it changes the value of an input in place, for example by appending to a list."""
