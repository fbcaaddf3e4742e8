"""The mistakes that learners make: what each one computes, and the words for it. Every mistake is listed here, once."""

# In the notebook's order.
# isort: off
from classify.mistakes import (
    general as general,
    functions as functions,
    cross_entropy as cross_entropy,
    optimizers as optimizers,
    modes as modes,
    networks as networks,
)

# isort: on
from classify.mistakes.known import KNOWN as KNOWN
from classify.mistakes.known import LAST_TRIED as LAST_TRIED
from classify.mistakes.styles import STYLES as STYLES
