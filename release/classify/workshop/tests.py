"""The tests of the Minitorch workshop: one function for each section of the notebook.

    tests.test_tensor_class(MyTensor)            # run the checks, show the report, return the points
    tests.test_tensor_class(MyTensor, seed=7)    # the same random numbers again
    pytest tests.py --notebook workshop.ipynb    # all sections of a notebook, from a terminal
    tests.progress()                             # the points of all sections so far, and what is next
    tests.draw_graph(y)                          # the graph that a tensor remembers

The checks of a section stand in the order in which to write the code. Most are a few lines of code that run twice,
once with your classes and once with PyTorch: the values and gradients must agree. Where PyTorch is not installed,
NumPy computes in its place what was compared with PyTorch's before.
"""

from __future__ import annotations

from checks.environment import absent as absent
from checks.pictures import live as live
from checks.pictures import live_regions as live_regions
from checks.pictures import show_figure as show_figure
from checks.progress import show_progress
from workshop.assignment import ASSIGNMENT
from workshop.drawing import draw_graph as draw_graph
from workshop.drawing import draw_weights as draw_weights
from workshop.drawing import walk_graph as walk_graph
from workshop.pictures import draw_broadcast as draw_broadcast
from workshop.pictures import draw_descent as draw_descent
from workshop.pictures import draw_network as draw_network
from workshop.pictures import draw_plane as draw_plane
from workshop.reader import read_digit as read_digit

# In the notebook's order.
# isort: off
from workshop.sections.practice import ANSWER as ANSWER
from workshop.sections.practice import NUMERIC as NUMERIC
from workshop.sections.practice import STRIDES as STRIDES
from workshop.sections.practice import test_answer as test_answer
from workshop.sections.practice import test_numeric as test_numeric
from workshop.sections.practice import test_strides as test_strides
from workshop.sections.rules import RULES as RULES
from workshop.sections.rules import UNBROADCAST as UNBROADCAST
from workshop.sections.rules import test_rules as test_rules
from workshop.sections.rules import test_unbroadcast as test_unbroadcast
from workshop.sections.tensor import TENSOR as TENSOR
from workshop.sections.tensor import test_tensor_class as test_tensor_class
from workshop.sections.modules import MODULE as MODULE
from workshop.sections.modules import test_my_module as test_my_module
from workshop.sections.layers import MATMUL as MATMUL
from workshop.sections.layers import LINEAR as LINEAR
from workshop.sections.layers import RELU as RELU
from workshop.sections.layers import test_matmul as test_matmul
from workshop.sections.layers import test_linear as test_linear
from workshop.sections.layers import test_relu as test_relu
from workshop.sections.optimizer import OPTIMIZER as OPTIMIZER
from workshop.sections.optimizer import test_sgd as test_sgd
from workshop.sections.loss import LOSS as LOSS
from workshop.sections.loss import test_mseloss as test_mseloss
from workshop.sections.training import TRAIN as TRAIN
from workshop.sections.training import test_train as test_train
from workshop.sections.model import MODEL as MODEL
from workshop.sections.model import test_model as test_model

# isort: on


def progress() -> None:
    """Show the points of all sections so far, and what is next."""
    show_progress(ASSIGNMENT)
