"""The pictures of this notebook: of right, half-written and wrong work."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.dont_write_bytecode = True
AUTHORS = Path(__file__).resolve().parent
ROOT = AUTHORS.parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "source" / "workshop"), str(AUTHORS.parent), str(AUTHORS)]

from classify_proof import solution  # noqa: E402
from displayed import fit_for_every_front_end  # noqa: E402

from checks import svg  # noqa: E402
from classify import pictures  # noqa: E402
from workshop import reader  # noqa: E402


@pytest.fixture(scope="module", name="of")
def the_names() -> dict[str, Any]:
    """What the notebook's solution defines."""
    return solution("reference")


@pytest.fixture
def shown(monkeypatch) -> list[dict[str, Any]]:
    """What is displayed."""
    forms: list[dict[str, Any]] = []
    monkeypatch.setattr(svg, "show", forms.append)
    return forms


def test_softmax_at_several_temperatures(of, shown):
    pictures.draw_softmax(lambda scores: of["softmax"](of["MyTensor"](scores)), [2.0, 1.0, 0.0], (0.5, 1, 50))
    assert len(fit_for_every_front_end(shown[0])) == 3
    assert "temperature 1: 0: 67%, 1: 24%, 2: 9%; together 100%" in shown[0]["text/plain"]


def test_losses_and_their_slopes(of, shown):
    loss = of["CrossEntropyLoss"]()
    pictures.draw_losses(of["MyTensor"], {"cross-entropy": lambda scores: loss(scores, np.array([0]))})
    assert len(fit_for_every_front_end(shown[0])) == 2
    assert "at a lead of -8 the loss is 8 and its slope -1" in shown[0]["text/plain"]


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ([(-2, 1), (-1, 0.5), (0, 0)], "2 steps to (0, 0), from a loss of 1.4 to 0"),
        ([(-2, 1), (9, 9), (float("nan"), 1)], "it diverges in 2 steps"),
        ([(-2, 1), (-200, 1)], "it diverges in 1 step"),
    ],
)
def test_ways_down(shown, way, says):
    pictures.draw_ways(lambda x, y: x**2 / 10 + y**2, {"SGD": way})
    assert len(fit_for_every_front_end(shown[0])) == 1 and f"SGD: {says}" in shown[0]["text/plain"]


def test_a_way_that_stays_where_it_began_is_said_to_be_not_written(shown):
    still, moves = [(1.0, 2.0)] * 4, [(1.0, 2.0), (0.5, 1.0)]
    pictures.draw_ways(lambda x, y: x**2 + y**2, {"SGD": still, "Adam": still})
    assert [*shown[0]] == ["text/plain"] and "There is nothing to draw yet" in shown[0]["text/plain"]
    assert "SGD: it stays where it began. Is its step() written yet?" in shown[0]["text/plain"]
    pictures.draw_ways(lambda x, y: x**2 + y**2, {"SGD": moves, "Adam": still})
    assert (
        len(fit_for_every_front_end(shown[1])) == 1
        and "Not drawn: Adam: it stays where it began." in shown[1]["text/html"]
    )


def test_steps_that_blow_up_are_told_kindly_also_where_the_landscape_has_no_numbers(shown):
    far = [(1.0, 2.0), (40.0, 2.0), (1e200, 1e300)]
    pictures.draw_ways(lambda x, y: (1 - x) ** 2 / 4 + (y - x**2 / 4) ** 2, {"SGD": far})
    assert (
        len(fit_for_every_front_end(shown[0])) == 1
        and "SGD: it diverges in 2 steps; try a smaller rate" in shown[0]["text/plain"]
    )


def test_a_picture_is_shown_before_it_is_read_and_probabilities_are_called_that(shown):
    reader.show_digit(356)
    assert len(fit_for_every_front_end(shown[0])) == 1 and "reads" not in shown[0]["text/plain"]
    shares = np.array([0.613, 0.351, 0.0, 0.016, 0.004, 0.004, 0.004, 0.004, 0.004, 0.0])
    reader.read_digit(356, lambda pictures: np.tile(shares, (len(pictures), 1)))
    assert "Ten probabilities" in shown[1]["text/html"] and "61.3%" in shown[1]["text/plain"]
    told = [float(share) for share in re.findall(r"([\d.]+)%", shown[1]["text/plain"])]
    assert len(told) == 10 and sum(told) == pytest.approx(100)
    reader.read_digit(356)
    assert "Ten scores" in shown[2]["text/html"] and "%" not in shown[2]["text/plain"]


def test_dropout_forward_and_backward(of, shown):
    np.random.seed(0)
    pictures.draw_dropout(of["Dropout"](0.5), of["MyTensor"])
    assert len(fit_for_every_front_end(shown[0])) == 3
    assert re.search(r"Pass 1: \d+ of 24 dropped, the others are 2; backward the same ones", shown[0]["text/plain"])


def test_dropout_with_another_mask_backward_is_told(of, shown):
    class Layer:
        def __call__(self, x):
            mask = np.arange(24).reshape(3, 8) % 2 * 2.0
            return of["record"](x.data * mask, lambda base, _: (base * mask[:, ::-1],), "DropBackward", x)

    pictures.draw_dropout(Layer(), of["MyTensor"], times=1)
    assert "12 of 24 dropped, the others are 2; backward other ones" in shown[0]["text/plain"]


def test_mistakes_the_surest_first(shown):
    shares = np.full((4, 10), 0.01)
    shares[[0, 1, 2, 3], [3, 4, 5, 6]] = 0.5, 0.91, 0.91, 0.7
    pictures.draw_mistakes(np.zeros((4, 64)), shares, np.array([3, 1, 5, 2]))
    assert len(fit_for_every_front_end(shown[0])) == 2
    lines = shown[0]["text/plain"].split("\n")
    assert lines[0] == "picture 1: a 1, read as 4: 4 has 91%, 1 has 1%" and lines[1].startswith("picture 3")
    assert "2 of 4 are misread, 1 of them with more than 90%." in lines


def nothing(*_: Any, **__: Any) -> None:
    return None


def wrong(*_: Any, **__: Any) -> Any:
    raise TypeError("no such thing")


@pytest.mark.parametrize("work", [nothing, wrong, lambda *_, **__: np.full(7, np.nan)])
def test_what_is_not_written_or_wrong_is_a_sentence(of, shown, work):
    MyTensor = of["MyTensor"]
    pictures.draw_softmax(work, [1.0, 2.0])
    pictures.draw_losses(MyTensor, {"mine": work})
    pictures.draw_ways(work, {"SGD": [(0, 0)]})
    pictures.draw_dropout(work, MyTensor)
    pictures.draw_mistakes(np.zeros((2, 64)), work() if work is not wrong else None, np.array([1, 2]))
    assert len(shown) == 5
    for forms in shown:
        assert [*forms] == ["text/plain"]
        assert forms["text/plain"].endswith(".") or "your code raised TypeError: no such thing" in forms["text/plain"]
