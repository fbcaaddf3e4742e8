"""What is for practice: wrong solutions lose their checks and are named, right ones of any style pass."""

from __future__ import annotations

import math

import numpy as np
import proof
import pytest
from answers import names_for, solved, untouched

from checks import evidence
from checks.observe import Clock, quiet
from checks.section import SECTION_SECONDS, judged
from workshop.assignment import ASSIGNMENT
from workshop.sections.practice import ANSWER, NUMERIC, STRIDES

PRACTICE = {id: section for id, section in proof.ALL_SECTIONS.items() if section.practice}


@pytest.mark.parametrize("name", proof.PRACTICE)
def test_wrong_solutions_are_caught_and_named(name):
    wrong, of = proof.PRACTICE[name], PRACTICE[proof.PRACTICE[name].section]
    for seed in range(4):
        report = proof.report(of, proof.solution(name), seed)
        assert {check.id for check in report.checks if check.status == "failed"} == wrong.costs
        assert [report.open.mistake] == list(wrong.accepted or [None])


def test_every_mistake_has_a_wrong_solution():
    accepted = {id for wrong in proof.PRACTICE.values() for id in wrong.accepted}
    # Those of the rules, and of what they stand on, are those of MyTensor: they have wrong solutions there.
    assert accepted >= {mistake.id for of in (ANSWER, STRIDES, NUMERIC) for mistake in ASSIGNMENT.mistakes.of(of.id)}


def searched(scores):
    digit = 0
    for place, score in enumerate(scores):
        if score > scores[digit]:
            digit = place
    return digit


@pytest.mark.parametrize("answer", [searched, np.argmax])
def test_answers_of_any_style_pass(answer):
    assert ANSWER.run({"answer": answer}).passed


def of_products(shape, itemsize):
    return [itemsize * math.prod(shape[axis + 1 :]) for axis in range(len(shape))]


def of_numpy(shape, itemsize):
    return np.empty(shape, f"S{itemsize}").strides


@pytest.mark.parametrize("strides_of", [of_products, of_numpy])
def test_strides_of_any_style_pass(strides_of):
    assert STRIDES.run({"strides_of": strides_of}).passed


def as_mean(f, x, h=1e-5):
    right, here, left = (f(np.asarray(x) + step) for step in (h, 0, -h))
    return np.mean([(right - here) / h, (here - left) / h], axis=0)


def with_copies(f, x, h=1e-6):
    x = np.array(x, float)
    x += h
    right = f(x)
    x -= 2 * h
    return (right - f(x)) / 2 / h


@pytest.mark.parametrize("numeric_derivative", [as_mean, with_copies])
def test_derivatives_of_any_style_pass(numeric_derivative):
    assert NUMERIC.run({"numeric_derivative": numeric_derivative}).passed


@pytest.mark.parametrize("of", PRACTICE.values(), ids=PRACTICE)
def test_the_reference_passes_and_the_stubs_are_to_do(of):
    names = solved()
    with quiet():
        results, trials = judged(of.checks, of, names_for(of, names), 3, Clock(SECTION_SECONDS))
    assert all(result.status == "passed" for result in results.values())
    assert all(evidence.explains(ASSIGNMENT, [], [seen]) for trial in trials.values() for seen in trial.evidence)
    first, *others = of.run(names_for(of, untouched())).checks
    assert first.status == "missing" and "not written yet" in first.got
    assert {check.status for check in others} <= {"waiting", "missing"}
