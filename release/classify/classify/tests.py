"""The tests of the second notebook: one function for each of its sections.

    tests.test_functions(MyTensor)                   # run the checks, show the report, return the points
    tests.test_functions(MyTensor, seed=7)           # the same random numbers again
    tests.test_functions(MyTensor, until="exp_log")  # the first stage only
    tests.progress()                                 # the points of all sections so far, and what is next

Most checks are a few lines of code that run twice, once with your functions and once with PyTorch: values and
gradients must agree. Where PyTorch is not installed, NumPy computes in its place what was compared with PyTorch's
before.
"""

from __future__ import annotations

from checks.environment import absent as absent
from checks.pictures import live as live
from checks.pictures import show_figure as show_figure
from checks.progress import show_progress
from classify.assignment import ASSIGNMENT
from classify.pictures import draw_dropout as draw_dropout
from classify.pictures import draw_losses as draw_losses
from classify.pictures import draw_mistakes as draw_mistakes
from classify.pictures import draw_softmax as draw_softmax
from classify.pictures import draw_ways as draw_ways
from workshop.pictures import draw_network as draw_network
from workshop.reader import read_digit as read_digit
from workshop.reader import show_digit as show_digit

# In the notebook's order.
# isort: off
from classify.sections.functions import FUNCTIONS as FUNCTIONS
from classify.sections.functions import test_functions as test_functions
from classify.sections.cross_entropy import CROSS_ENTROPY as CROSS_ENTROPY
from classify.sections.cross_entropy import test_cross_entropy as test_cross_entropy
from classify.sections.optimizers import OPTIMIZERS as OPTIMIZERS
from classify.sections.optimizers import test_optimizers as test_optimizers
from classify.sections.modes import MODES as MODES
from classify.sections.modes import test_modes as test_modes
from classify.sections.networks import NETWORKS as NETWORKS
from classify.sections.networks import test_networks as test_networks

# isort: on


def progress() -> None:
    """Show the points of all sections so far, and what is next."""
    show_progress(ASSIGNMENT)
