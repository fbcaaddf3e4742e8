"""The checks of this notebook: they compare with PyTorch, catch and name what is wrong, and pass what is right."""

from __future__ import annotations

import ast
import builtins
import re
from typing import Any

import classify_blind
import classify_proof as proof
import numpy as np
import pytest

from checks import evidence
from checks.exceptions import MEANINGS
from checks.observe import Clock, quiet
from checks.oracle import load
from checks.programs import made
from checks.reading import REGION
from checks.section import SECTION_SECONDS, Section, judged
from classify import oracle
from classify.mistakes import KNOWN
from classify.sections import optimizers

pytestmark = pytest.mark.long

SOLUTIONS = ("reference", *proof.RIGHT)


@pytest.fixture(scope="module")
def findings() -> list[proof.Finding]:
    return [proof.find(name) for name in proof.BY_NAME]


def test_every_wrong_solution_loses_points_in_its_section_and_is_named(findings):
    assert len(findings) == len(proof.WRONG) >= 120  # each under a name of its own
    assert [each.wrong.name for each in findings if not each.caught] == []
    assert [(each.wrong.name, each.open, each.named) for each in findings if not each.rightly] == [], proof.table(
        findings
    )


# Mistakes after which nothing is left to ask the rest of a section of.
ONE_THING = {
    "keepdims-lost",  # of log_softmax: the loss raises what it raises
    "step-changes-copy",  # no parameter moves: as where step() does nothing
    "softmax-underflows",  # of log_softmax, and so of the loss, which goes on to be off in programs
}


def test_one_mistake_costs_no_more_than_it_breaks(findings):
    dear = {each.wrong.name: each.cost for each in findings if each.cost > 0.34 and each.open not in ONE_THING}
    assert dear == {}


def test_right_solutions_in_any_style_earn_all():
    assert len(SOLUTIONS) >= 6
    for name, points in proof.scores().items():
        assert points == {id: section.points for id, section in proof.SECTIONS.items()}, name
    assert sum(section.points for section in proof.SECTIONS.values()) == 100


# Of what was written before it was tuned on: what breaks nothing that the notebook promises.
NO_PROMISE = {
    "rule read-only",  # gradients that reach a leaf are copied
    "one stack",  # a block is not entered twice
    "third: no-grad-remembers-in-object",  # a block that is entered twice at once
    "second: old-velocity-changed",  # what is remembered is nobody else's
}


def test_wrong_solutions_that_were_written_blind_are_caught():
    caught = {}
    for style, section, truth, changes in classify_blind.CHANGED:
        engine, (file, text) = proof.sources(style)
        for old, new in changes:
            assert old in text, (truth, old)
            text = text.replace(old, new)
        caught[truth] = proof.is_caught(section, proof.defined([engine, (file, text)]))
    for wrong, truth in classify_blind.written():
        names = proof.defined([*proof.sources("reference"), (wrong.name, wrong.code)])
        is_caught = proof.is_caught(wrong.section, names)
        if truth.startswith("right: "):
            assert not is_caught, wrong.name
        else:
            caught[wrong.name] = is_caught
    for corpus in classify_blind.CORPORA:
        for wrong in classify_blind.changed(corpus):
            names = proof.beside_its_library(classify_blind.text_of(corpus, wrong.style, wrong.changes))
            caught[f"{corpus}: {wrong.name}"] = proof.is_caught(wrong.section, names)
    assert len(caught) >= 540
    assert {name for name, is_caught in caught.items() if not is_caught} == NO_PROMISE


def test_right_solutions_that_were_written_blind_lose_nothing():
    for corpus in classify_blind.CORPORA:
        for style in classify_blind.rights(corpus):
            names = proof.beside_its_library(classify_blind.text_of(corpus, style))
            assert [id for id in proof.SECTIONS if proof.is_caught(id, names)] == [], (corpus, style)


def untouched(section: Section) -> dict[str, Any]:
    """The names that a section's test is given where no answer is written."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for source in (proof.ENGINE.read_text(encoding="utf-8"), REGION.sub(r"\1...", proof.reference())):
        exec(source, names)
    return {name: names.get(name) for name in section.takes}


def test_an_untouched_notebook_earns_nothing_and_nothing_is_called_wrong():
    for section in proof.SECTIONS.values():
        found = section.run(untouched(section), 0)
        assert found.score == 0
        assert {check.status for check in found.checks} <= {"missing", "waiting"}, found.as_text()


@pytest.mark.parametrize("style", SOLUTIONS)
def test_the_library_without_a_mistake_computes_what_right_solutions_compute(style):
    """Else no mistake could ever explain what is observed."""
    names = proof.solution(style)
    for section in proof.SECTIONS.values():
        with quiet():
            some = {name: names[name] for name in section.takes}
            _, trials = judged(section.checks, section, some, 3, Clock(SECTION_SECONDS))
        for id, trial in trials.items():
            for seen in trial.evidence:
                assert evidence.explains(proof.tests.ASSIGNMENT, [], [seen]), (section.id, id, seen)


def test_optimizers_of_the_oracle_take_the_steps_of_torch_optim():
    """The oracle calls their arithmetic, not the classes."""
    torch = load()
    parts = frozenset(
        [*optimizers.ALONE, *(f"{what} {kind}" for what in ("skips", "leaves") for kind in optimizers.KINDS)]
    )
    some = made(
        lambda choices: optimizers.training(choices, parts, frozenset(optimizers.KINDS)), np.random.default_rng(5), 40
    )
    assert {kind for kind in optimizers.KINDS if any(f"= {kind}(" in one.code for one in some)} == {*optimizers.KINDS}
    for program in some:
        names = dict(oracle.names("float64"))
        names |= {kind: getattr(torch.optim, kind) for kind in optimizers.KINDS}
        exec(program.code, names)
        for name, value in oracle.values(program.code, program.see).items():
            np.testing.assert_allclose(eval(name, names).detach().numpy(), value, rtol=1e-12)


def test_the_same_seeds_give_the_same_verdicts():
    some = [name for number, name in enumerate(proof.BY_NAME) if number % 20 == 5]
    assert proof.unsteady(3, [*some, *SOLUTIONS]) == []


def test_the_judge_says_the_same():
    """With the code in a jailed kernel."""
    some = [name for number, name in enumerate(proof.BY_NAME) if number % 24 == 3]
    assert [line for name in ("reference", *some) for line in proof.differences(name)] == []


def test_mistakes_are_readable_and_all_of_them_are_in_the_corpus_or_recognized():
    text = (proof.AUTHORS / "text.py").read_text(encoding="utf-8")
    plain = {heading.replace("`", "") for heading in re.findall(r"^# #+ (.+)$", text, re.MULTILINE)}
    for id, known in KNOWN.items():
        if id in KNOWN.general:
            continue
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", id) and set(known.sections) <= {*proof.SECTIONS}
        nudge, rule, *read = known.hints
        assert nudge[-1] in ".?" and rule and len(known.title) < 110, id
        for where in read:
            for part in re.fullmatch(r"Read “(.+)” in the notebook\.", where)[1].split(" > "):
                assert part in plain, (id, part)
        assert all("\n" not in way.says and len(way.says) < 120 for way in known.ways)


def lacks(snippet: str, section: str) -> set[str]:
    """Names that a snippet uses and nobody has: neither itself, nor the notebook's set-up and its section."""
    nodes = [*ast.walk(ast.parse(snippet))]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    made |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
    return {node.id for node in names} - made - {*dir(builtins), "np", *proof.SECTIONS[section].takes}


def test_every_snippet_runs_as_it_stands(findings):
    reports = [each.report for each in findings]
    reports += [section.run(untouched(section), 0) for section in proof.SECTIONS.values()]
    snippets = {(check.snippet, report.section) for report in reports for check in report.checks if check.snippet}
    assert len(snippets) > 100
    assert {snippet: lacks(snippet, section) for snippet, section in snippets if lacks(snippet, section)} == {}


def test_what_exceptions_mean_has_words_here():
    """Those of tensors are shared with the first notebook."""
    assert {meaning.mistake for meaning in [*proof.tests.ASSIGNMENT.meanings, *MEANINGS]} <= {*KNOWN}


def test_a_stage_can_be_tested_before_what_comes_later_is_written():
    names = proof.solution("reference")
    for id, until, later in (
        ("cross_entropy", "softmax", ("log_softmax", "CrossEntropyLoss")),
        ("optimizers", "sgd", ("Adam", "AdamW")),
        ("optimizers", "adam", ("AdamW",)),
        ("modes", "modes", ("Dropout", "no_grad")),
        ("networks", "sequential", ("kaiming_normal",)),
    ):
        section = proof.SECTIONS[id]
        some = {name: None if name in later else names[name] for name in section.takes}
        found = section.run(some, 0, until=until)
        assert all(check.status == "passed" for check in found.checks)
        assert found.call.count("None") == len(later), found.call
