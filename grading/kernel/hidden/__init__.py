"""Stands where PyTorch is installed: there is none where learners' notebooks are graded.

It and all its parts can be imported, as in a notebook, where only what is done with them counts; whatever is asked of
them raises.
"""

import sys
import types

WHY = f"{__name__.partition('.')[0]} is not there while your notebook is graded: build it with NumPy"
__version__ = "hidden"


class HiddenName(AttributeError):  # which libraries expect that look whether they are given a tensor of PyTorch
    minitorch_hidden = True


class Part(types.ModuleType):
    """A module, or what would be a class or function of one, imported by name."""

    def __getattr__(self, name: str) -> None:
        raise AttributeError(name) if name.startswith("__") else HiddenName(WHY)

    def __call__(self, *args: object, **kwargs: object) -> None:
        raise HiddenName(WHY)


sys.modules[__name__].__class__ = Part
if "." not in __name__:
    print(WHY, file=sys.stderr)
