"""What the framework has to know of this assignment."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from checks.assignment import Assignment, Told
from checks.evidence import Inference, Observation
from checks.experiments import Experiment, operation_of
from checks.mistakes import Mistake, Style, Way
from checks.observe import Missing
from checks.report import Drawing
from checks.trial import Trial
from workshop import experiments, oracle, reading, slips
from workshop.exceptions import MEANINGS
from workshop.imitation import Library
from workshop.mistakes import BUFFERS, KNOWN, LAST_TRIED, STYLES, hints_at
from workshop.oracle import ORACLE, load
from workshop.trial import TensorTrial

DRAWN = {"matmul", "relu", "ReLU", "sum", "MSELoss"}  # what can be drawn, beside the operators


class Workshop(Assignment):
    """Tensors that remember how they were computed, and what is built of them."""

    trial = TensorTrial
    ahead = ("data", "grad", "tensor")

    def __init__(self) -> None:
        super().__init__(
            "Workshop",
            __file__,
            reference=ORACLE,
            mistakes=KNOWN,
            meanings=MEANINGS,
            result=reading.TENSOR,
            last_tried=LAST_TRIED,
        )

    def get_ready(self, without_torch: bool = False) -> None:
        """PyTorch, with what it imports at its first gradient; in one thread, as grading uses all processors itself."""
        super().get_ready(without_torch)
        if not without_torch:
            load().set_num_threads(1)
        oracle.linear(*(np.ones(shape) for shape in [(1, 1), (1, 1), 1, (1, 1)]))

    def imitation(self, given: Any = None) -> Library:
        return Library(given)

    def generated(self, section: str, seen: Sequence[Observation]) -> Iterable[Way]:
        return slips.ways(section, seen)

    def where_shapes_tell_nothing(self, section: str, seen: Sequence[Observation]) -> Sequence[Way]:
        """A wrong product that fits every shape of square matrices, whatever is done to it where it does not fit."""
        return [way for way in slips.square(seen) if section in way.mistake.sections]

    def styles(self, failed: Mapping[str, Trial]) -> list[Style]:
        divided = next((trial for trial in failed.values() if " / " in (trial.first.snippet or "")), None)
        if divided and not experiments.may_divide_by_power(divided):
            return [style for style in STYLES if not style.sure]
        return STYLES

    def buffers(self) -> list[Way]:
        return BUFFERS

    def roots_first(self, failed: Mapping[str, Trial], inference: Inference) -> list[str]:
        return experiments.roots_first(dict(failed), inference)

    def experiments(self, codes: Sequence[str], names: Mapping[str, Any]) -> Iterable[Experiment]:
        return experiments.of(codes, names)

    def recognized(self, trial: Trial, inference: Inference) -> Told | None:
        for mistake, is_so in (
            ("number-not-wrapped", experiments.number_not_wrapped(trial)),
            ("rule-of-tensors", experiments.rule_of_tensors(trial, inference)),
        ):
            if is_so:
                return Told(self.mistakes[mistake].title, mistake)
        operation = experiments.rule_without_result(trial, inference)
        return Told(f"the rule of {operation} gives None", "rule-returns-none") if operation else None

    def not_there(self, trial: Trial, missing: Missing, inference: Inference) -> Told | None:
        if without := experiments.without_effect(trial):
            return Told(self.mistakes[without].title, without)
        operation = operation_of(missing.nothing or "", trial.snippet or "")
        if operation and experiments.only_given(trial, operation):
            says = f"{operation} is None: what its given method calls is not written yet, or has no return"
            hint = "self.__binary(...) computes for all operators. What does it return?"
            return Told(says, hints=(hint,), missing=True)
        if (missing.nothing or "").endswith(".grad"):
            arrived = any(one.see.endswith(".grad") and isinstance(one.got, np.ndarray) for one in inference.observed())
            says = f"no gradient reaches {missing.nothing[:-5]}"
            return Told(says, hints=trial.check.hints) if arrived else None
        return None

    def hints(self, mistake: Mistake, section: str, stage: str | None) -> Sequence[str]:
        return hints_at(mistake, stage or section)

    def drawing(self, snippet: str) -> Drawing | None:
        call = call_to_draw(snippet)
        if call and self.oracle.alone:  # there is no PyTorch to draw beside it
            call = "tests.draw_graph(y)"
        beside = " beside PyTorch's" if call and "beside=" in call else ""
        return Drawing(f"Then draw its graph{beside}:", call) if call else None


ASSIGNMENT = Workshop()


def call_to_draw(snippet: str) -> str | None:
    """The call that draws the graph of a snippet's y, beside PyTorch's if PyTorch can run it.

    Only of a snippet in which the drawing shows what failed: each name is assigned once, y goes backward, all runs to
    its end, and y or a gradient that it hands on is looked at. Nothing of loops: there is no expression to draw.
    """
    try:
        *made, walk, looked = ast.parse(snippet).body
    except (SyntaxError, ValueError):  # ValueError: it is too short
        return None
    steps = {ast.unparse(line.targets): ast.unparse(line.value) for line in made if isinstance(line, ast.Assign)}
    leaves = {name: value for name, value in steps.items() if value.startswith("MyTensor(")}
    results = {name: value for name, value in steps.items() if name not in leaves}
    base = re.fullmatch(r"y\.backward\((?:MyTensor\((.*)\)|(\w*))\)", ast.unparse(walk))
    traced = {f"{name}.grad" for name, value in leaves.items() if "requires_grad=True" in value}
    seen = ast.unparse(looked)
    shows = seen == "y" or seen in traced or ".grad for " in seen
    if not (shows and base and "y" in results and len(steps) == len(made)):
        return None
    names = {node.id for value in results.values() for node in ast.walk(ast.parse(value)) if isinstance(node, ast.Name)}
    if not names <= {*steps, *DRAWN} or [*results][-1] != "y":
        return "tests.draw_graph(y)"
    code = "; ".join(f"{name} = {value}" for name, value in results.items()) if len(results) > 1 else results["y"]
    upstream = base[1] or base[2]
    return f"tests.draw_graph(y, beside={code!r}{f', base={upstream}' if upstream else ''})"
