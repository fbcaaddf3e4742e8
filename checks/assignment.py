"""What is taught, as far as the framework has to know it: an assignment declares what its checks observe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks import observe, progress
from checks.exceptions import Meaning
from checks.experiments import Experiment
from checks.mistakes import Mistake, Mistakes, Style, Way
from checks.observe import Kind, Missing, compiled
from checks.oracle import Oracle, plain
from checks.report import Drawing
from checks.trial import Trial

if TYPE_CHECKING:
    from checks.evidence import Inference, Observation
    from checks.section import Section


@dataclass(frozen=True)
class Told:
    """What an assignment says of a failure: in one line, with a known mistake or hints of its own.

    `missing`: there is nothing to judge yet.
    """

    says: str
    mistake: str | None = None
    hints: tuple[str, ...] = ()
    missing: bool = False


class Library:
    """The learner's API, made of what is right. A way to make a mistake puts something else under some name."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.parts = dict(names)

    def names(self) -> dict[str, Any]:
        return self.parts

    def plain(self, value: Any) -> Any:
        """A result as NumPy and Python values."""
        return plain(value)


def local_execute(code: str, variables: dict[str, Any]) -> None:
    """Run a check's code on objects of this process."""
    exec(compiled(code, "exec"), variables)


class Assignment:
    """An assignment: its sections, what right work computes, the mistakes that are known, and one learner's points.

    An assignment of its own kind overrides the methods from `imitation` on. Without that, what was observed is
    compared with `reference` as it is, and a mistake is named if another function, in place of one of these, gives it.

    Args:
        title: for the line of points, as in "Statistics so far: 12 of 100 points".
        file: `__file__` of the module that declares it: what is raised in its folder is no learner's doing.
        reference: what is right, by the names that checks use; or the oracle that knows more.
        mistakes: the known ones; the general ones without it.
        meanings: what texts of exceptions mean here, beside what they mean anywhere.
        result: the class that results are to be of, where they are not plain numbers and arrays.
        last_tried: ids of mistakes that can look like many others, and are looked for last.

    Attributes:
        all_sections: in the notebook's order, those for practice among them.
        earned: points by section, of one learner.
        practiced: of sections for practice, whether all of it passed when it was last run.
        causes: what was found to be wrong there, by section.
        seed: of runs that are given none; None draws another one for each. One for a whole class has everybody asked
            the same, and the oracle asked only once.
        ahead: attributes that checks read of most results, in this order, and of what these attributes hold: while
            grading, they come with a result, and need no request of their own.
        kept: whether a notebook keeps the points in a file (progress.py). Whoever judges others keeps none.
        execute: runs a check's code. Whoever judges objects of another process puts a function of its own in its place.
    """

    trial: type[Trial] = Trial
    ahead: Sequence[str] = ()

    def __init__(
        self,
        title: str,
        file: str | None = None,
        *,
        reference: Oracle | Mapping[str, Any] | None = None,
        mistakes: Mistakes | None = None,
        meanings: Sequence[Meaning] = (),
        result: Kind | None = None,
        last_tried: Iterable[str] = (),
    ) -> None:
        self.title, self.result, self.meanings = title, result, meanings
        self.oracle = reference if isinstance(reference, Oracle) else Oracle(lambda _: reference or {})
        self.mistakes = Mistakes() if mistakes is None else mistakes
        self.last_tried = frozenset(last_tried)
        self.all_sections: list[Section] = []
        self.earned: dict[str, float] = {}
        self.practiced: dict[str, bool] = {}
        self.causes: dict[str, list[Way]] = {}
        self.seed: int | None = None
        self.kept = True
        self.execute: Callable[[str, dict[str, Any]], None] = local_execute
        if file is not None and (folder := f"{Path(file).parent}{os.sep}") not in observe.CHECKS:
            observe.CHECKS.append(folder)

    def forget(self) -> None:
        """Nothing is known of the learner: another one comes."""
        for known in (self.earned, self.practiced, self.causes):
            known.clear()

    @property
    def sections(self) -> list[Section]:
        """Those that give points, each of which a graded cell tests."""
        return [section for section in self.all_sections if not section.practice]

    @property
    def points(self) -> float:
        return sum(section.points for section in self.sections)

    def progress(self, current: Section, failed: bool) -> str | None:
        """The points so far and, where something failed, earlier sections to go back to; nothing where there is one."""
        if len(self.all_sections) < 2:
            return None
        earned = self._kept() | self.earned
        run = f"{len(earned)} of {len(self.sections)} graded tests run"
        line = f"{self.title} so far: {sum(earned.values()):g} of {self.points:g} points, {run}."
        lost = {section.id for section in self.sections if earned.get(section.id, section.points) < section.points}
        lost |= {id for id, passed in self.practiced.items() if not passed}
        before = [section for section, _ in current.builds_on if section in self.all_sections]
        open_ones = [section.title for section in before if section.id in lost] if failed else []
        if open_ones:
            line += f" What fails here may come from an earlier section: {', '.join(open_ones)}."
        return line

    def _kept(self) -> dict[str, float]:
        """The points by section that a notebook has kept before its kernel was restarted."""
        if not (self.kept and progress.in_notebook()):
            return {}
        found = progress.known(self)
        same = [section.id for section in self.sections if found.get(section.id, {}).get("points") == section.worth]
        return {id: found[id]["score"] for id in same}

    # -------- what an assignment may know better

    def get_ready(self, without_torch: bool = False) -> None:
        """Load what takes long when it is first asked for: whoever grades has it done before learners' time runs.

        Args:
            without_torch: whether what computes the same is asked in place of PyTorch, where there is such a thing.
                Otherwise grading does not begin without PyTorch where an assignment compares with it.

        Raises:
            ImportError: with what to do, where something is missing.
        """
        self.oracle.choose(without_torch)
        self.oracle.names("float64")

    def imitation(self, given: Any = None) -> Any:
        """A new library with the learner's API, which can make the known mistakes; `given` is what a check gave."""
        return Library(self.oracle.names("float64"))

    def generated(self, section: str, seen: Sequence[Observation]) -> Iterable[Way]:
        """Ways to make mistakes that are not listed, but solved from what was observed."""
        return ()

    def where_shapes_tell_nothing(self, section: str, seen: Sequence[Observation]) -> Sequence[Way]:
        """The same, where shapes that are all alike leave several possible."""
        return ()

    def styles(self, failed: Mapping[str, Trial]) -> list[Style]:
        """How operations may be made of others, without any mistake, as far as failed checks allow it."""
        return []

    def buffers(self) -> list[Way]:
        """How something may be made that only shows in exceptions of shapes."""
        return []

    def roots_first(self, failed: Mapping[str, Trial], inference: Inference) -> list[str]:
        """Failed checks in the order in which causes are looked for: first what others are made of."""
        return list(failed)

    def experiments(self, codes: Sequence[str], names: Mapping[str, Any]) -> Iterable[Experiment]:
        """Small programs that find the place of a mistake in what failed checks have run, simple ones first."""
        return ()

    def recognized(self, trial: Trial, inference: Inference) -> Told | None:
        """What else a failure can come from."""
        return None

    def not_there(self, trial: Trial, missing: Missing, inference: Inference) -> Told | None:
        """What is there after all, where a check found nothing to judge."""
        return None

    def hints(self, mistake: Mistake, section: str, stage: str | None) -> Sequence[str]:
        """What is said of a mistake where a check of this section, or of this stage of it, has met it."""
        return mistake.hints

    def drawing(self, snippet: str) -> Drawing | None:
        """What draws what a snippet shows, if there is something."""
        return None
