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


def test_the_same_text_in_two_modules_makes_two_kinds_of_programs():
    """Code is the same where its text is: two assignments may begin with the same lines."""
    made = []
    for words in (["ant", "ape"], ["bee", "bat"]):
        module = {"__name__": words[0], "WORDS": words, "Program": programs.Program}
        exec("def some(choices):\n    return Program(choices.of(WORDS), ())", module)
        made.append({program.code for program in programs.made(module["some"], np.random.default_rng(0), 2)})
    assert made == [{"ant", "ape"}, {"bee", "bat"}]
