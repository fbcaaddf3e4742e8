"""Programs that have nothing to do with each other, and copies of a program that are to look like work of one's own."""

from __future__ import annotations

import ast
import builtins
import random
from collections.abc import Collection

COMMENTS = ("  # mine", "  # as I see it", "  # first this")


def program(seed: int, functions: int = 12) -> str:
    """Functions of random statements, which can be read and not understood."""
    draw = random.Random(seed)
    return "\n\n\n".join(_function(draw, number) for number in range(functions))


def _function(draw: random.Random, number: int) -> str:
    names = [f"{draw.choice(['row', 'part', 'sum', 'left', 'step', 'old'])}_{place}" for place in range(4)]

    def value(deep: int) -> str:
        if deep == 0 or draw.random() < 0.25:
            return draw.choice([*names, str(draw.randrange(9)), "[]", "None", "'text'"])
        one, other = value(deep - 1), value(deep - 1)
        forms = ("({0} + {1})", "{0} * {1}", "len({0})", "{0}[{1}]", "max({0}, {1})", "({0} if {1} else 0)", "abs({0})")
        return draw.choice(forms).format(one, other)

    def block(deep: int, margin: str) -> list[str]:
        lines = []
        for _ in range(draw.randrange(2, 5)):
            kind = draw.randrange(6 if deep else 3)
            target = draw.choice(names)
            if kind < 3:
                lines.append(f"{margin}{target} {draw.choice(['=', '=', '+=', '-='])} {value(3)}")
            else:
                head = (f"for {target} in {value(2)}:", f"if {value(2)} > {value(1)}:", f"while {value(2)}:")[kind - 3]
                lines += [margin + head, *block(deep - 1, margin + "    ")]
        return lines

    head = f"def function_{number}({', '.join(dict.fromkeys(names))}):"
    return "\n".join([head, *block(2, "    "), f"    return {value(2)}"])


def copied(text: str, seed: int, kept: Collection[str] = (), altered: float = 0.0) -> str:
    """A program with new names, moved functions and methods, and other comments.

    Args:
        kept: names that must stay as they are, as those that tests ask for.
        altered: the share of statements to which one is added, or which are written in two.
    """
    draw, tree = random.Random(seed), ast.parse(text)
    new: dict[str, str] = {}
    for node in ast.walk(tree):
        for name in _bound(node):
            if name not in kept and not name.endswith("__") and name not in dir(builtins):
                new.setdefault(name, f"my_{name}_{draw.randrange(99)}")
    for node in ast.walk(tree):
        for field in ("id", "arg", "attr", "name"):
            if isinstance(found := getattr(node, field, None), str):
                setattr(node, field, new.get(found, found))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef):
            places = [place for place, each in enumerate(node.body) if isinstance(each, ast.FunctionDef)]
            for place, moved in zip(
                places, draw.sample([node.body[place] for place in places], len(places)), strict=True
            ):
                node.body[place] = moved
        for field in ("body", "orelse"):
            if isinstance(body := getattr(node, field, None), list) and body and isinstance(body[0], ast.stmt):
                setattr(node, field, [made for each in body for made in _altered(each, draw, altered)])
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            node.body[0].value.value = "My own words."
    lines = ast.unparse(ast.fix_missing_locations(tree)).split("\n")
    return "\n".join(line + (draw.choice(COMMENTS) if line and draw.random() < 0.2 else "") for line in lines)


def _bound(node: ast.AST) -> list[str]:
    """Names that a part of a program defines."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.FunctionDef(name=name):
            return [name]
        case ast.Attribute(attr=name, ctx=ast.Store()):
            return [name]
    return []


def _altered(statement: ast.stmt, draw: random.Random, share: float) -> list[ast.stmt]:
    if draw.random() >= share:
        return [statement]
    if isinstance(statement, ast.Return) and statement.value is not None:
        named = ast.Assign([ast.Name("result", ast.Store())], statement.value)
        return [named, ast.Return(ast.Name("result", ast.Load()))]
    if isinstance(statement, ast.Assign | ast.AugAssign):
        return [ast.parse("unused = 0").body[0], statement]
    return [statement]
