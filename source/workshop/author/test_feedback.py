"""The proof that feedback is good: wrong solutions are caught and rightly named, correct ones lose nothing."""

from __future__ import annotations

import ast
import re

import numpy as np
import proof
import pytest
from answers import TEXT, names_for, solved
from test_naming import COMPOSED

from checks import evidence
from checks.observe import Clock, close, quiet
from checks.section import SECTION_SECONDS, _folded, judged
from workshop import mistakes, oracle
from workshop.assignment import ASSIGNMENT
from workshop.reading import array_of

pytestmark = pytest.mark.long

EXACT = [name for name in proof.CORRECT if name != "float32"]


@pytest.fixture(scope="session")
def findings() -> list[proof.Finding]:
    return proof.findings(among=3)  # `make proof` asks the judge about all of them


def test_the_corpus_is_large_and_covers_every_known_mistake():
    assert len(proof.BY_NAME) >= 56 + 40
    assert len(proof.CORRECT) >= 15
    named = {id for wrong in proof.WRONG.values() for id in wrong.accepted}
    assert named | {mistake for mistake, *_ in COMPOSED.values()} == set(mistakes.KNOWN) - mistakes.KNOWN.general
    styles = {wrong.style for wrong in proof.BY_NAME.values()}
    assert len(styles - {"reference"}) >= 5
    assert sum(len(wrong.accepted) > 1 for wrong in proof.BY_NAME.values() if "pair" in wrong.name) >= 10


def test_every_wrong_solution_loses_the_checks_that_see_it_and_no_others(findings):
    bad = [(f.wrong.name, sorted(f.wrong.costs - f.lost), sorted(f.stray)) for f in findings if not f.caught]
    assert not bad


# What a section is about: who fails this may lose more than a quarter of it, as nothing is left to ask the rest of.
ONE_THING = {
    "module": {"own"},  # the list of parameters itself
    "matmul": {"matmul_value"},  # a product of another shape, to which no upstream gradient fits
    "linear": {"linear_batch"},  # a layer that computes something else, or lists what it does not compute with
    "relu": {"relu_value"},  # another function has another gradient
    "sgd": {"step"},  # a step to somewhere else, as uphill
    "mseloss": {"mse_value"},  # another function, as above
    "train": {"train_step"},  # a loop that moves nothing
    "model": {"model_shape", "model_learns"},  # scores that are none, or a model that does not learn
}
# Mistakes of the engine as a whole: a graph that nobody can walk, tensors that hold no numbers to compute with; and of
# modules as a whole: what one of them lists depends on others, and on earlier calls.
WHOLE = {
    *("parameters-kept-between-calls", "parameters-of-all-modules"),
    *("data-not-array", "integer-truncation", "calls-itself", "array-not-tensor", "uses-torch", "unhashable"),
    *("gradient-overwritten", "zero-taken-for-none", "truth-of-array", "handed-on-again", "handed-on-too-early"),
    *("wrong-end", "walk-incomplete", "gradient-aliased", "base-changed", "requires-grad-lost", "gradient-clipped"),
    *("none-is-used", "arguments-do-not-match", "add-not-recorded", "key-not-there", "share-lost", "shares-misplaced"),
    "counted-too-often",
}


def test_one_mistake_in_one_rule_property_or_constructor_costs_a_quarter_of_its_section_at_most(findings):
    """And two mistakes two quarters."""
    print("\n" + proof.costs(findings))
    dear = [f for f in findings if f.cost > 0.25 * max(1, len(f.wrong.accepted))]
    dear = [f for f in dear if not f.lost & ONE_THING.get(f.wrong.section, set())]
    assert [(f.wrong.name, f.cost) for f in dear if not WHOLE & {*f.wrong.accepted}] == []


def test_who_is_right_alone_and_wrong_in_any_program_loses_a_quarter_of_the_section_at_least():
    for section in proof.SECTIONS.values():
        programs = [check.points for check in section.checks if check.any_program]
        assert sum(programs) >= section.points / 4 or section.id in ("train", "model"), section.id


def test_a_wrong_solution_keeps_all_points_of_earlier_sections(findings):
    assert [(f.wrong.name, f.before) for f in findings if f.before] == []


def test_mistakes_are_rightly_named(findings):
    rightly = sum(finding.rightly for finding in findings) / len(findings)
    wrongly = [(f.wrong.name, f.named) for f in findings if f.wrongly]
    assert rightly >= 0.9, proof.table(findings)
    assert len(wrongly) <= 0.02 * len(findings), wrongly


def test_no_drawing_that_a_report_offers_says_that_all_is_right(findings):
    said = [(finding.wrong.name, id, text) for finding in findings for id, text in finding.drawn.items()]
    assert len(said) > 200
    assert [each for each in said if "✓" in each[2] or "cannot be drawn" in each[2]] == []


def test_the_judge_says_the_same_of_wrong_solutions(findings):
    """With the code in a jailed kernel: every check has the same status and names the same mistake."""
    assert [(f.wrong.name, f.judged) for f in findings if f.judged] == []


def test_correct_solutions_in_other_styles_earn_everything_here_and_through_the_judge():
    for name, points in proof.scores().items():
        assert sum(points.values()) == 100, (name, points)


@pytest.mark.parametrize("style", ["reference", *EXACT])
def test_the_library_without_a_mistake_computes_what_correct_solutions_compute(style):
    """Else no mistake could ever explain what is observed."""
    names = proof.names_of(style)
    for section in proof.SECTIONS.values():
        if section.id in ("train", "model"):  # whose mistakes are seen in their behaviour
            continue
        with quiet():
            _, trials = judged(section.checks, section, names_for(section, names), 3, Clock(SECTION_SECONDS))
        for id, trial in trials.items():
            for seen in trial.evidence:
                if evidence.LOOP not in seen.code:
                    assert evidence.explains(ASSIGNMENT, [], [seen]), (section.id, id, seen)


@pytest.mark.parametrize("section", ["tensor", "matmul", "relu", "sgd", "mseloss"])
def test_pasted_snippets_reproduce_the_failure(findings, section):
    """Run as they stand, with the learner's names: they raise, or their last line is not what PyTorch gives."""
    tried = 0
    for finding in [finding for finding in findings if finding.wrong.section == section][::3]:
        wrong, shown = finding.wrong, finding.open
        names = proof.solution(wrong.name)
        if not shown or not shown.snippet or "torch" in str(shown.mistake) or shown.id in ("printing", "visited_once"):
            continue
        code, _, last = shown.snippet.rpartition("\n")
        tried += 1
        pasted = {**names, "np": np}
        with quiet():
            try:
                exec(code, pasted)
                got = eval(last, pasted)
            except Exception:
                assert shown.mistake or "raised" in shown.got or "not written" in shown.got, shown.got
                continue
        if shown.id in ("create", "refuse", "attributes", "indexing", "independent", "types"):
            continue  # PyTorch has no dtype, strides or error like that: these compare with given values
        if shown.mistake == "array-not-tensor":
            continue  # its numbers are right
        try:
            expected = oracle.values(code, (last,))[last]
        except RuntimeError:  # backward() of a tensor that needs no gradient raises in PyTorch; here it does nothing
            continue
        if isinstance(expected, np.ndarray) and got is not None and not isinstance(got, (bool, float, int)):
            got = array_of(got, last)
            assert got.shape != expected.shape or not close(got, expected), (wrong.name, shown.snippet)
        else:
            assert got is not expected, (wrong.name, shown.snippet)
    assert tried >= 5


NUMBERS = np.arange(24.0).reshape(4, 6).tolist()


@pytest.mark.parametrize(
    "code",
    [
        f"t = MyTensor({NUMBERS})",
        f"for _ in range(2):\n    if True:\n        t = MyTensor({NUMBERS}, requires_grad=True)\n    y = t + t\ny",
        f"x = [{', '.join(f'a + {n}' for n in range(40))}]\n\ny = {{'a': {NUMBERS}}}",
    ],
)
def test_long_lines_of_a_snippet_are_folded_and_mean_the_same(code):
    folded = _folded(code)
    assert max(map(len, code.split("\n"))) > 72 >= max(map(len, folded.split("\n")))
    assert ast.dump(ast.parse(folded)) == ast.dump(ast.parse(code))
    assert _folded(folded) == folded


@pytest.mark.parametrize(
    "code",
    [
        None,
        "",
        "y = a + b\ny.backward()\na.grad",
        "y = " + " + ".join(["a"] * 40),  # no bracket
        f"y = a  # {'a comment ' * 10}",
        f"y = ['{'a text ' * 20}']",
        f"y = [{'a' * 80}]",  # no space
        f"y = [{'a, ' * 40}",  # no Python
    ],
)
def test_what_cannot_be_folded_stays_as_it_is(code):
    assert _folded(code) == code


def test_the_code_of_checks_with_numbers_in_it_can_be_folded():
    names = proof.names_of("reference")
    for section in proof.SECTIONS.values():
        if section.id == "model":  # whose code has no numbers in it, and lines that no bracket allows to break
            continue
        with quiet():
            _, trials = judged(section.checks, section, names_for(section, names), 3, Clock(SECTION_SECONDS))
        codes = {seen.code for trial in trials.values() for seen in trial.evidence}
        assert codes
        for code in codes:
            folded = _folded(code)
            assert max(map(len, folded.split("\n"))) <= 72, code
            assert ast.dump(ast.parse(folded)) == ast.dump(ast.parse(code)), code


def test_the_list_of_mistakes_is_complete_and_readable():
    headings = re.findall(r"^# #+ (.+)$", TEXT.read_text(encoding="utf-8"), re.MULTILINE)
    plain = {heading.replace("`", "") for heading in headings}
    for id, known in mistakes.KNOWN.items():
        if id in mistakes.KNOWN.general:  # the framework's own words, of no section
            continue
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", id)
        assert set(known.sections) <= {section.id for section in ASSIGNMENT.all_sections}
        nudge, rule, *read = known.hints  # of what can happen anywhere there is nothing to read
        assert nudge.endswith("?") or nudge.endswith("."), id
        assert rule and len(known.title) < 110, id
        for where in read:
            for part in re.fullmatch(r"Read “(.+)” in the notebook\.", where)[1].split(" > "):
                assert part in plain, (id, part)
        for way in known.ways:
            assert "\n" not in way.says and len(way.says) < 120


def test_what_no_mistake_explains_is_said_plainly_and_claims_nothing():
    names = solved(("result = np.maximum(x.data, 0)", "result = np.maximum(x.data, 0) * 1.37 + 0.21"))
    shown = proof.report(proof.SECTIONS["relu"], names).open
    assert shown.mistake is None
    assert "is 0.895 instead of 0.5" in shown.says
    assert shown.hints == ["np.maximum(x.data, 0) compares each element with 0."]


def test_two_mistakes_in_one_rule_are_both_said():
    names = solved(
        ("unbroadcast(-base * (left.data / right.data) / right.data", "unbroadcast(base * left.data / right.data")
    )
    shown = proof.report(proof.SECTIONS["tensor"], names, 5).open
    assert shown.mistake == "div-not-squared"
    assert "wrong sign" in shown.says
