"""Who is in a course: from a list of students of a platform's or nbgrader's, and from the gradebook."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.api import Student

from grading import dates, gradebook, platforms
from grading.platforms import Person, Unreadable, squeezed
from grading.submissions import Unusable, read_file

LARGEST = 20 << 20  # bytes
MOST = 100_000  # lines
LONGEST = 128  # characters of an id, in nbgrader's gradebook


@dataclass(frozen=True)
class Member:
    """A student of the course.

    Attributes:
        id: by which the course knows the student: the name of the folder, nbgrader's student_id.
        first, last, email: as far as they are known.
        lms_id: the platform's own id, if it is the same in every assignment.
        key: the platform's id in this list.
        full: the name, where first and last one are not told apart.
        at: when something was handed in, as the list says it.
    """

    id: str
    first: str = ""
    last: str = ""
    email: str = ""
    lms_id: str = ""
    key: str = ""
    full: str = ""
    at: str = ""

    @property
    def name(self) -> str:
        return self.full or " ".join(filter(None, (self.first, self.last)))

    def names(self) -> set[str]:
        """What it may be found by, when it is a name."""
        made = {squeezed(f"{self.first}{self.last}"), squeezed(f"{self.last}{self.first}"), squeezed(self.full)}
        last, comma, first = self.full.partition(",")
        return (made | ({squeezed(first + last)} if comma else set())) - {""}


class Unknown(Exception):
    """It is not clear who somebody is; the message says why."""


class Roster:
    """All that are known.

    Args:
        members: of a list, or of the gradebook.
    """

    def __init__(self, members: Iterable[Member] = ()) -> None:
        self.members: dict[str, Member] = {}
        self._index: dict[tuple[str, str], set[str]] = {}  # ids by what members may be found by
        for member in members:
            self.add(member)

    def add(self, member: Member) -> None:
        """Another one; of one that is known by this id, what was not known."""
        old = self.members.get(member.id)
        if old is not None:
            for mark in _marks(old):
                self._index[mark].discard(old.id)
            known = {name: value for name, value in vars(member).items() if value}
            member = replace(old, **known)
        self.members[member.id] = member
        for mark in _marks(member):
            self._index.setdefault(mark, set()).add(member.id)

    def whose(self, person: Person) -> Member | None:
        """The student that a platform means; None for one that nobody knows.

        Raises:
            Unknown: when it could be several.
        """
        marks = [("key", person.key), ("lms", person.key if person.lasting else "")]
        marks += [("id", person.login.casefold()), ("id", person.number.casefold())]
        marks += [("id", person.email.casefold()), ("email", person.email.casefold())]
        marks += [("name", squeezed(name)) for name in (person.name, *person.names)]
        for kind, text in marks:
            found = self._index.get((kind, text), set())
            if kind == "name":
                found = {id for id in found if not _differ(self.members[id], person)}
            if len(found) == 1:
                return self.members[next(iter(found))]
            if found:
                raise Unknown(
                    f"{len(found)} students are called {text!r} ({', '.join(sorted(found))}), and the archive says no "
                    "more: give --roster with the platform's own list, or put this into its place by hand"
                )
        return None

    def write(self, db_url: str, course_id: str = gradebook.COURSE) -> int:
        """Add all to a gradebook, and what it does not know of them, or nothing; how many are new."""
        new = 0
        with gradebook.transaction(db_url, course_id) as book:
            for member in self.members.values():
                student = book.db.get(Student, member.id)
                new += student is None
                told = {"first_name": member.first, "last_name": member.last, "email": member.email}
                told |= {"lms_user_id": member.lms_id}
                told = {name: value for name, value in told.items() if value and getattr(student, name, None) != value}
                if student is None or told:
                    book.update_or_create_student(member.id, **told)
        return new


def _marks(member: Member) -> set[tuple[str, str]]:
    """What somebody may be found by: which kind of mark it is, and its text."""
    marks = {("id", member.id.casefold()), ("email", member.email.casefold()), ("key", member.key)}
    marks |= {("lms", member.lms_id), *(("name", key) for key in member.names())}
    return {(kind, text) for kind, text in marks if text}


def _differ(member: Member, person: Person) -> bool:
    """Whether these are two people, who may have one name."""
    pairs = [(member.lms_id, person.key if person.lasting else ""), (member.email.casefold(), person.email.casefold())]
    return any(one and other and one != other for one, other in pairs)


def of_gradebook(db_url: str, course_id: str = gradebook.COURSE) -> Roster:
    """The students that a gradebook knows.

    Raises:
        GradebookError: when it cannot be read.
    """
    with gradebook.opened(db_url, course_id) as book:
        return Roster(
            Member(one.id, one.first_name or "", one.last_name or "", one.email or "", one.lms_user_id or "")
            for one in book.db.query(Student)
        )


def read(path: Path, remarks: list[str]) -> Roster:
    """A list of students, as a platform or nbgrader writes it.

    Args:
        path: of the CSV file.
        remarks: gets a sentence for each thing that is wrong with it, and does not keep it from being read.

    Raises:
        Unreadable: when it is none, or says two things of one student.
    """
    heads, *rows = lines_of(path, remarks)
    where = platforms.columns(heads)
    if not where.keys() & {"id", "login", "number", "email", "key"}:
        raise Unreadable(
            f"{path.name} has no column with ids; its first line says {', '.join(filter(None, heads))[:200]}. Needed "
            'is one of "id", "SIS Login ID", "Username", "ID number", "SID", "Email address".'
        )
    roster, first_line = Roster(), {}
    for number, row in enumerate(rows, 2):
        said = {what: " ".join(row[place].split()) for what, place in where.items() if place < len(row)}
        if not any(said.values()) or platforms.NOBODY.fullmatch(said.get("full", "")):
            continue
        if said.get("role", "").casefold() not in platforms.STUDENTS:
            continue
        member = _member(said)
        if why := unfit(member.id):
            raise Unreadable(f"{path.name}, line {number}: {member.id!r} cannot be an id: {why}.")
        old = roster.members.get(member.id)
        if old is not None and (old.name, old.key) != (member.name, member.key):
            raise Unreadable(
                f"{path.name} has {member.id!r} twice, in line {first_line[member.id]} as {old.name!r} and in line "
                f"{number} as {member.name!r}: correct one of them."
            )
        first_line.setdefault(member.id, number)
        roster.add(member)
    if not roster.members:
        raise Unreadable(f"{path.name} names no students.")
    return roster


def lines_of(path: Path, remarks: list[str]) -> list[list[str]]:
    """The lines of a platform's CSV file, the heads first, each as its fields.

    Raises:
        Unreadable: when it is none.
    """
    try:
        content = read_file(path, LARGEST)
    except Unusable as error:
        raise Unreadable(str(error).removesuffix(".") + ".") from None
    return _lines(_decoded(content, path.name, remarks), path.name)


def person_of(said: dict[str, str]) -> Person:
    """Whom a line of a list means: its fields, by the keys of platforms.COLUMNS."""
    member = _member(said)
    return Person(
        *(member.name, (f"{member.first} {member.last}",), said.get("login", ""), said.get("number", "")),
        *(member.email, member.key, bool(member.lms_id)),
    )


def _member(said: dict[str, str]) -> Member:
    first, last, full = said.get("first", ""), said.get("last", ""), said.get("full", "")
    if full and not (first or last):
        last, comma, first = (part.strip() for part in full.partition(","))
        if not comma:
            first, _, last = full.rpartition(" ")
    key, email = platforms.bare_key(said.get("key", "")), said.get("email", "")
    id = said.get("id") or said.get("login") or said.get("number") or email or key
    lasting = key == said.get("key", "").strip()  # "Participant 123" is one in this assignment only
    return Member(id, first, last, email, key if lasting else "", key, full, said.get("at", ""))


def unfit(id: str) -> str:
    """Why an id cannot be the name of a folder; empty where it can."""
    if not id:
        return "it is empty"
    if not id.isprintable() or "/" in id or "\\" in id:
        return "it has characters that no folder's name can have"
    if id.startswith(".") or id != id.strip():
        return "it begins with a dot, or with or ends in a space"
    return f"it has more than {LONGEST} characters" if len(id) > LONGEST or len(id.encode()) > 200 else ""


def when(text: str, zone: datetime.tzinfo) -> datetime.datetime | None:
    """The time that a list gives, in the course's time zone where it says none; None where it says no time, or one
    that is in March for some and in October for others."""
    import dateutil.parser

    if not text or text == "-":
        return None
    try:
        read = dateutil.parser.parse(text)
        if len(dates.readings(text)) > 1:
            return None
        at = dates.zoned(read, zone)
        at.astimezone(datetime.UTC)  # which the gradebook keeps
    except (ValueError, OverflowError):
        return None
    return at


def _decoded(content: bytes, name: str, remarks: list[str]) -> str:
    """A file of text, as spreadsheets write it."""
    for encoding in ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "cp1252":
            remarks.append(f"{name} is not in UTF-8: it was read as Windows writes it; look whether names are right.")
        return text
    raise Unreadable(f"{name} is no text: export the list of students as CSV.")


def _lines(text: str, name: str) -> list[list[str]]:
    """The lines of a CSV file, whatever stands between its fields."""
    if "\0" in text or not text.strip():
        raise Unreadable(f"{name} is {'no text' if text.strip() else 'empty'}: export the list of students as CSV.")
    text = text.lstrip("\n\r")
    head = text.splitlines()[0]
    if head.lower().startswith("sep="):  # for Excel
        text = text.partition("\n")[2]
        head = text.splitlines()[0] if text else ""
    between = max(",;\t", key=head.count)
    try:
        lines = []
        for line in csv.reader(io.StringIO(text), delimiter=between, strict=True):
            lines.append(line)
            if len(lines) > MOST:
                raise Unreadable(f"{name} has more than {MOST:,} lines.")
    except csv.Error as error:
        raise Unreadable(f"{name} cannot be read near line {len(lines) + 1}: {error}.") from None
    if not any(lines):
        raise Unreadable(f"{name} is empty: export the list of students as CSV.")
    return lines
