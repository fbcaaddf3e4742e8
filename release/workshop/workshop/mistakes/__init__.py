"""The mistakes that learners make: what each one computes, and the words for it. Every mistake is listed here, once.

`known(...)` adds a mistake; its ways are changes (changes.py) to a Library (imitation.py) that make it. Of a mistake
without ways they are generated from what was observed (slips.py); or it is read from the text of an exception
(exceptions.py), or recognized by the check itself.
"""

# In the notebook's order.
# isort: off
from workshop.mistakes import (
    practice as practice,
    tensor as tensor,
    graph as graph,
    modules as modules,
    layers as layers,
    optimizer as optimizer,
    loss as loss,
    training as training,
    general as general,
)

# isort: on
from workshop.mistakes.known import KNOWN as KNOWN
from workshop.mistakes.known import LAST_TRIED as LAST_TRIED
from workshop.mistakes.places import hints_at as hints_at
from workshop.mistakes.styles import BUFFERS as BUFFERS
from workshop.mistakes.styles import STYLES as STYLES
