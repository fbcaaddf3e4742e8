"""minitorch.py is the first notebook's solution, and what notebooks need that go on with it."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

sys.dont_write_bytecode = True
AUTHORS = Path(__file__).resolve().parent
ROOT = AUTHORS.parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "source" / "workshop"), str(AUTHORS.parent), str(AUTHORS)]

import made as making  # noqa: E402

from checks.notebook import code_cells, grade_id  # noqa: E402


@pytest.fixture
def library() -> ModuleType:
    """A copy of its own: tests extend its classes."""
    spec = importlib.util.spec_from_file_location("minitorch_tested", AUTHORS.parent / "minitorch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_holds_the_solution_cell_by_cell_and_is_in_sync():
    made = making.made(ROOT / "source")
    for name, content in made.items():
        assert (AUTHORS.parent / name).read_bytes() == content
    module = made["minitorch.py"].decode()
    path = ROOT / "solutions" / "workshop" / "workshop.ipynb"
    cells = {grade_id(cell): cell["source"] for cell in code_cells(path)}
    for name in making.CELLS:
        lines = [line for line in cells[name].split("\n") if "### " not in line]
        assert "\n".join(lines).strip() in module
    assert "SOLUTION" not in module and "import tests" not in module


def test_it_computes_what_the_first_notebooks_solution_computes(library):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    arrays = {name: rng.normal(size=shape) for name, shape in (("x", (5, 4)), ("w", (4, 3)), ("b", (3,)))}
    own = {name: library.MyTensor(array, requires_grad=True) for name, array in arrays.items()}
    others = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    y = library.sum(library.relu(library.matmul(own["x"], own["w"]) + own["b"]) ** 2 / 3)
    z = (torch.relu(others["x"] @ others["w"] + others["b"]) ** 2 / 3).sum()
    y.backward()
    z.backward()
    assert np.isclose(y.data, z.item())
    for name in arrays:
        assert np.allclose(own[name].grad.data, others[name].grad)


def test_an_array_may_be_among_the_inputs_of_an_operation(library):
    def rule(base, x, places):
        gradient = np.zeros(x.shape)
        np.add.at(gradient, places, base)
        return gradient, None

    x = library.MyTensor([1.0, 2.0, 3.0], requires_grad=True)
    places = np.array([2, 0, 2])
    op = library.MyCrossBackward(x, places, backward_function=rule, name="PickBackward")
    library.MyTensor(x.data[places], requires_grad=True, crossOpBack=op).backward()
    assert x.grad.data.tolist() == [1.0, 0.0, 2.0]


def test_a_class_that_is_extended_stays_the_one_that_operators_make(library):
    MyTensor, MyModule = library.MyTensor, library.MyModule
    before = MyTensor([1.0]) * 2

    @library.extends
    class MyTensor(MyTensor):
        """Says nothing else of it."""

        def double(self):
            return self * 2

    @library.extends
    class MyModule(MyModule):
        training = True

        def below(self):
            return list(self.__sub_modules)

    assert MyTensor is library.MyTensor and MyModule is library.MyModule
    assert before.double().double().data.tolist() == [8.0]
    assert "n-dimensional" in MyTensor.__doc__ and MyTensor.__module__ == library.__name__
    outer = library.MyModule()
    outer.inner = library.Linear(2, 3)
    assert outer.below() == ["inner"] and outer.inner.training


def used(library: ModuleType, path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    library.use(str(path))
    return capsys.readouterr().out.strip()


def test_a_learners_own_library_takes_its_place_if_it_earns_its_points(library, capsys):
    kits = library.MyTensor
    handed_in = ROOT / "examples" / "submitted"
    for learner, why in (
        ("half_way", r"stays the kit's: Matrix multiplication has 0 of \d+ points; .*Training has 0 of \d+ points\.$"),
        ("nobody", r"stays the kit's: there is no file .*\.$"),
    ):
        path = handed_in / learner / "workshop" / "workshop.ipynb"
        assert re.search(why, used(library, path, capsys))
        assert library.MyTensor is kits
    path = ROOT / "solutions" / "workshop" / "workshop.ipynb"
    assert used(library, path, capsys) == f"From now on minitorch is your own library, from {path}."
    assert library.MyTensor is not kits and library.Linear is not None
    y = library.matmul(library.MyTensor([[1.0, 2.0]], requires_grad=True), library.MyTensor([[1.0], [1.0]]))
    assert type(y) is library.MyTensor and y.requires_grad


def test_a_library_that_records_otherwise_or_turns_weights_around_is_not_taken(library):
    from classify.own import _records_otherwise, _turned

    names = {"MyCrossBackward": lambda *_, **__: None}
    names["MyTensor"] = lambda data, **_: np.array(data)
    assert "records operations in a way of its own" in _records_otherwise(names)
    turned = {"Linear": lambda inputs, outputs: library.Linear(outputs, inputs)}
    assert _turned(turned) == "the first parameter of its Linear(2, 3) has shape (3, 2), not (2, 3)"


def test_while_grading_it_says_that_the_library_is_the_kits(library, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "classify.own", None)
    assert used(library, Path("mine.ipynb"), capsys).startswith("The library is the kit's")
