"""How what a learner's tensors hold is read."""

from __future__ import annotations

import functools

from checks import observe
from checks.observe import Kind

TENSOR = Kind(
    "MyTensor",
    mistake="array-not-tensor",
    holds="data",
    marks="backward",
    doubts={"grad": ", or no gradient reaches it"},
)
array_of = functools.partial(observe.array_of, kind=TENSOR)
observed = functools.partial(observe.observed, of=TENSOR)
compare = functools.partial(observe.compare, kind=TENSOR)
is_bare = functools.partial(observe.is_bare, kind=TENSOR)
