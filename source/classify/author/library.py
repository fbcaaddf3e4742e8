"""The last part of minitorch.py: what notebooks that go on with the library need. made.py puts it there."""
# ---- for notebooks that go on


def extends(more: type) -> type:
    """Put what a class defines into the class that it extends, and return that one.

        @extends
        class MyTensor(MyTensor):
            def double(self): ...

    Without it there were two classes of this name, and the operators in this file would go on making tensors of theirs,
    which has no `double`. With it there is one, and all tensors can do it, those too that exist already.
    """
    (extended,) = more.__bases__
    for name, value in vars(more).items():
        if callable(value) or not name.startswith("__"):  # not what every class has, such as its __doc__
            setattr(extended, name, value)
    return extended


def use(notebook: str) -> None:
    """Take your own library, the answers of your first notebook, in place of this one, if it earns its points.

    Call it before you import anything from here. What is done, or why it is not, is printed.

    Args:
        notebook: where it is, such as "../workshop/workshop.ipynb".
    """
    try:
        from classify.own import library
    except ImportError:  # where notebooks are graded
        print("The library is the kit's: your own is used on your own machine only.")
        return
    names, says = library(notebook)
    globals().update(names)
    print(says)
