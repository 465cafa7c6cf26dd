"""Where the variables of an XScript live: in the flow's scope, or in the function and block that declares them.

Rules: what the program declares outside of blocks, and what is assigned without a declaration, is a variable of the
scope, so that the step's outputs see it. What a block or function declares is its own: it gets a name that no other
declaration has (``x@3``), which makes shadowing and closures those of Python.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from taskrun.script.ir import LocalName, ScopeName

LOAD = ast.Load()
STORE = ast.Store()


@dataclass(slots=True)
class Block:
    """The names that a block declares: what each is called in the tree, whether it is constant, and its function."""

    function: int
    names: dict[str, str] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)


class Variables:
    """The variables around the place that is being translated, innermost block last."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.functions: list[set[str]] = []  # what each function around assigns of those around it
        self.constants: set[str] = set()  # of the program
        self.reads: set[str] = set()
        self.stores: set[str] = set()
        self._count = 0

    def fresh(self, name: str) -> str:
        """Return a name that nothing else has."""
        self._count += 1
        return f"{name}@{self._count}"

    def open(self) -> Block:
        """Begin a block."""
        block = Block(len(self.functions))
        self.blocks.append(block)
        return block

    def close(self) -> None:
        """End a block."""
        self.blocks.pop()

    def declare(self, name: str, *, constant: bool = False) -> ast.Name:
        """Declare a name in the innermost block and return the target to assign."""
        if not self.blocks:
            if constant:
                self.constants.add(name)
            self.stores.add(name)
            return ScopeName(name, STORE)
        block = self.blocks[-1]
        own = block.names.get(name) or self.fresh(name)
        block.names[name] = own
        if constant:
            block.constants.add(name)
        return LocalName(own, STORE)

    def find(self, name: str) -> tuple[Block | None, str]:
        """Return the block that declares a name, and what it is called there; None for one of the scope."""
        for block in reversed(self.blocks):
            if name in block.names:
                return block, block.names[name]
        return None, name

    def read(self, name: str) -> ast.Name:
        """Return the reading of a name."""
        block, own = self.find(name)
        if block is not None:
            return LocalName(own, LOAD)
        if name not in self.stores:
            self.reads.add(name)
        return ScopeName(own, LOAD)

    def target(self, name: str) -> ast.Name:
        """Return the target of an assignment to a name."""
        block, own = self.find(name)
        if block is None:
            self.stores.add(name)
            return ScopeName(own, STORE)
        for assigned in self.functions[block.function :]:
            assigned.add(own)
        return LocalName(own, STORE)

    def is_constant(self, name: str) -> bool:
        """Whether a name must not be assigned again."""
        block, _ = self.find(name)
        return name in (self.constants if block is None else block.constants)
