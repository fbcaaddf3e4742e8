"""Stands for the workshop's tests in a learner's kernel: the judge runs the real ones outside."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)

    def graded_outside(*args: Any, **kwargs: Any) -> None:
        if name.startswith("test_"):  # the others only show something
            print(f"tests.{name}: while grading, tests run in their own cells only.")

    return graded_outside
