"""How good `python -m grading similar` is at this assignment: right solutions of many writers, and copies of them.

The share of their own that each two have in common: printed with `pytest -s`.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

import pytest
from answers import AUTHORS, ROOT
from planted import copied

from checks.notebook import code_cells
from grading.fingerprints import Class, Code
from grading.similar import JOIN, LEAST, SHARE

# Names that the notebook asks for: whoever copies must leave them as they are.
ASKED = {
    *("MyTensor", "data", "dtype", "shape", "strides", "size", "requires_grad", "grad", "backward", "backward_op"),
    *("crossOpBack", "Parameter", "tensor", "name", "MyModule", "parameters", "forward", "matmul", "Linear", "ReLU"),
    *("SGD", "zero_grad", "step", "MSELoss", "SuperModel", "train", "self", "base"),
}


def right() -> list[Path]:
    """The right solutions, each once: folders of later corpora link to those of earlier ones."""
    corpus = AUTHORS / "corpus"
    found = [*corpus.glob("blind/*/right/*.py"), *corpus.glob("correct/*.py")]
    return sorted({path.resolve() for path in found})


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in right()]


@pytest.fixture(scope="module")
def course() -> list[Code]:
    places = [ROOT / "release" / "workshop" / "workshop.ipynb", ROOT / "solutions" / "workshop" / "workshop.ipynb"]
    return [Code.read(JOIN.join(cell["source"] for cell in code_cells(path))) for path in places]


def test_no_two_right_solutions_are_taken_for_copies(texts, course):
    pairs = sorted(Class(course, [*map(Code.read, texts)]).pairs(), key=lambda pair: -pair.share)
    names = [f"{path.parent.parent.name}/{path.stem}" for path in right()]
    print(f"\n{len(texts)} right solutions, {len(texts) * (len(texts) - 1) // 2} pairs; the most alike:")
    for pair in pairs[:5]:
        print(f"{pair.share:.0%} of {pair.own}: {names[pair.left]}, {names[pair.right]}")
    assert len(texts) > 40
    assert not [pair for pair in pairs if pair.share >= SHARE and pair.shared >= LEAST]


@pytest.mark.parametrize(
    "names",
    [
        ("MyModule", "Parameter"),
        ("SGD", "MSELoss"),
        ("Linear", "ReLU", "matmul"),
        ("Linear", "ReLU", "SGD", "MSELoss", "SuperModel"),
    ],
)
def test_short_parts_of_right_solutions_are_not_taken_for_copies(texts, course, names):
    """As of a class in which all else is the solution's: many write the same few lines."""
    parts = [_part(text, names) for text in texts]
    pairs = [pair for pair in Class(course, [*map(Code.read, parts)]).pairs() if pair.share >= SHARE]
    print(
        f"\n{', '.join(names)}: {len(pairs)} pairs share {SHARE:.0%}, of {max(pair.shared for pair in pairs)} at most"
    )
    assert not [pair for pair in pairs if pair.shared >= LEAST]


def _part(text: str, names: Collection[str]) -> str:
    """What of a program defines these names."""
    lines = text.split("\n")
    nodes = [node for node in ast.parse(text).body if getattr(node, "name", "") in names]
    return "\n\n".join("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in nodes)


@pytest.mark.parametrize(("altered", "least"), [(0.0, 0.9), (0.15, 0.9), (0.3, 0.9)])
def test_nine_of_ten_copies_are_found(texts, course, altered, least):
    copies = [copied(text, seed, ASKED, altered) for seed, text in enumerate(texts)]
    pairs = [*Class(course, [*map(Code.read, [*texts, *copies])]).pairs(LEAST)]
    shares = {pair.left: pair.share for pair in pairs if pair.right == pair.left + len(texts)}
    found = sum(share >= SHARE for share in shares.values())
    print(f"\n{altered:.0%} of statements altered: {found} of {len(texts)}, the least alike {min(shares.values()):.0%}")
    assert found >= least * len(texts)
