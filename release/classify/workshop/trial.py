"""What a check of tensors may do, beside what any check may."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from checks.observe import Failed, compiled
from checks.programs import Program
from checks.trial import Trial, literal
from workshop.reading import observed

SCALAR = Program("t = MyTensor(1.5)", ("t",))


class TensorTrial(Trial):
    """A check at work on tensors: their values and gradients."""

    def look_into(self, expression: str, variables: dict[str, Any], code: str) -> None:
        """Of a gradient: is backward() not written yet, or does it not arrive?"""
        if not expression.endswith(".grad"):
            return
        alone = "leaf = MyTensor(1.5, requires_grad=True)\nleaf.backward(MyTensor(0.5))"
        with contextlib.suppress(Exception):
            with self.clock.learner_code(self.seconds):
                flag = observed(eval(compiled("y.requires_grad", "eval"), variables)) if "y" in variables else True
            if "y" in variables:
                self.observe(code, "y.requires_grad", True, flag, flag is True)
                with self.clock.learner_code(self.seconds):
                    leaf = eval(compiled("y.backward_op is None", "eval"), variables)
                self.observe(code, "y.backward_op is None", False, leaf, leaf is False)
            with self.clock.learner_code(self.seconds):
                leaf = {**self.names}
                exec(compiled(alone, "exec"), leaf)
                got = observed(leaf["leaf"].grad)
            self.observe(alone, "leaf.grad", np.array(0.5), got, got is not None)

    def writeable(self, expression: str, code: str, variables: dict[str, Any]) -> None:
        """A gradient is no read-only view: whoever scales or adds to it writes into it."""
        with self.clock.learner_code(self.seconds):
            array = eval(compiled(expression, "eval"), variables)
            if array is None:
                return
            if not issubclass(type(array), np.ndarray):
                array, expression = array.data, f"{expression}.data"
            self.snippet = f"{code}\n{expression}.flags.writeable"
            if issubclass(type(array), np.ndarray) and not np.ndarray.flags.__get__(array).writeable:
                raise Failed(f"{expression} is read-only", "an array that can be changed", mistake="gradient-read-only")

    def gradients(
        self, code: str, *cases: dict[str, Any], constants: dict[str, Any] | None = None, value: bool = True
    ) -> None:
        """The value of `y` that `code` computes, and the gradients, in every case, the smallest first.

        A case gives each leaf a shape (a tuple) or an array. The upstream gradient is random. Without `value` the
        gradients alone are looked at.
        """
        for case in cases:
            if any(type(shape) is tuple and not shape for shape in case.values()) and not self.right([SCALAR])[0]:
                continue  # that has a check of its own
            arrays = {name: self.draw(*v) if isinstance(v, tuple) else np.asarray(v) for name, v in case.items()}
            lines = [f"{name} = MyTensor({literal(array)}, requires_grad=True)" for name, array in arrays.items()]
            lines += [f"{name} = MyTensor({literal(np.asarray(v))})" for name, v in (constants or {}).items()]
            lines.append(code)
            shape = self.assignment.oracle.values("\n".join(lines), ("y",))["y"].shape
            lines.append(f"y.backward(MyTensor({literal(self.draw(*shape))}))")
            self.same("\n".join(lines), *(["y"] if value else []), *(f"{name}.grad" for name in arrays))
