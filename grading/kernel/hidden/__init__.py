"""Stands where PyTorch is installed: there is none where learners' notebooks are graded."""


class HiddenLibrary(ImportError):
    minitorch_hidden = True


raise HiddenLibrary(f"{__name__} is not there while your notebook is graded: build it with NumPy")
