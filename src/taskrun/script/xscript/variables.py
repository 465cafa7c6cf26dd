"""Variables of an XScript: finds out whether each belongs to the scope of the step or to a block of the script.

Rules: a variable that is declared outside of blocks, or assigned without a declaration, belongs to the scope, so that
the outputs of the step can read it. A variable that a block or function declares is local. It gets an internal name
that no other declaration has, such as ``x@3``; this makes shadowing and closures work in Python, which has no blocks.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from taskrun.script.ir import LocalName, ScopeName

LOAD = ast.Load()
STORE = ast.Store()


@dataclass(slots=True)
class BlockNames:
    """Names that one block of an XScript declares.

    Attributes:
        function: The number of functions around the block.
        names: The internal name, such as ``x@3``, of each declared name.
        constants: The names that were declared with ``const``.
    """

    function: int
    names: dict[str, str] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)


class XScriptVariables:
    """Variables that are known at the current position of the translation: those of enclosing blocks and of the scope.

    Attributes:
        blocks: The enclosing blocks, the innermost last.
        functions: For each enclosing function, the internal names of outer variables that it assigns.
        constants: The constants that are declared outside of blocks.
        reads: The variables of the scope that the script reads, except those that it assigns earlier in its text.
        stores: The variables of the scope that the script assigns.
    """

    def __init__(self) -> None:
        self.blocks: list[BlockNames] = []
        self.functions: list[set[str]] = []  # per enclosing function: names of outer blocks that it assigns
        self.constants: set[str] = set()  # constants declared outside of blocks
        self.reads: set[str] = set()
        self.stores: set[str] = set()
        self._count = 0

    def unique_name(self, name: str) -> str:
        """Return an internal name that no other variable has, such as ``x@3`` for ``x``."""
        self._count += 1
        return f"{name}@{self._count}"

    def open_block(self) -> BlockNames:
        """Enter a block, in which declared names are local.

        Returns the record of the names that the block declares; it is empty at first.
        """
        block = BlockNames(len(self.functions))
        self.blocks.append(block)
        return block

    def close_block(self) -> None:
        """Leave the innermost block: the names that it declares are no longer known."""
        self.blocks.pop()

    def declare(self, name: str, *, constant: bool = False) -> ast.Name:
        """Declare a variable and return the AST node for assigning to it.

        It is local to the innermost block; outside of blocks it is a variable of the scope. ``constant`` is true for
        ``const``.
        """
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
        """Return the innermost block that declares a name, and the internal name of the variable.

        If no block declares it, the variable belongs to the scope; the result is then None and the name itself.
        """
        for block in reversed(self.blocks):
            if name in block.names:
                return block, block.names[name]
        return None, name

    def load_name(self, name: str) -> ast.Name:
        """Return the AST node that reads the variable ``name``.

        A variable of the scope is added to ``reads``, unless it is in ``stores`` already.
        """
        block, internal_name = self.find_declaration(name)
        if block is not None:
            return LocalName(internal_name, LOAD)
        if name not in self.stores:
            self.reads.add(name)
        return ScopeName(internal_name, LOAD)

    def store_name(self, name: str) -> ast.Name:
        """Return the AST node for assigning to the variable ``name``.

        A variable of the scope is added to ``stores``. A variable of an outer function is added to ``functions`` for
        each function between its block and here, because those need a ``nonlocal`` statement.
        """
        block, internal_name = self.find_declaration(name)
        if block is None:
            self.stores.add(name)
            return ScopeName(internal_name, STORE)
        for assigned in self.functions[block.function :]:
            assigned.add(internal_name)
        return LocalName(internal_name, STORE)

    def is_constant(self, name: str) -> bool:
        """Return whether the variable to which a name refers here was declared with ``const``."""
        block, _ = self.find_declaration(name)
        return name in (self.constants if block is None else block.constants)
