"""Resolution of the variables of an XScript to the scope of the step, or to the block that declares them.

Rules: a variable that is declared outside of blocks, or assigned without a declaration, belongs to the scope, so that
the outputs of the step can read it. A variable that a block or function declares is local: it gets an internal name
that no other declaration has (``x@3``), so that shadowing and closures work as in Python.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from taskrun.script.ir import LocalName, ScopeName

LOAD = ast.Load()
STORE = ast.Store()


@dataclass(slots=True)
class BlockNames:
    """Names that one block of a script declares.

    ``function`` is the number of functions around the block, ``names`` maps declared to internal names, ``constants``
    are the names that were declared with ``const``.
    """

    function: int
    names: dict[str, str] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)


class XScriptVariables:
    """Variables of an XScript during its translation: the declared ones, and those of the scope.

    ``blocks`` are the enclosing blocks at the current position, innermost last. ``reads`` and ``stores`` collect the
    variables of the scope that the script reads and assigns.
    """

    def __init__(self) -> None:
        self.blocks: list[BlockNames] = []
        self.functions: list[set[str]] = []  # per enclosing function: names of outer blocks that it assigns
        self.constants: set[str] = set()  # constants declared outside of blocks
        self.reads: set[str] = set()
        self.stores: set[str] = set()
        self._count = 0

    def unique_name(self, name: str) -> str:
        """Return an internal name that no other variable has, such as ``x@3``."""
        self._count += 1
        return f"{name}@{self._count}"

    def open_block(self) -> BlockNames:
        """Enter a block, in which declared names are local; return its declarations, which are empty."""
        block = BlockNames(len(self.functions))
        self.blocks.append(block)
        return block

    def close_block(self) -> None:
        """Leave the innermost block, with its declarations."""
        self.blocks.pop()

    def declare(self, name: str, *, constant: bool = False) -> ast.Name:
        """Declare a name in the innermost block, or outside of blocks in the scope; return its assignment target."""
        if not self.blocks:
            if constant:
                self.constants.add(name)
            self.stores.add(name)
            return ScopeName(name, STORE)
        block = self.blocks[-1]
        internal_name = block.names.get(name) or self.unique_name(name)
        block.names[name] = internal_name
        if constant:
            block.constants.add(name)
        return LocalName(internal_name, STORE)

    def find_declaration(self, name: str) -> tuple[BlockNames | None, str]:
        """Return the innermost block that declares a name, and the internal name.

        For a name that no block declares, which belongs to the scope, return None and the name.
        """
        for block in reversed(self.blocks):
            if name in block.names:
                return block, block.names[name]
        return None, name

    def load_name(self, name: str) -> ast.Name:
        """Return the AST node that reads a variable; a variable of the scope is added to ``reads``."""
        block, internal_name = self.find_declaration(name)
        if block is not None:
            return LocalName(internal_name, LOAD)
        if name not in self.stores:
            self.reads.add(name)
        return ScopeName(internal_name, LOAD)

    def store_name(self, name: str) -> ast.Name:
        """Return the AST node of an assignment target; a variable of the scope is added to ``stores``."""
        block, internal_name = self.find_declaration(name)
        if block is None:
            self.stores.add(name)
            return ScopeName(internal_name, STORE)
        for assigned in self.functions[block.function :]:
            assigned.add(internal_name)
        return LocalName(internal_name, STORE)

    def is_constant(self, name: str) -> bool:
        """Return whether a name was declared with ``const``."""
        block, _ = self.find_declaration(name)
        return name in (self.constants if block is None else block.constants)
