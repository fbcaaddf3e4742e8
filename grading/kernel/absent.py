"""Packages that are not installed where notebooks are graded, and what a cell gets that imports one.

An import at the top of a cell that nothing uses costs nothing: its names stand for what is not there, and raise when
they are used what the import would have raised. Imports inside `try`, `if`, `with`, functions and classes are left as
they are: who asks whether a package is there gets the answer no.
"""

from __future__ import annotations

import ast
import sys
from typing import Any, NoReturn


class Absent:
    """A package that is not installed, or something of one.

    Args:
        package: its name.
    """

    def __init__(self, package: str) -> None:
        self.__dict__["package"] = package

    def _used(self, *_: Any, **__: Any) -> NoReturn:
        package = self.__dict__["package"]
        raise ModuleNotFoundError(f"No module named {package!r} where notebooks are graded", name=package)

    __call__ = __getitem__ = __iter__ = __setattr__ = __mro_entries__ = __enter__ = _used

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # Python and libraries look what an object can do
            raise AttributeError(name)
        self._used()


def missing(package: str) -> type[BaseException] | tuple[()]:
    """For `except`: whether an import has just failed because this package is not there."""
    error = sys.exc_info()[1]
    is_this = type(error) is ModuleNotFoundError and error.name == package
    return ModuleNotFoundError if is_this else ()


def stand_in(package: str) -> Absent:
    """What the names of an import stand for that has just failed; it says so."""
    print(f"No module named {package!r} where notebooks are graded: what uses it fails.", file=sys.stderr)
    return Absent(package)


class Imports(ast.NodeTransformer):
    """Has imports at the top of a cell give stand-ins for what is not there; for IPython's `ast_transformers`."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [new for line in node.body for new in self._guarded(line)]
        return node

    def _guarded(self, line: ast.stmt) -> list[ast.stmt]:
        if isinstance(line, ast.Import):
            parts = [(ast.copy_location(ast.Import([alias]), line), alias) for alias in line.names]
            return [_guard(part, alias.name, [alias.asname or _package(alias.name)]) for part, alias in parts]
        if isinstance(line, ast.ImportFrom) and line.level == 0 and line.module != "__future__":
            names = [alias.asname or alias.name for alias in line.names]
            return [line if names == ["*"] else _guard(line, line.module, names)]
        return [line]


def _guard(line: ast.stmt, module: str, names: list[str]) -> ast.stmt:
    """An import that gives its names stand-ins where the package is not there."""
    here, package = f"__import__({__name__!r})", _package(module)
    text = f"try: pass\nexcept {here}.missing({package!r}): {' = '.join(names)} = {here}.stand_in({package!r})"
    (made,) = ast.parse(text).body
    for part in ast.walk(made):
        if hasattr(part, "lineno"):
            ast.copy_location(part, line)
    made.body = [line]
    return made


def _package(module: str) -> str:
    return module.partition(".")[0]
