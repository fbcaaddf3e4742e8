"""No mistakes: how operations may be made of others, so that a mistake in these shows in them, too."""

from __future__ import annotations

from checks.mistakes import Mistake, Style, Way
from workshop.changes import into_buffers

# What may be made of what, without any mistake: then a mistake in one operation shows in the other, too.
NEG = ("neg", lambda library, a: library.binary("mul", a, -1))
SUB = ("sub", lambda library, a, b: library.apply("add", a, library.apply("neg", b)))
DIV = ("div", lambda library, a, b: library.apply("mul", a, library.apply("pow", b, -1)))
STYLE = Mistake("", (), "", ())
STYLES: list[Style] = [  # each with a pattern of the code that it makes a difference to
    # Only of a quotient it can be seen: it rounds otherwise than a product with a power.
    Style(STYLE, code, lambda library, built=built: library.built.update(built), sure=built[0] is DIV)
    for code, *built in (
        (r"[-=+*/(] ?-[a-z(]", NEG),
        (r"[-=+*/(] ?-[a-z(]", ("neg", lambda library, a: library.reflected("mul", a, -1))),
        (r"[-=+*/(] ?-[a-z(]", ("neg", lambda library, a: library.reflected("sub", a, 0))),
        (r"\w - \w", SUB),
        (r"\w - \w", NEG, SUB),
        (r"\w - \w", ("sub", lambda library, a, b: library.apply("add", a, library.binary("mul", b, -1)))),
        (r"\w / \w", DIV),
        (
            r"layer\(",
            ("linear", lambda library, x, w, b: library.apply("add", library.apply("matmul", x, w), b)),
        ),
    )
]
# How the gradients of an engine may be added up, where one of another shape raises an exception.
BUFFERS = [Way(STYLE, "", into_buffers(stretches)) for stretches in (True, False)]
