"""What an assignment declares is what the framework says, asks for and finds, on tiny ones that are not in source/."""

from __future__ import annotations

from checks.assignment import Assignment
from checks.report import Drawing
from checks.section import Section
from checks.trial import Trial


class Drawn(Assignment):
    """Results that can be drawn."""

    def drawing(self, snippet: str) -> Drawing | None:
        return Drawing("Then draw it beside Euclid's <own>:", f"tests.draw({snippet.count('y')})")


def doubling(assignment: Assignment | None = None) -> Section:
    section = Section("double", "Doubling", "tests.test_double(double)", assignment=assignment)

    @section.check(1)
    def doubled(trial: Trial) -> None:
        """Twice a number"""
        trial.expect("y = double(3)", y=6)

    return section


def test_a_report_offers_what_an_assignment_draws_in_its_words():
    report = doubling(Drawn("Doubling")).run({"double": lambda n: 3 * n}, seed=1)
    assert "    Then draw it beside Euclid's <own>:\n\n        tests.draw(2)\n" in report.as_text()
    assert "<p>Then draw it beside Euclid's &lt;own&gt;:</p><pre>tests.draw(2)</pre>" in report.as_html()
    assert "draw" not in str(report.as_dict())
    assert "draw" not in doubling().run({"double": lambda n: 3 * n}, seed=1).as_text()
