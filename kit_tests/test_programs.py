"""Random programs: those of a class are made once, and nobody's are somebody else's."""

from __future__ import annotations

import numpy as np

from checks import programs
from checks.programs import Choices, Maker, Program


def number(choices: Choices) -> Program:
    return Program(f"y = {choices.below(1000)}", ("y",))


def test_the_same_programs_are_made_once_and_leave_the_generator_as_if_they_had_been_made_again(monkeypatch):
    first, second = (np.random.default_rng(5) for _ in range(2))
    found = programs.made(number, first, 10)
    assert len(found) == 10
    monkeypatch.setattr(programs, "_new", None)
    assert programs.made(number, second, 10) == found
    assert first.random() == second.random()


def test_other_programs_are_made_for_other_numbers_and_for_what_a_maker_closes_over():
    def maker(works: set[str]) -> Maker:
        return lambda choices: Program(f"y = {choices.below(1000)}", tuple(sorted(works)))

    one = programs.made(maker({"y"}), np.random.default_rng(5), 10)
    assert programs.made(maker({"y"}), np.random.default_rng(5), 10) == one
    assert next(iter(programs.made(maker({"z"}), np.random.default_rng(5), 10))).see == ("z",)
    assert programs.made(maker({"y"}), np.random.default_rng(6), 10) != one
    assert len(programs.made(maker({"y"}), np.random.default_rng(5), 3)) == 3
