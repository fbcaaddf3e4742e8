"""What is said about failures: named by experiment, told once, and nothing that was not observed."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter

import numpy as np
import proof
import pytest
from answers import ROOT, authored, cells, names_for, solved, untouched
from corpus.layers import RELU_VALUE
from corpus.tensor import ADD, MUL_RULE

from checks import evidence, exceptions, experiments
from checks.evidence import Observation
from checks.observe import Clock, Failed, quiet, text_of
from checks.programs import Program
from checks.reading import REGION
from checks.section import Section
from checks.trial import Check, Known, Trial
from grading.judge import broken
from workshop import experiments as own
from workshop import mistakes, oracle, slips
from workshop.assignment import ASSIGNMENT, Workshop
from workshop.exceptions import MEANINGS
from workshop.imitation import Library
from workshop.mistakes.places import AT, READ, STEPS, hints_at
from workshop.reading import compare
from workshop.trial import TensorTrial

pytestmark = pytest.mark.long

TENSOR = proof.SECTIONS["tensor"]
MASKED = "    return x * (x.data > 0)\n    if x.requires_grad:\n        op = MyCrossBackward(x,"
LEAVES = "\n".join(
    f"{name} = MyTensor({numbers}, requires_grad=True)"
    for name, numbers in (("a", [1.5, 2.5]), ("b", [3.5, -4.5]), ("c", [2.5, 0.5]))
)
WALK = "y.backward(MyTensor([0.5, 1.5]))"
HANDED_ON = "            for tensor, share in zip(op.inputs, op.run(gradient), strict=True):\n"
ARRIVED = "            gradient = gradients.pop(node)\n            op = node.backward_op\n"

# What single operations do not show: what it does to the reference, and the mistake.
COMPOSED = {
    "all products share what they saved": (
        "saved-shared",
        (MUL_RULE, f"left, right = MyCrossBackward.last_mul\n    {MUL_RULE}"),
        (
            "        self.inputs = args\n",
            "        self.inputs = args\n"
            "        if name == 'MulBackward':\n"
            "            MyCrossBackward.last_mul = args\n",
        ),
    ),
    "the walk forgets operations": (
        "graph-taken-apart",
        (HANDED_ON, f"            node.backward_op = None\n{HANDED_ON}"),
    ),
    "inner gradients are kept and handed on again": (
        "stale-inner-gradients",
        (
            ARRIVED,
            f"{ARRIVED}            if op is not None:\n"
            "                gradient = node.kept = gradient + getattr(node, 'kept', 0)\n",
        ),
    ),
    "inner gradients can be seen": (
        "inner-gradient-kept",
        (ARRIVED, f"{ARRIVED}            if op is not None:\n                node.grad = MyTensor(gradient)\n"),
    ),
    "a sum is written into its left operand": (
        "operand-changed",
        (ADD, ADD.replace("np.add,", "lambda a, b: np.add(a, b, out=a) if a.shape == (2,) else np.add(a, b),")),
    ),
    "a rule writes into base": (
        "upstream-changed",
        (
            MUL_RULE,
            "first = unbroadcast(base * right.data, left.shape)\n"
            "    base *= left.data\n"
            "    return first, unbroadcast(base, right.shape)",
        ),
    ),
    "relu writes into x": (
        "operand-changed",
        (RELU_VALUE, "    result = x.data\n    result[result < 0] = 0\n"),
    ),
}


def composed(trial: Trial) -> None:
    """Programs of several operations, and what they leave of what they were given"""
    for code in ("y = (a * b) * c", "y = a + b * c", "y = (a / b) + -a"):
        trial.same(f"{LEAVES}\n{code}\n{WALK}", "y", "a.grad", "b.grad", "c.grad", "a", "b", "c")
    with trial.case():
        code = f"{LEAVES}\ny = a * b\n{WALK}"
        trial.see(
            trial.run(f"{code}\n{WALK}"), oracle.values(f"{code}\ny = a * b\n{WALK}", ("a.grad",)), f"{code}\n{WALK}"
        )
    with trial.case():
        code = f"{LEAVES}\nu = a * b\ny = u * c\n{WALK}"
        trial.see(trial.run(code), {"u.grad": None}, code)
    trial.same(f"{LEAVES}\ng = MyTensor([0.5, 1.5])\ny = a * b\ny.backward(g)", "g")


def rectified(trial: Trial) -> None:
    """relu leaves x as it was"""
    trial.same("x = MyTensor([1.5, -2.5])\ny = ReLU()(x)", "y", "x")


@pytest.mark.parametrize("what", COMPOSED)
def test_what_shows_only_in_programs_is_named(what):
    mistake, *changes = COMPOSED[what]
    of, run = ("relu", rectified) if "relu" in what else ("tensor", composed)
    alone = Section(of, "Programs", proof.SECTIONS[of].call, assignment=Workshop())
    alone.checks = [Check("programs", "Programs", 1, run)]
    (found,) = alone.run(names_for(alone, solved(*changes)), 0).checks
    assert found.mistake == mistake, found.says
    assert alone.run(names_for(alone, solved()), 0).score == 1


def test_every_id_that_a_check_claims_is_a_known_mistake():
    texts = [
        node.value
        for file in (ROOT / "source" / "workshop" / "workshop" / "sections").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    claimed = {text for text in texts if re.fullmatch(r"[a-z]+(-[a-z]+)+", text)}
    assert len(claimed) > 20
    assert claimed <= set(mistakes.KNOWN)
    assert {meaning.mistake for meaning in (*exceptions.MEANINGS, *MEANINGS)} <= set(mistakes.KNOWN)
    assert {id for _, id in own.WITHOUT_EFFECT.values()} <= set(mistakes.KNOWN)


def test_no_hint_of_an_early_stage_leads_to_a_later_step_and_every_place_is_one():
    headings = {cell.source.lstrip("# ").split("\n")[0] for cell in cells() if cell.cell_type == "markdown"}
    for stage, read in READ.items():
        for mistake in mistakes.KNOWN.values():
            found = hints_at(mistake, stage)
            assert found and not any(step in hint for step in STEPS if step not in read for hint in found), mistake.id
    for (mistake, place), (*hints, read) in AT.items():
        assert mistake in mistakes.KNOWN and place in {*proof.ALL_SECTIONS, *TENSOR.stages} and hints
        assert read.split(" > ")[-1] in headings


@pytest.mark.parametrize(
    ("section", "until", "change", "hint"),
    [
        (
            "tensor",
            "operators",
            ("forward(left.__data, right.__data)", "forward(left, right)"),
            "left.data, right.data",
        ),
        ("mseloss", None, ("sum(difference**2) / difference.size", "np.mean(difference**2)"), "`.size`"),
        ("mseloss", None, ("/ difference.size", "/ len(difference)"), "Your own `sum`"),
        ("train", None, ("MyTensor(images[batch])", "images[batch]"), "MyTensor(images[batch])"),
        ("tensor", None, ("if consumers[tensor] == 0:", "if True:"), "count is 0"),
        ("tensor", None, ("isinstance(tensor, MyTensor) and tensor in consumers:", "True:"), "`consumers`"),
    ],
)
def test_a_mistake_that_happens_anywhere_is_said_in_the_words_of_its_place(section, until, change, hint):
    report = proof.ALL_SECTIONS[section].run(names_for(proof.ALL_SECTIONS[section], solved(change)), 1, until=until)
    first = next(check for check in report.checks if check.status == "failed" and check.hints)
    assert hint in " ".join(first.hints)


def test_an_operator_that_is_not_recorded_is_told_where_operators_are_asked():
    line = 'op = MyCrossBackward(self, power, backward_function=pow_deriv, name="PowBackward")'
    rest = "\n            return MyTensor(result, requires_grad=True, crossOpBack=op)"
    names = names_for(TENSOR, solved((line + rest, "return MyTensor(result, requires_grad=True)")))
    (found,) = (check for check in TENSOR.run(names, 1, until="operators").checks if check.status == "failed")
    assert found.id == "records" and found.mistake == "pow-not-recorded"


def test_relu_may_be_a_product_with_a_mask():
    relu = proof.SECTIONS["relu"]
    mask = ("    result = np.maximum(x.data, 0)\n    if x.requires_grad:\n        op = MyCrossBackward(x,", MASKED)
    assert relu.run(names_for(relu, solved(mask)), 1).score == relu.points


def test_a_check_that_cannot_work_is_refused_when_it_is_added():
    section = Section("s", "S", "tests.test_s(f)", assignment=Workshop())
    section.check(1, id="one")(lambda trial: None)
    with pytest.raises(ValueError, match="has a check 'one' already"):
        section.check(1, id="one")(lambda trial: None)
    with pytest.raises(ValueError, match=r"needs \['tow'\], which do not stand before it"):
        section.check(1, id="two", needs=["tow"])(lambda trial: None)


@pytest.mark.parametrize(
    "run",
    [
        lambda trial: trial.see(trial.run("y = f(2)"), {"y": 4}, "y = f(2)", {"y": "no-such-mistake"}),
        lambda trial: trial.see(trial.run("y = f(2)"), {}, "y = f(2)"),
        lambda trial: trial.means({ValueError: "no-such-mistake"}).__enter__(),
        lambda trial: trial.fail(Failed("y is 5", mistake="no-such-mistake")),
    ],
    ids=["of a value", "of nothing", "of an exception", "of a verdict"],
)
def test_a_check_that_claims_no_known_mistake_or_looks_at_nothing_is_broken_whatever_it_judges(run):
    (check, _) = broken_section(run).run({"f": lambda x: x * x}).checks
    assert check.status == "broken"
    assert "no-such-mistake' is the id of no mistake" in check.got or "there is nothing to look at" in check.got


# ---------------------------------------------------------------- whose exception it is


def broken_section(run) -> Section:
    section = Section("s", "S", "tests.test_s(f)", assignment=Workshop())
    section.check(2, id="one")(run)
    section.check(1, id="two", needs=["one"])(lambda trial: trial.expect("y = f(2)", y=4))
    return section


@pytest.mark.parametrize(
    "run",
    [
        lambda trial: {}["typo"],
        lambda trial: trial.same("y = unknown(2)", "y"),
        lambda trial: trial.see(trial.run("y = f(2)"), {}, "y = f(2)"),
        lambda trial: trial.right([Program("y = unknown(2)", ("y",))]),
        lambda trial: trial.works(lambda scratch: {}["typo"]),
        lambda trial: trial.works(lambda scratch: scratch.same("y = unknown(2)", "y")),
    ],
    ids=["body", "PyTorch's code", "what it looks at", "a program", "what must work", "PyTorch's code of that"],
)
def test_an_exception_of_the_check_is_no_failure_of_the_learner_and_is_said_to_its_author(run):
    report = broken_section(run).run({"f": lambda x: x * x})
    assert [check.status for check in report.checks] == ["broken", "passed"]
    assert report.score == 1  # values that break a check are no way to its points
    assert (
        "could not look at what your code computed" in report.as_text() and "your code raised" not in report.as_text()
    )
    assert "Error" in report.checks[0].got
    report.as_html()
    (remark,) = broken(report)  # which a grader reads
    assert remark.startswith("In S, “") and report.checks[0].got in remark


def test_an_exception_of_the_learner_is_never_the_checks():
    def run(trial):
        with trial.case():
            variables = trial.run("y = f(2)")
        trial.see(variables, {"y": 4}, "y = f(2)")  # which has no variables now

    report = broken_section(run).run({"f": lambda x: 1 / 0})
    assert [check.status for check in report.checks] == ["failed", "waiting"]
    assert "your code raised ZeroDivisionError" in report.as_text()


def test_what_an_exception_means_holds_for_the_code_that_it_was_said_of():
    """backward() of this engine fails for one shape where a base is given: no word of what it starts from without."""
    line = "        if base is None:\n"
    refuses = f"        if base is not None and self.shape == (2, 3):\n            raise RuntimeError('no')\n{line}"
    report = TENSOR.run(names_for(TENSOR, solved((line, refuses))), 1)
    (check,) = [check for check in report.checks if check.id == "upstream"]
    assert check.status == "failed" and check.mistake is None


@pytest.mark.parametrize(
    ("where", "what"),
    [(own, "roots_first"), (own, "may_divide_by_power"), (evidence, "Inference"), (slips, "ways")],
)
def test_a_fault_of_what_looks_for_mistakes_costs_names_only_and_is_said_to_who_grades(monkeypatch, where, what):
    def fault(*_):
        raise ZeroDivisionError("a fault of ours")

    names = proof.solution("div-backwards")
    before = TENSOR.run(names_for(TENSOR, names), 1)
    monkeypatch.setattr(where, what, fault)
    report = TENSOR.run(names_for(TENSOR, names), 1)
    assert before.open.mistake and report.open.mistake is None
    assert report.score == before.score and report.open.says
    (remark,) = broken(report)
    assert "ZeroDivisionError: a fault of ours" in remark


@pytest.mark.parametrize("does", ["raise SystemExit", "while True: pass"])
def test_a_class_that_stops_whoever_looks_for_another_name_is_no_fault_of_the_checks(does):
    meta = f"class Stops(type):\n    def __getattr__(cls, name):\n        {does}\n\n\nclass MyTensor(metaclass=Stops):"
    report = TENSOR.run(names_for(TENSOR, solved(("class MyTensor:", meta), ("def __sub__", "def minus"))), 1)
    assert {check.status for check in report.checks if check.id == "sub"} == {"missing"}
    assert report.fault is None


class Numbers:
    """A learner's tensors that are wrong now and then."""

    def __init__(self, data, dtype=None, requires_grad=False):
        self.made[data] += 1
        self.data = np.array(data + (data == 2.5 and self.wrong(sys._getframe(1).f_globals)))

    def backward(self, base=None):
        pass


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda self, there: bool(there.get("seen")), "something of theirs is left over"),
        (lambda self, there: self.made[2.5] == 1, "the same program gives other results each time it runs"),
        (lambda self, there: self.made[2.5] <= 2, "y is 3.5 instead of 2.5"),
    ],
    ids=["after others", "once", "twice, and then in no smaller program"],
)
def test_that_something_is_left_over_is_said_of_what_is_always_wrong_after_others_and_right_alone(wrong, says):
    section = Section("s", "S", "tests.test_s(MyTensor)", assignment=Workshop())
    numbers = (2.0, 3.0, 4.0, 1.5, 2.5, 5.0)
    section.check(1, title="A number")(
        lambda trial: trial.programs(lambda choices: Program(f"y = MyTensor({choices.of(numbers)})", ("y",)))
    )
    (found,) = section.run({"MyTensor": type("MyTensor", (Numbers,), {"wrong": wrong, "made": Counter()})}).checks
    assert found.status == "failed" and says in found.says
    assert found.snippet.startswith("y = MyTensor(2.5)")


# ---------------------------------------------------------------- one cause is told once


def test_what_explains_several_failures_is_told_at_the_first():
    report = proof.report(TENSOR, proof.solution("only-lists-and-arrays"))
    failed = [check for check in report.checks if check.status == "failed"]
    first, *others = failed
    assert len(others) >= 4 and {check.mistake for check in failed} == {"kinds-refused"}
    assert first.hints and not first.says.startswith("the same cause")
    for check in others:
        assert check.says.startswith(f"the same cause as in “{first.title}”") and not check.hints


def test_minus_made_of_a_wrong_product_is_no_second_mistake():
    report = proof.report(TENSOR, proof.solution("neg-of-broken-mul"))
    assert {check.mistake for check in report.checks if check.status == "failed"} == {"mul-sign"}


def test_what_others_are_made_of_is_told_where_it_shows_first():
    """Of a quotient that is a product with a power the check comes before that of the power."""
    quotient = 'return self.__binary(other, np.true_divide, div_deriv, "DivBackward")'
    without = ("return base * power * tensor.data", "return base * tensor.data")
    made = proof.report(TENSOR, solved((quotient, "return self * other**-1.0"), without))
    first, second = (check for check in made.checks if check.mistake)
    assert first.id == "div_gradient" and second.id == "power_gradient"
    assert {first.mistake, second.mistake} == {"pow-factor-missing"}
    assert first.says.endswith("; a / b is made of it") and first.hints
    assert second.says.startswith(f"the same cause as in “{first.title}”") and not second.hints


def test_two_slips_that_look_like_one_are_told_apart():
    """The same gradients of a / b, but its values are those of a quotient, and not of a product with a power."""
    sign = ("unbroadcast(-base * (left.data / right.data) / right.data", "unbroadcast(base * left.data / right.data**2")
    without = ("return base * power * tensor.data", "return base * tensor.data")
    report = proof.report(TENSOR, solved(sign, without))
    assert [check.mistake for check in report.checks if check.mistake] == ["div-sign", "pow-factor-missing"]


def test_what_comes_from_an_earlier_section_is_told_so():
    wrong = solved(("(base @ columns.T).reshape(left.shape)", "(-base @ columns.T).reshape(left.shape)"))
    matmul, linear = proof.SECTIONS["matmul"], proof.SECTIONS["linear"]
    found = proof.report(matmul, wrong)
    assert found.open.mistake == "matmul-sign"
    earlier = [(matmul.title, way) for way in found.causes]
    here = linear.run(names_for(linear, wrong), 0, earlier).open
    assert here.mistake == "matmul-sign" and here.says.startswith("the same cause as in “Matrix multiplication”")


# ---------------------------------------------------------------- what is there, and what is not


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((("def __truediv__", "def __div__"),), "there is a method __div__, but Python looks for __truediv__"),
        (((ADD, ADD.replace("return ", "")),), "a + b gives None: its method is there, and returns nothing"),
        ((("data -= self.lr", "data = data - self.lr"),), "step() runs, and all parameters stay as they were"),
        (
            (
                ('text = f"MyTensor({self', 'text = print(f"MyTensor({self'),
                ('ad={self.requires_grad})"', 'ad={self.requires_grad})")'),
            ),
            "__repr__ returns None: does it print? Return the text",
        ),
        (
            (("END SOLUTION\n    return losses", "END SOLUTION\n    return float(losses[-1])"),),
            "the losses are not a list of numbers",
        ),
        ((("return list(dict.fromkeys(found))", "return 5"),), "parameters() holds something else than Parameters"),
    ],
)
def test_not_written_yet_is_said_only_of_what_is_not_written(change, says):
    names = solved(*change)
    shown = next(
        r.open for id in ("tensor", "module", "sgd", "train") if (r := proof.report(proof.SECTIONS[id], names)).open
    )
    assert shown.status == "failed" and shown.says == says and shown.hints


def test_what_is_not_written_yet_has_hints():
    shown = proof.report(TENSOR, untouched()).open
    assert shown.status == "missing" and shown.hints == list(TENSOR.checks[0].hints)


# ---------------------------------------------------------------- generated mistakes and experiments


@pytest.mark.parametrize(
    ("op", "power", "place", "says"),
    [
        ("a / b", lambda g, a, b: -g * a / b, "b", "d(a / b)/db is -base * a / b: b is not squared"),
        ("a * b", lambda g, a, b: g * b * b, "a", "d(a * b)/da is base * b**2: b has the power 2, not 1"),
        ("a - b", lambda g, a, b: g / 2, "b", "d(a - b)/db is 0.5 * base"),
        ("a * b", lambda g, a, b: g * a, "a", "d(a * b)/da is base * a: a stands where b should"),
        ("a + b", lambda g, a, b: 0 * g + 1, "b", "d(a + b)/db is 1: the upstream gradient is left out"),
    ],
)
def test_a_formula_close_by_is_solved_from_what_was_observed(op, power, place, says):
    g, a, b = np.array([0.5, -1.5, 2.0]), np.array([1.5, 2.5, -0.5]), np.array([3.5, -4.5, 0.75])
    code = f"a = MyTensor({a.tolist()}, requires_grad=True)\nb = MyTensor({b.tolist()}, requires_grad=True)\n"
    code += f"y = {op}\ny.backward(MyTensor({g.tolist()}))"
    see = f"{place}.grad"
    observed = [Observation(code, see, oracle.values(code, (see,))[see], power(g, a, b), False)]
    (way,) = slips.ways("tensor", observed)
    assert way.says.startswith(says)
    assert evidence.explains(ASSIGNMENT, [way], observed)


def test_that_memory_was_short_is_no_evidence_and_is_not_kept(monkeypatch):
    """A worker keeps what a library computes for the whole class."""

    def short(*_):
        raise MemoryError

    seen = Observation("a = MyTensor([1.0, 2.0])\nkept = 1", "a.data", None, np.array([1.0, 2.0]), True)
    with monkeypatch.context() as patch:
        patch.setattr(Library, "plain", short)
        with pytest.raises(MemoryError):
            evidence.explains(ASSIGNMENT, [], [seen])
    assert evidence.explains(ASSIGNMENT, [], [seen])


@pytest.mark.parametrize("style", ["reference", *proof.CORRECT])
def test_experiments_are_silent_on_right_solutions(style):
    names = proof.names_of(style)
    trial = TensorTrial(
        TENSOR.checks[0], names, np.random.default_rng(0), Clock(30), Known(ASSIGNMENT, ASSIGNMENT.execute)
    )
    with quiet():
        for unit in own.UNITS:
            for experiment in own.experiments(unit):
                scratch = experiments._try(trial, experiment)
                assert scratch.first is None and scratch.broken is None, (experiment, scratch.first)


def test_an_experiment_tells_the_place_where_no_mistake_explains_the_numbers():
    report = proof.report(TENSOR, proof.solution("closures-forward-order"))
    assert report.open.mistake is None
    assert report.open.says.startswith("a + b alone is right, (a + b) + c is not: ")
    (hint,) = report.open.hints
    assert "saved" in hint


# ---------------------------------------------------------------- words


def test_a_number_that_is_none_is_said_with_its_place():
    with pytest.raises(Failed) as caught:
        compare("a.grad", np.array([0.5, 1.5]), np.array([-0.0, np.nan]))
    assert caught.value.says == "a.grad is nan at index 1" and "difference" not in caught.value.got


def test_whoever_called_is_shown_with_the_line_that_raised():
    names = solved(("if gradient.shape == shape:", "if gradient.shpae == shape:"))
    shown = proof.report(TENSOR, names).open
    assert re.search(r"in unbroadcast, line \d+\nin add_deriv, line \d+", shown.got)


def test_what_is_printed_is_shown_below_the_check_that_it_was_printed_in():
    printing = ("result = np.maximum(x.data, 0)", "print('here:', x.data.shape); result = np.minimum(x.data, 0)")
    report = proof.report(proof.SECTIONS["relu"], solved(printing))
    assert report.open.printed.startswith("here: (") and "here: (" in report.as_text()
    assert f"<details><summary>What your code printed here</summary><pre>{report.open.printed}" in report.as_html()


def test_an_object_is_shown_without_its_address():
    assert text_of([object()]) == "[<object>]"


@pytest.mark.parametrize(
    ("kinds", "text", "id"),
    [
        (["AttributeError"], "property 'data' of 'MyTensor' object has no setter", "property-assigned"),
        (["TypeError"], "MyModule.parameters() takes 0 positional arguments but 1 was given", "self-missing"),
        (["TypeError"], "unbroadcast() takes 0 positional arguments but 2 were given", "arguments-do-not-match"),
        (["TypeError"], "f.<locals>.rule() takes 0 positional arguments but 3 were given", "arguments-do-not-match"),
        (["TypeError"], "f() missing 1 required positional argument: 'x'", "arguments-do-not-match"),
        (["TypeError"], "'NoneType' object is not iterable", "none-is-used"),
        (["AttributeError"], "'Linear' object has no attribute '_MyModule__parameters'", "super-init-missing"),
        (["AttributeError"], "'NoneType' object has no attribute '_MyModule__parameters'", "none-is-used"),
        (["AttributeError"], "'MyTensor' object has no attribute 'ndim'", "tensor-for-array"),
        (["AttributeError"], "'numpy.ndarray' object has no attribute 'requires_grad'", "array-for-tensor"),
        (["UnboundLocalError", "NameError"], "cannot access local variable 'x' where it is not", "name-without-value"),
        (["TypeError"], "unhashable type: 'MyTensor'", "unhashable"),
        (["TypeError"], "'tuple' object is not callable", "property-called"),
        (["ValueError"], "zip() argument 2 is shorter than argument 1", "values-do-not-match"),
        (["RecursionError", "RuntimeError"], "maximum recursion depth exceeded", "calls-itself"),
        (["ValueError"], "The truth value of an array with more than one element is ambiguous", "truth-of-array"),
        (["ValueError"], "assignment destination is read-only", "gradient-read-only"),
        (
            ["_UFuncOutputCastingError", "UFuncTypeError", "TypeError"],
            "Cannot cast ufunc 'subtract' output from dtype('float64') to dtype('int64') with casting rule 'same_kind'",
            "written-in-place",
        ),
    ],
)
def test_texts_of_exceptions_that_beginners_meet_are_put_in_words(kinds, text, id):
    assert exceptions.meaning(kinds, text, MEANINGS).mistake == id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("float() argument must be a string or a real number, not 'MyTensor'", "a MyTensor stands where a number is"),
        ("must be real number, not MyTensor", "a MyTensor stands where a number is needed: float(tensor.data)"),
        ("unsupported format string passed to MyTensor.__format__", "a MyTensor stands where a number is needed"),
        ("unsupported operand type(s) for +=: 'float' and 'MyTensor'", "a float + a MyTensor: Python asks the tensor"),
        ("unsupported operand type(s) for +: 'int' and 'MyTensor'", "an int + a MyTensor: Python asks the tensor"),
        ("unsupported operand type(s) for +: 'MyTensor' and 'str'", "+ cannot work with a MyTensor and a str"),
    ],
)
def test_a_tensor_where_a_number_is_needed_is_told_from_one_beside_a_number(text, says):
    assert exceptions.meaning(["TypeError"], text, MEANINGS).says.startswith(says)


def test_other_exceptions_are_shown_as_they_are():
    assert exceptions.meaning(["ValueError"], "the learning rate is negative") is None


def test_base_that_is_handed_on_as_a_tensor_is_named_with_what_to_take_of_it():
    start = "upstream = base.data if isinstance(base, MyTensor) else np.asarray(base, self.dtype)"
    for more in ((), (("if gradient.shape == shape:", "if gradient.ndim < 9 and gradient.shape == shape:"),)):
        report = proof.report(TENSOR, solved((start, "upstream = base"), *more))
        assert report.open.mistake == "tensor-for-array" and "base.data" in " ".join(report.open.hints)
        assert report.score >= 39


def test_a_number_that_is_none_is_said_with_its_place_and_nothing_of_a_difference():
    wrong = ("result = np.maximum(x.data, 0)", "result = np.where(x.data > 0, x.data, np.nan)")
    shown = proof.report(proof.SECTIONS["relu"], solved(wrong)).open
    assert shown.says.startswith("y is nan at index ") and "largest difference" not in shown.got


def test_what_is_to_be_pasted_shows_no_addresses():
    twice = ("return list(dict.fromkeys(found))", "return list(dict.fromkeys(found)) * 2")
    shown = proof.report(proof.SECTIONS["module"], solved(twice)).open
    assert shown.snippet.endswith("[p.tensor.data.tolist() for p in m.parameters()]")


@pytest.mark.parametrize("left", [["operators"], ["operators", "tensor"], ["unbroadcast", "rules", "operators"]])
def test_what_is_given_of_the_operators_earns_nothing_and_is_no_mistake_of_the_learner(left):
    stubs = {name: REGION.sub(r"\1...", source) for name, source in authored() if name in left}
    found = proof.report(TENSOR, solved(**stubs))
    assert found.score == sum(check.points for check in TENSOR.checks if check.stage == "data")
    assert found.open.id == "add" and "not written yet" in found.open.got
    assert {check.status for check in found.checks} == {"passed", "missing", "waiting"}
