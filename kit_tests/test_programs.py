"""Random programs: those of a class are made once, and nobody's are somebody else's."""

from __future__ import annotations

import numpy as np

from checks import programs
from checks.assignment import Assignment
from checks.programs import Choices, Maker, Program
from checks.section import Section
from checks.trial import Trial


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


def test_a_program_may_show_arrays_in_a_container():
    def state(count: int) -> dict[str, np.ndarray]:
        return {"a": np.arange(count) / 2, "b": np.ones((1, 2))}

    section = Section("s", "S", "tests.test_s(state)", assignment=Assignment("A", reference={"state": state, "np": np}))

    @section.check(1)
    def any_count(trial: Trial) -> None:
        """Any count"""
        trial.programs(lambda choices: Program(f"found = state({1 + choices.below(5)})", ("found", "[found['b']]")))

    assert section.run({"state": state}, 1).score == 1
    large = {"a": np.ones(200), "b": np.ones((1, 2)), "c": [1.5] * 200}  # of which no more is read than how many
    section.assignment.oracle.names("float64")["state"] = lambda count: large
    section.assignment.oracle.values.cache_clear()
    assert section.run({"state": lambda count: large}, 1).score == 1
    assert section.run({"state": lambda count: {**large, "a": np.ones(201)}}, 1).score == 0
    section.assignment.oracle.names("float64")["state"] = state
    section.assignment.oracle.values.cache_clear()
    assert section.run({"state": lambda count: {**state(count), "b": np.zeros((1, 2))}}, 1).score == 0
    assert section.run({"state": lambda count: {"a": state(count)["a"]}}, 1).score == 0
