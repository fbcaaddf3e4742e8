"""How fast is the reference engine, beside PyTorch eager?

    python benchmarks/engine.py                                  # under two minutes
    python benchmarks/engine.py --rounds 9                       # quick and rougher
    python benchmarks/engine.py --notebook my.ipynb              # the engine of another notebook

First table: training steps per second (zero_grad, forward, MSE loss, backward, SGD step) of a network of two linear
layers with a ReLU between them, float32 on both sides, from the same weights. The ratio says how many times faster
than PyTorch the notebook's engine is.

Second table: microseconds for each recorded operation, forward (calculating and recording it) and backward, here and
in PyTorch. When a walk visits every node once, its time for a node is flat: it depends little on how many there are.
Growth is the time for a node of this graph, backward, over that in the smallest graph of its kind. A ladder splits and
joins again at each rung, three operations, so there are 2**10000 paths through the largest.

Third table: steps per second of the optimizers of the second notebook, on all parameters of a network, from the same
gradients, float32 on both sides.

Both sides compute on one thread and are measured in turn, round after round in one run. Times are medians over the
rounds, a ratio is the median of the ratios within each round: trust the ratios, as times depend on the machine and
its load. That of 784-128-10 also depends on where this process's arrays happen to lie in memory (on some processors a
copy is ten times slower between two addresses that are alike modulo 4096), so run it more than once.
Garbage collection stays on, as in a notebook. In long chains it shows in the forward times, where the graph
is made: Python's collector walks through it, but not through PyTorch's, which is not made of Python objects.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ["MPLBACKEND"] = "agg"

import argparse
import gc
import statistics
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from checks.notebook import grade_id, names_of  # noqa: E402

sys.path.append(str(ROOT / "source" / "classify"))  # where minitorch.py is

SOLUTION = ROOT / "solutions" / "workshop" / "workshop.ipynb"
CLASSIFY = ROOT / "solutions" / "classify" / "classify.ipynb"
ENGINE = {"setup", "tensor", "module", "matmul", "layers", "optimizer", "loss"}

NETWORKS = [((2, 8, 1), 1, 2.5), ((64, 32, 10), 32, 2.5), ((784, 128, 10), 64, 1.3)]  # sizes, batch, goal
OPTIMIZERS = {"setup": (), "momentum": ("SGD",), "adam": ("Adam",), "optimizers": ("AdamW",)}  # by cell
SLOWEST = 1.5  # times as long as PyTorch's step, at most
CHAINS = [1_000, 10_000, 100_000]
LADDERS = [1_000, 10_000]
BLOCK_SECONDS = 0.02  # one measurement repeats a step until it lasts about this long


def reference(notebook: Path, cells: Collection[str] = ENGINE) -> SimpleNamespace:
    """The names that the notebook's engine cells define, or others.

    Raises:
        SystemExit: with a sentence, when there is no notebook or one of its cells fails.
    """
    try:
        names, failures = names_of(notebook, wanted=lambda cell: grade_id(cell) in cells)
    except ValueError as error:
        sys.exit(f"{error}\nMake the solution with `make release`, or choose a notebook with --notebook.")
    if failures:
        sys.exit("\n".join(failures))
    return SimpleNamespace(**names)


Step = Callable[[], float]  # one training step; returns its loss


def our_step(engine: SimpleNamespace, weights: list[np.ndarray], x: np.ndarray, target: np.ndarray) -> Step:
    class Network(engine.MyModule):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = engine.Linear(*weights[0].shape)
            self.relu = engine.ReLU()
            self.output = engine.Linear(*weights[1].shape)
            for layer, weight in zip((self.hidden, self.output), weights, strict=True):
                layer.weight = engine.Parameter(engine.MyTensor(weight))
                layer.bias = engine.Parameter(engine.MyTensor(np.zeros_like(weight[0])))

        def forward(self, x: Any) -> Any:
            return self.output(self.relu(self.hidden(x)))

    model, loss_function = Network(), engine.MSELoss()
    optimizer = engine.SGD(model.parameters(), lr=1e-3)
    inputs, targets = engine.MyTensor(x), engine.MyTensor(target)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_function(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return float(loss.data)

    return step


def torch_step(weights: list[np.ndarray], x: np.ndarray, target: np.ndarray) -> Step:
    hidden, output = (torch.nn.Linear(*weight.shape) for weight in weights)
    with torch.no_grad():
        for layer, weight in zip((hidden, output), weights, strict=True):
            layer.weight.copy_(torch.tensor(weight.T))
            layer.bias.zero_()
    model, loss_function = torch.nn.Sequential(hidden, torch.nn.ReLU(), output), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    inputs, targets = torch.tensor(x), torch.tensor(target)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_function(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def block(step: Step, times: int) -> float:
    """Seconds for one step, over that many; a few more before fill the processor's caches."""
    for _ in range(3):
        step()
    start = perf_counter()
    for _ in range(times):
        step()
    return (perf_counter() - start) / times


def network(
    engine: SimpleNamespace, sizes: tuple[int, int, int], batch: int, rounds: int
) -> tuple[float, float, float]:
    """Seconds per training step, ours and PyTorch's, and their ratio."""
    rng = np.random.default_rng(0)
    weights = [
        rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(shape[0] ** 0.5) for shape in (sizes[:2], sizes[1:])
    ]
    x = rng.random((batch, sizes[0]), dtype=np.float32)
    target = rng.random((batch, sizes[2]), dtype=np.float32)
    ours, theirs = our_step(engine, weights, x, target), torch_step(weights, x, target)
    for _ in range(20):  # warms up; and both must train the same network
        a, b = ours(), theirs()
        if not np.isclose(a, b, rtol=1e-3):
            sys.exit(f"the losses of {sizes} differ: {a} here, {b} in PyTorch")
    return paired(ours, theirs, rounds, "-".join(map(str, sizes)))


def paired(ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int, name: str) -> tuple[float, float, float]:
    """Seconds per step, ours and PyTorch's, and how many times faster ours is."""
    times = max(1, round(BLOCK_SECONDS / max(block(ours, 20), block(theirs, 20))))
    our_times, their_times = [], []
    for number in tqdm(range(rounds), desc=name, unit="round", file=sys.stderr, leave=False):
        pair = [(ours, our_times), (theirs, their_times)]
        for step, measured in pair if number % 2 else reversed(pair):  # who goes first changes
            measured.append(block(step, times))
    ratios = [a / b for a, b in zip(their_times, our_times, strict=True)]
    return statistics.median(our_times), statistics.median(their_times), statistics.median(ratios)


def optimizer(names: SimpleNamespace, kind: str, sizes: tuple[int, int, int], rounds: int) -> tuple[float, ...]:
    """Seconds per step of an optimizer on a network's parameters, ours and PyTorch's, and their ratio."""
    rng = np.random.default_rng(0)
    shapes = [sizes[:2], sizes[1:2], sizes[1:], sizes[2:]]
    arrays, gradients = ([rng.normal(size=shape).astype(np.float32) for shape in shapes] for _ in range(2))
    own = [names.Parameter(names.MyTensor(array)) for array in arrays]
    others = [torch.nn.Parameter(torch.tensor(array)) for array in arrays]
    for mine, other, gradient in zip(own, others, gradients, strict=True):
        mine.tensor.grad, other.grad = names.MyTensor(gradient), torch.tensor(gradient)
    settings = {"momentum": 0.9} if kind == "SGD" else {}
    ours = getattr(names, kind)(own, lr=1e-3, **settings).step
    theirs = getattr(torch.optim, kind)(others, lr=1e-3, **settings).step
    for _ in range(20):
        ours()
        theirs()
    for mine, other in zip(own, others, strict=True):
        if not np.allclose(mine.tensor.data, other.detach().numpy(), atol=1e-4):
            sys.exit(f"{kind} takes other steps than PyTorch's")
    return paired(ours, theirs, rounds, kind)


def chain(x: Any, constant: Any, length: int) -> Any:
    y = x
    for _ in range(length):
        y = y + constant
    return y


def ladder(x: Any, half: Any, rungs: int) -> Any:
    y = x
    for _ in range(rungs):
        y = y * half + y * half
    return y


Graph = Callable[[Any, Any, int], Any]


def walk(tensor: Callable[..., Any], graph: Graph, length: int, nodes: int) -> tuple[float, float]:
    """Microseconds for one node, forward and backward; short graphs are built again and again."""
    times = max(1, 10_000 // nodes)
    forward = backward = 0.0
    gc.collect()
    for _ in range(times):
        x, constant = tensor(0.5, requires_grad=True), tensor(0.5)
        start = perf_counter()
        y = graph(x, constant, length)
        middle = perf_counter()
        y.backward()
        backward += perf_counter() - middle
        forward += middle - start
        if float(x.grad.data) != 1.0:
            sys.exit(f"the gradient after {length} is {x.grad}, not 1")
        del y
    return forward / times / nodes * 1e6, backward / times / nodes * 1e6


def walks(engine: SimpleNamespace, rounds: int) -> list[tuple[str, float, list[float]]]:
    """For each graph: name, growth, and microseconds per node [our forward, our backward, PyTorch's, PyTorch's]."""
    graphs: list[tuple[str, Graph, int, int]] = [
        *((f"chain of {n:,} operations", chain, n, n) for n in CHAINS),
        *((f"ladder of {n:,} rungs", ladder, n, 3 * n) for n in LADDERS),
    ]
    measured: list[list[tuple[float, ...]]] = [[] for _ in graphs]
    for _ in tqdm(range(rounds), desc="graphs", unit="round", file=sys.stderr, leave=False):
        for (_, graph, length, nodes), rows in zip(graphs, measured, strict=True):
            rows.append(walk(engine.MyTensor, graph, length, nodes) + walk(torch.tensor, graph, length, nodes))
    table = []
    smallest: dict[Graph, list[tuple[float, ...]]] = {}
    for (name, graph, _, _), rows in zip(graphs, measured, strict=True):
        first = smallest.setdefault(graph, rows)
        growth = statistics.median(here[1] / there[1] for here, there in zip(rows, first, strict=True))
        table.append((name, growth, [statistics.median(column) for column in zip(*rows, strict=True)]))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--notebook", type=Path, default=SOLUTION, help="whose engine to measure")
    parser.add_argument(
        "--rounds", type=int, default=101, help="measurements of each step (default: 101; graphs at most 11)"
    )
    arguments = parser.parse_args()
    rounds = max(1, arguments.rounds)
    torch.set_num_threads(1)
    engine = reference(arguments.notebook)

    print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}, PyTorch {torch.__version__}, one thread,")
    print(f"float32, medians of {rounds} rounds\n")
    print("| network | batch | steps/s, ours | steps/s, PyTorch | ratio | goal |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for sizes, batch, goal in NETWORKS:
        ours, theirs, ratio = network(engine, sizes, batch, rounds)
        name = "-".join(map(str, sizes))
        print(f"| {name} | {batch} | {1 / ours:,.0f} | {1 / theirs:,.0f} | {ratio:.2f} | at least {goal} |")

    print(
        "\n| graph, us for each operation | forward | backward | growth | goal | PyTorch forward | PyTorch backward |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, growth, times in walks(engine, min(rounds, 11)):
        forward, backward, *theirs = (f"{time:.2f}" for time in times)
        print(f"| {name} | {forward} | {backward} | {growth:.2f} | about 1 | {theirs[0]} | {theirs[1]} |")

    print("\n| optimizer, on 64-32-10 | steps/s, ours | steps/s, PyTorch | time, ours to PyTorch's | goal |")
    print("| --- | ---: | ---: | ---: | ---: |")
    names = reference(CLASSIFY, OPTIMIZERS)
    for kind in (kind for cell in OPTIMIZERS.values() for kind in cell):
        ours, theirs, ratio = optimizer(names, kind, (64, 32, 10), rounds)
        print(f"| {kind} | {1 / ours:,.0f} | {1 / theirs:,.0f} | {1 / ratio:.2f} | at most {SLOWEST} |")


if __name__ == "__main__":
    main()
