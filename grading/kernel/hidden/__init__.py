"""Stands where PyTorch is installed: there is none where learners' notebooks are graded.

It can be imported, as in a notebook, where only what is done with it counts; whatever is asked of it raises.
"""

import sys

WHY = f"{__name__} is not there while your notebook is graded: build it with NumPy"


class HiddenName(AttributeError):  # which libraries expect that look whether they are given a tensor of PyTorch
    minitorch_hidden = True


class HiddenPart(ImportError):
    minitorch_hidden = True


def __getattr__(name: str) -> None:
    raise AttributeError(name) if name.startswith("__") else HiddenName(WHY)


print(WHY, file=sys.stderr)
