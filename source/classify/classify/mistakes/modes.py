"""Mistakes with modes: train() and eval(), dropout, no_grad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from classify.imitation import Change, Library, Module, part
from classify.mistakes.known import known

TRAINING = "Modes > Training and evaluation"
DROPOUT = "Modes > Dropout"
NO_GRAD = "Modes > no_grad"
SECTION = "modes"


def mode(change: Callable[[Any, bool], Any]) -> Change:
    return part(set_mode=change)


def own_only(module: Any, training: bool) -> Any:
    module.training = training
    return module


def one_level(module: Any, training: bool) -> Any:
    for each in (module, *(each for _, each in module.current() if isinstance(each, Module))):
        each.training = training
    return module


def first_module(module: Any, training: bool) -> Any:
    module.training = training
    for each in [each for _, each in module.current() if isinstance(each, Module)][:1]:
        first_module(each, training)
    return module


def below_only(module: Any, training: bool) -> Any:
    inner = [each for _, each in module.current() if isinstance(each, Module)]
    for each in inner:
        below_only(each, training)
    if not inner:
        module.training = training
    return module


def one_way(wrong: bool, other: Callable[[Any, bool], Any]) -> Callable[[Any, bool], Any]:
    """As it should be in one of the two methods, and not in the other."""

    def set_mode(module: Any, training: bool) -> Any:
        if training == wrong:
            return other(module, training)
        return Library.set_mode(module.library, module, training)

    return set_mode


known(
    "mode-own-only",
    SECTION,
    "not all modules in a module change their mode with it",
    "Whose forward does the dropping: the network's, or that of a Dropout inside of it?",
    "Set self.training, then call the same method of each module in this one: they do the same with theirs.",
    TRAINING,
    ("only the module itself changes its mode, not those in it", mode(own_only)),
    ("modules in modules keep their mode", mode(one_level)),
    ("only the first module in each one changes its mode", mode(first_module)),
    *(
        (f"{name}() changes the mode of the module itself only", mode(one_way(flag, own_only)))
        for name, flag in (("train", True), ("eval", False))
    ),
    *(
        (f"{name}() does not reach modules in modules", mode(one_way(flag, one_level)))
        for name, flag in (("train", True), ("eval", False))
    ),
)
known(
    "mode-below-only",
    SECTION,
    "a module with others in it keeps its own mode",
    "Who sets `training` of the module itself?",
    "self.training = ..., and then the modules in it.",
    TRAINING,
    mode(below_only),
)
known(
    "mode-other-flag",
    SECTION,
    "train() and eval() set `training` the wrong way, or not at all",
    "After eval(), is training True or False?",
    "train() sets training to True, eval() to False.",
    TRAINING,
    ("train() and eval() are exchanged", mode(lambda module, training: own(module, not training))),
    ("train() sets training to False", mode(lambda module, training: own(module, False))),
    ("eval() sets training to True", mode(lambda module, training: own(module, True))),
    (
        "train() and eval() turn `training` over, whatever it was",
        mode(lambda module, training: own(module, not module.training)),
    ),
    ("a new module is not in training mode", lambda library: library.__dict__.update(first_mode=False)),
)
known(
    "mode-of-all",
    SECTION,
    "`training` is changed in the class: all modules change their mode together",
    "Two networks: does eval() of one change the other?",
    "self.training = ..., not MyModule.training = ...",
    TRAINING,
    lambda library: everybody(library),
)
known(
    "mode-stops-recording",
    SECTION,
    "eval() also switches off what is recorded, or which parameters learn",
    "Which of the two is for that: eval(), or no_grad()?",
    "eval() sets training, and nothing else: gradients have their own switch.",
    TRAINING,
)
known(
    "no-grad-stops-dropout",
    SECTION,
    "no_grad also switches dropout off",
    "Which of the two is for that: eval(), or no_grad()?",
    "no_grad concerns what is recorded, and nothing else: modules keep their mode.",
    NO_GRAD,
)
known(
    "mode-returns-nothing",
    SECTION,
    "train() or eval() does not return the module",
    "What is `model = Model().eval()`, if eval() returns nothing?",
    "End with return self.",
    TRAINING,
)


def own(module: Any, training: bool) -> Any:
    return Library.set_mode(module.library, module, training) if training != module.training else module


def everybody(library: Library) -> None:
    modes = {"now": True}

    def set_mode(module: Any, training: bool) -> Any:
        modes["now"] = training
        return module

    library.set_mode = set_mode
    library.mode_of_all = modes


known(
    "dropout-keeps-p",
    SECTION,
    "p is taken for the share that is kept",
    "Dropout(0.8): how much is left of ten elements?",
    "p is the probability to be dropped: mask = np.random.random(x.shape) >= p.",
    DROPOUT,
)
known(
    "dropout-nothing",
    SECTION,
    "nothing is dropped while training",
    "Which mode has a new module, and what does forward do in it?",
    "if self.training: multiply with a mask of 0 and 1 / (1 - p).",
    DROPOUT,
)
known(
    "dropout-default",
    SECTION,
    "p is not 0.5 if nothing is said",
    "Which number stands in the first line of __init__?",
    "def __init__(self, p=0.5).",
    DROPOUT,
)
known(
    "dropout-unscaled",
    SECTION,
    "what is kept stays as it is, not scaled by 1 / (1 - p)",
    "Half of all are 0 now: what happens to a sum over them? And in eval(), where none is 0?",
    "x * mask / (1 - p): so the mean stays the same.",
    DROPOUT,
)
known(
    "dropout-scaled-down",
    SECTION,
    "what is kept is multiplied by 1 - p, not divided",
    "Fewer elements are left. Should each of them count more, or less?",
    "Divide by 1 - p.",
    DROPOUT,
)
known(
    "dropout-scaled-by-p",
    SECTION,
    "what is kept is scaled by p, not by 1 - p",
    "Dropout(0.8) keeps a fifth. By how much do these have to grow?",
    "By 1 / (1 - p): 1 - p is the share that is kept.",
    DROPOUT,
)
known(
    "dropout-in-eval",
    SECTION,
    "eval() does not switch dropout off",
    "What should a network say to the same picture when it is asked twice?",
    "In eval(), what goes in comes out: if not self.training: return x.",
    DROPOUT,
    ("eval() scales, though nothing is dropped", part(drop=lambda dropout, x: scaled(dropout, x, lambda p: 1 - p))),
    ("eval() scales, though nothing is dropped", part(drop=lambda dropout, x: scaled(dropout, x, lambda p: p))),
    (
        "eval() scales, though nothing is dropped",
        part(drop=lambda dropout, x: scaled(dropout, x, lambda p: 1 / (1 - p))),
    ),
    ("eval() gives zeros", part(drop=lambda dropout, x: scaled(dropout, x, lambda p: 0))),
)
known(
    "dropout-same-mask",
    SECTION,
    "the same elements are dropped in each call",
    "When is the mask drawn: once, in __init__, or in each forward? And does somebody set a seed?",
    "Draw a new mask in forward, without np.random.seed.",
    DROPOUT,
)
known(
    "dropout-one-mask",
    SECTION,
    "rows, columns or all elements are dropped together",
    "How many numbers are drawn for a batch of shape (60, 50)?",
    "One for each element: np.random.random(x.shape).",
    DROPOUT,
)
known(
    "dropout-new-mask",
    SECTION,
    "the gradient goes through another mask than the values",
    "An element was dropped: does y depend on it?",
    "One mask, drawn once in forward, for both: x * MyTensor(mask) does it.",
    DROPOUT,
)
known(
    "dropout-no-mask-back",
    SECTION,
    "the gradient goes through dropout as if nothing had been dropped",
    "An element was dropped: does y depend on it?",
    "Multiply tensors, x * MyTensor(mask): then the gradient meets the mask, too.",
    DROPOUT,
)
known(
    "dropout-unscaled-back",
    SECTION,
    "the gradient of what is kept has another scale than the values",
    "y = x / (1 - p) where x is kept: how fast does y grow with x?",
    "Put the scale into the mask: it then works both ways.",
    DROPOUT,
)


def scaled(dropout: Any, x: Any, factor: Callable[[float], float]) -> Any:
    if dropout.training:
        return Library.drop(dropout.library, dropout, x)
    return dropout.library.binary("mul", x, factor(dropout.p))


def leaving(leave: Callable[[Library, Any, bool], None]) -> Change:
    return lambda library: library.__dict__.update(leave=lambda block, raised: leave(library, block, raised))


known(
    "no-grad-nothing",
    SECTION,
    "inside of no_grad results are recorded all the same",
    "The constructor of MyTensor, which is given, asks no_grad.inside. What is it inside of your block?",
    "__enter__: no_grad.inside += 1. __exit__: no_grad.inside -= 1.",
    NO_GRAD,
    lambda library: library.__dict__.update(needs=lambda op, tensors: Library.__bases__[0].needs(library, op, tensors)),
    (
        "inside of no_grad results forget their operation, and still require a gradient",
        lambda library: half(library, requires=True),
    ),
    (
        "inside of no_grad results require no gradient, and still remember their operation",
        lambda library: half(library, requires=False),
    ),
)
known(
    "no-grad-counts-object",
    SECTION,
    "the block changes an attribute of its own object: no_grad.inside, of the class, stays as it was",
    "self.inside += 1 reads the number of the class, and makes an attribute of this one object. Who asks that one?",
    "The name of the class in place of self: no_grad.inside += 1, and no_grad.inside -= 1 at the end.",
    NO_GRAD,
)
known(
    "no-grad-stays",
    SECTION,
    "after the block nothing is recorded any more",
    "What does __exit__ put back?",
    "__enter__ remembers what was, __exit__ puts it back.",
    NO_GRAD,
    leaving(lambda library, block, raised: None),
)
known(
    "no-grad-at-once",
    SECTION,
    "no_grad() switches recording off when it is made, not when its block begins",
    "Which method does Python call when the block begins?",
    "__enter__ switches recording off; __init__ leaves it alone.",
    NO_GRAD,
    lambda library: at_once(library),
)
known(
    "no-grad-exception",
    SECTION,
    "after an exception in the block nothing is recorded any more",
    "What runs when the block raises: the line after it, or __exit__?",
    "Put it back in __exit__, or after yield in a finally.",
    NO_GRAD,
    leaving(lambda library, block, raised: None if raised else Library.leave(library, block, raised)),
)
known(
    "no-grad-swallows",
    SECTION,
    "an exception in the block is swallowed",
    "What does Python do when __exit__ returns something true?",
    "Return nothing from __exit__.",
    NO_GRAD,
    lambda library: library.__dict__.update(swallows=True),
)
known(
    "no-grad-nested",
    SECTION,
    "the end of an inner block switches recording on, though the outer one goes on",
    "After the inner block: is recording as it was before it?",
    "Put back what was there before, not True.",
    NO_GRAD,
    leaving(lambda library, block, raised: library.__dict__.update(recording=True)),
)
known(
    "no-grad-leaves",
    SECTION,
    "tensors that are made in the block, or are there already, lose their requires_grad",
    "A new tensor is no result of an operation. What did it ask for?",
    "Only results are concerned: MyTensor(..., crossOpBack=...).",
    NO_GRAD,
    lambda library: leaves_off(library),
)


def half(library: Library, requires: bool) -> None:
    """Of a result's two signs only one is switched off."""
    engine = Library.__bases__[0]
    if requires:
        library.needs = lambda op, tensors: engine.needs(library, op, tensors)
        library.records = lambda op, needed: needed and library.recording
    else:
        wanted = {}

        def needs(op: str, tensors: list[Any]) -> bool:
            wanted["now"] = engine.needs(library, op, tensors)
            return library.recording and wanted["now"]

        library.needs = needs
        library.records = lambda op, needed: wanted["now"]


def at_once(library: Library) -> None:
    names = library.names

    def named() -> dict[str, Any]:
        found = names()
        made = found["no_grad"]

        def no_grad() -> Any:
            block = made()
            block.before, library.recording = library.recording, False
            block.__class__ = Begun
            return block

        return {**found, "no_grad": no_grad}

    library.names = named


class Begun:
    """A block that began when it was made."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        self.library.recording = self.before


def leaves_off(library: Library) -> None:
    right = library.tensor

    def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
        return right(data, dtype, requires_grad and library.recording)

    library.tensor = tensor
