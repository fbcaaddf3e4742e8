"""Learning platforms: how each names what it hands over, and what its lists of students are called.

Whatever is true of one platform only stands here, in its class. Sources, read in November 2026:

- Canvas: `lib/content_zipper.rb` of instructure/canvas-lms: `<name>[_LATE]_<user id>_<attachment id>_<file>`, the name
  being the sortable one, in lower case, without what is no word character; `anon_<id>` in its place where students are
  anonymous; `-1`, `-2` at the end of a file's name when it is handed in again. Gradebook export (Canvas Instructor
  Guide, "How do I export grades in the Gradebook?"): Student, ID, SIS User ID, SIS Login ID, Section, assignments.
- Moodle: `mod/assign/locallib.php` of moodle/moodle: `[<group>-]<full name>_<participant>_assignsubmission_file_`, as a
  folder, or before the file's name. The participant's number differs from assignment to assignment. Grading worksheet
  (`mod/assign/gradingtable.php`): Identifier ("Participant 123"), Full name, ID number, Email address, Status, ...
- Gradescope: "Export submissions": `assignment_<n>_export/submission_<n>/...`, and who it is in
  `submission_metadata.yml`, by the folder's name: `:submitters:` with `:name:`, `:sid:`, `:email:`; `:created_at:`.
- ILIAS: `Modules/Exercise/classes/class.ilExSubmission.php`: `<last>_<first>_<login>_<user id>/<file>`; late files
  begin with "Late Submission - " in the platform's language; the files' times are those of the hand-in.
- Google Classroom: the assignment's folder in Drive, downloaded: `<name> - <file>`.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

LARGEST_METADATA = 50 << 20  # bytes
DEEPEST = 30  # levels of it
SUFFIX = re.compile(r"(?:-\d+| ?\(\d+\))(?=\.ipynb$)")  # of a file that was handed in once more
Read = Callable[[str], bytes]


class Unreadable(Exception):
    """An archive, or what lies in it, cannot be read; the message says why, and what to do."""


@dataclass(frozen=True)
class Person:
    """Whoever handed something in, as far as a platform says who it is.

    Attributes:
        name: as people read it; first the first name, where that is known.
        names: other readings of it.
        login, number, email: by which the course may know the person.
        key: the platform's own id.
        lasting: whether the key is the same in every assignment.
    """

    name: str = ""
    names: tuple[str, ...] = ()
    login: str = ""
    number: str = ""
    email: str = ""
    key: str = ""
    lasting: bool = False


@dataclass(frozen=True)
class Piece:
    """A file that somebody handed in.

    Attributes:
        member: its path in the archive.
        people: who handed it in; several where a group did.
        path: where it belongs in the learner's folder.
        order: of two files with one path, the one with the greater order is newer.
        late: whether the platform says that it is late.
        at: when it was handed in; None: not known.
        times_are: whether the time that the archive notes for it is that of the hand-in.
    """

    member: str
    people: tuple[Person, ...]
    path: str
    order: int = 0
    late: bool = False
    at: datetime.datetime | None = None
    times_are: bool = False


@dataclass
class Found:
    """What a platform makes of an archive.

    Attributes:
        pieces: files with their learners.
        strange: what it cannot place, each with the reason.
    """

    pieces: list[Piece] = field(default_factory=list)
    strange: dict[str, str] = field(default_factory=dict)


class Platform:
    """A platform; this one is none: a folder, or a zip file of one, that holds a folder for each learner."""

    name: ClassVar[str] = "plain"
    trusts_times: ClassVar[bool] = True  # whether timestamp.txt in a learner's folder is the instructor's

    def found(self, members: Sequence[str], read: Read) -> Found:
        """What lies in an archive.

        Raises:
            Unreadable: when it is this platform's, and cannot be read.
        """
        found = Found()
        root = _common_root(members)
        for member in members:
            learner, _, path = member[len(root) :].partition("/")
            if path:
                found.pieces.append(Piece(member, (Person(learner, login=learner),), path))
            else:
                found.strange[member] = (
                    "lies in no learner's folder: put it into one, or, where each file is named after its learner, say "
                    "--platform files"
                )
        return found


class Files(Platform):
    """A folder with a file for each learner, who gives it its name."""

    name = "files"

    def found(self, members: Sequence[str], read: Read) -> Found:
        found = Found()
        for member in members:
            file = member.rpartition("/")[2]
            stem, dot, kind = file.rpartition(".")
            found.pieces.append(Piece(member, (Person(stem or file, login=stem or file),), f"notebook{dot}{kind}"))
        return found


class Canvas(Platform):
    name = "canvas"
    trusts_times = False
    FILE = re.compile(
        r"(?:(?P<name>\w+?)_)??(?P<late>LATE_)?(?:(?P<id>\d+)|anon_(?P<anonymous>[^\W_]+))_(?P<attachment>\d+)_(?P<file>.+)"
    )
    TEXT = re.compile(r".+_(text|link)\.html")

    def found(self, members: Sequence[str], read: Read) -> Found:
        found = Found()
        for member in members:
            match = self.FILE.fullmatch(member.rpartition("/")[2])
            if match is None:
                why = "is a text or link, no file" if self.TEXT.fullmatch(member) else "does not say whose it is"
                found.strange[member] = why
                continue
            key = match["id"] or f"anon_{match['anonymous']}"
            person = Person(match["name"] or "", key=key, lasting=bool(match["id"]))
            path, late = SUFFIX.sub("", match["file"]), bool(match["late"])
            found.pieces.append(Piece(member, (person,), path, int(match["attachment"]), late))
        return found


class Moodle(Platform):
    name = "moodle"
    trusts_times = False
    FILE = re.compile(
        r"(?:.*/)?(?P<name>[^/]+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_?/|_)(?P<file>.+)", re.DOTALL
    )

    def found(self, members: Sequence[str], read: Read) -> Found:
        found = Found()
        for member in members:
            match = self.FILE.fullmatch(member)
            if match is None or match["kind"] == "onlinetext":
                why = "does not say whose it is" if match is None else "is a text that was typed in, no file"
                found.strange[member] = why
                continue
            full = " ".join(match["name"].split())
            # A group's name may stand before it.
            person = Person(full, names=tuple(full.split("-", 1)[1:]), key=match["id"])
            found.pieces.append(Piece(member, (person,), match["file"]))
        return found


class Gradescope(Platform):
    name = "gradescope"
    trusts_times = False
    METADATA = "submission_metadata.yml"

    def found(self, members: Sequence[str], read: Read) -> Found:
        about = next((member for member in members if member.rpartition("/")[2] == self.METADATA), None)
        if about is None:
            return Found(strange=dict.fromkeys(members, "does not say whose it is"))
        folder, known, found = about[: -len(self.METADATA)], self._metadata(read(about)), Found()
        for member in members:
            if member == about:
                continue
            name, _, path = member.removeprefix(folder).partition("/")
            if name in known and path:
                people, at = known[name]
                found.pieces.append(Piece(member, people, path, at=at))
            else:
                found.strange[member] = f"is of a submission that {self.METADATA} does not name"
        return found

    def _metadata(self, content: bytes) -> dict[str, tuple[tuple[Person, ...], datetime.datetime | None]]:
        if len(content) > LARGEST_METADATA:
            raise Unreadable(f"{self.METADATA} has {len(content):,} bytes; at most {LARGEST_METADATA:,} are read.")
        try:
            document = _plain_yaml(content)
            made = {}
            for name, said in document.items():
                people = tuple(
                    Person(
                        _text(one.get(":name")),
                        number=_text(one.get(":sid")),
                        email=_text(one.get(":email")),
                    )
                    for one in said[":submitters"]
                )
                at = said.get(":created_at")
                made[_text(name)] = people, at if isinstance(at, datetime.datetime) else None
            return made
        except Exception as error:  # somebody may have written it to break who reads it
            raise Unreadable(
                f"{self.METADATA} cannot be read ({type(error).__name__}): export the submissions once more."
            ) from None


class Ilias(Platform):
    name = "ilias"
    trusts_times = False
    FILE = re.compile(
        r"(?:.*/)?(?P<last>[^/_]+)_(?P<first>[^/_]+)_(?P<login>[^/]+)_(?P<id>\d+)/(?P<file>.+)", re.DOTALL
    )
    LATE = re.compile(r"(late submission|versp(ae|ä|a)tete abgabe)[ _]-[ _]", re.IGNORECASE)

    def found(self, members: Sequence[str], read: Read) -> Found:
        found = Found()
        for member in members:
            match = self.FILE.fullmatch(member)
            if match is None:
                found.strange[member] = "lies in no folder of a learner, as what a team hands in"
                continue
            last, first, login = match["last"], match["first"], match["login"]
            person = Person(f"{first} {last}", login=login, key=match["id"], lasting=True)
            path, late = self.LATE.subn("", match["file"], count=1)
            found.pieces.append(Piece(member, (person,), path, late=bool(late), times_are=True))
        return found


class Google(Platform):
    name = "google"
    trusts_times = False
    FILE = re.compile(r"(?:.*/)?(?P<name>[^/]+?) - (?P<file>[^/]+)", re.DOTALL)

    def found(self, members: Sequence[str], read: Read) -> Found:
        found = Found()
        for member in members:
            match = self.FILE.fullmatch(member)
            if match is None:
                found.strange[member] = "does not say whose it is"
                continue
            again = re.search(r"\((\d+)\)(?=\.\w+$)", match["file"])  # of a name that was there
            path, order = SUFFIX.sub("", match["file"]), int(again[1]) if again else 0
            found.pieces.append(Piece(member, (Person(match["name"]),), path, order))
        return found


ALL: dict[str, Platform] = {each.name: each() for each in (Gradescope, Moodle, Canvas, Ilias, Google, Platform, Files)}


def recognized(members: Sequence[str], read: Read) -> tuple[Platform, Found]:
    """Whose archive it is, and what lies in it.

    Raises:
        Unreadable: when that is not clear.
    """
    tried = [(platform, platform.found(members, read)) for platform in ALL.values() if platform.name != Files.name]
    *known, plain = tried
    for some in (known, [plain]):
        platform, found = max(some, key=lambda each: len(each[1].pieces))
        if found.pieces and 2 * len(found.pieces) >= len(members):
            return platform, found
    shown = ", ".join(members[:3])
    raise Unreadable(
        f"it is not clear whose archive this is; it holds {shown}{', ...' if members[3:] else ''}. Known are the "
        "archives of Canvas, Moodle, Gradescope, ILIAS and Google Classroom, and a folder for each learner: say which "
        f"with --platform {' | '.join(ALL)}."
    )


# ---------------------------------------------------------------- lists of students

# What columns are called, by what they hold, in lower case.
COLUMNS: Mapping[str, Sequence[str]] = {
    "login": ("sis login id", "username", "login", "user name", "benutzername", "nom d'utilisateur", "org_id"),
    "number": ("id number", "sis user id", "sid", "student id", "id-nummer", "matriculation", "matrikelnummer"),
    "email": ("email address", "email", "e-mail", "e-mail-adresse", "adresse de courriel", "mail"),
    "first": ("first name", "first_name", "firstname", "given name", "vorname", "prénom"),
    "last": ("last name", "last_name", "lastname", "surname", "family name", "nachname", "nom de famille"),
    "full": ("full name", "name", "student", "student name", "vollständiger name", "nom complet"),
    "key": ("identifier", "lms_user_id", "canvas user id", "id-nummer (teilnehmer/in)"),
    "at": ("last modified (submission)", "submission time", "zuletzt geändert (abgabe)"),
    "role": ("role", "rolle"),
}
NOBODY = re.compile(r"\s*points possible\s*|student, test|test student", re.IGNORECASE)  # Canvas has lines for these
STUDENTS = {"", "student", "learner", "teilnehmer/in", "teilnehmer", "participant", "member"}


def columns(heads: Sequence[str]) -> dict[str, int]:
    """Which column of a list of students holds what: the keys of COLUMNS, and "id" for nbgrader's own."""
    found = _where(heads, COLUMNS)
    if own := _where(heads, {"id": ("id",)}):  # Canvas' own, or nbgrader's
        found["key" if "full" in found and "key" not in found else "id"] = own["id"]
    return found


def _where(heads: Sequence[str], called: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Which column holds what: of the names that it may have, the first one that is there."""
    names = [" ".join(head.split()).casefold() for head in heads]
    places = {what: [names.index(name) for name in some if name in names] for what, some in called.items()}
    return {what: there[0] for what, there in places.items() if there}


# ---------------------------------------------------------------- what is handed back
#
# - Canvas: `lib/gradebook_importer.rb` of instructure/canvas-lms: the heads begin with Student, ID and end, before the
#   assignments, with Section; an assignment that is there is "<title> (<id>)", any other head makes a new one; a line
#   "Points Possible"; students are found by ID, SIS ids, name. Comments have no place there. "Upload submissions"
#   (`generate_comments_from_files` in `app/models/abstract_assignment.rb`) finds students by the first two numbers
#   between underscores of a file's name, user and attachment, as in the downloaded archive, and attaches the file to a
#   comment, under the name of what was handed in.
# - Moodle: `mod/assign/feedback/offline/importgradeslib.php` of moodle/moodle: the columns Identifier ("Participant
#   12"), Grade and Last modified (grade) must be there, as in the worksheet that was downloaded; a column that is named
#   as a feedback plugin's text field goes there, as HTML. `mod/assign/feedback/file/importziplib.php`: whose a feedback
#   file is says "<name>_<participant>_<plugin type>_<plugin>" in its path.
# - Gradescope: docs/specs.md of gradescope/autograder_samples: an autograder is a zip file with setup.sh and
#   run_autograder at its root, which writes results/results.json; submission_metadata.json names the users.

CANVAS_HEADS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
CANVAS_POINTS = "    Points Possible"
WORKSHEET: Mapping[str, Sequence[str]] = {  # columns of Moodle's grading worksheet, by what they hold, in lower case
    "identifier": ("identifier", "id-nummer (teilnehmer/in)", "identifiant", "id"),
    "grade": ("grade", "bewertung", "note"),
    "maximum": ("maximum grade", "maximum", "beste bewertung", "bestwertung", "note maximale"),
    "changeable": ("grade can be changed", "bewertung kann geändert werden", "la note peut être modifiée"),
    "modified": ("last modified (grade)", "zuletzt geändert (bewertung)", "dernière modification (note)"),
    "comment": ("feedback comments", "feedback als kommentar", "commentaires de feedback"),
}


def worksheet(heads: Sequence[str]) -> dict[str, int]:
    """Which column of a grading worksheet holds what: the keys of WORKSHEET.

    Raises:
        Unreadable: when it is none that Moodle would take.
    """
    found = _where(heads, WORKSHEET)
    if missing := {"identifier", "grade", "modified"} - found.keys():
        shown = ", ".join(WORKSHEET[what][0].capitalize() for what in sorted(missing))
        raise Unreadable(
            f"This is no grading worksheet of Moodle, as it has no column {shown}: download it under View all "
            "submissions, Download grading worksheet."
        )
    return found


def canvas_column(heads: Sequence[str], titles: Sequence[str], wanted: str | None) -> str:
    """Which column of Canvas' gradebook is meant: the one that is wanted, else that with a title of the assignment.

    Its name may hold more than the title; and the only column there is needs no name.

    Raises:
        Unreadable: when that is not clear.
    """
    there = [head for head in heads if re.search(r"\(\d+\)\s*$", head)]
    bare = {head: re.sub(r"\s*\(\d+\)\s*$", "", head).casefold() for head in there}
    names = [name.casefold() for name in ([wanted] if wanted else titles)]
    same = [head for head in there if {bare[head], head.casefold().strip()} & {*names}]
    holding = [head for head in there if any(name in bare[head] for name in names)]
    for found in (same, holding, [] if wanted else there):
        if len(found) == 1:
            return found[0]
    raise Unreadable(
        f"It is not clear which column is meant. Say --column with one of: {', '.join(there) or 'none is there'}."
    )


def moodle_folder(name: str, participant: str) -> str:
    """The folder of a student's feedback files; Moodle takes what stands after the first underscore for the number."""
    name, number = (re.sub(r"[_/:*?<>|]+", " ", part).strip() for part in (name, participant))
    return f"{name or 'student'}_{number}_assignfeedback_file"


def bare_key(text: str) -> str:
    """A platform's own id, as in "Participant 123"."""
    match = re.search(r"\d+$", text.strip())
    return match[0] if match else text.strip()


def squeezed(name: str) -> str:
    """A name for comparing: letters and digits alone, without marks, in lower case."""
    apart = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss"))
    return "".join(c for c in apart if c.isalnum())


def _common_root(members: Sequence[str]) -> str:
    """The folders that all lies in, unless they are what names the learners: with "/" at the end, or empty."""
    root = ""
    while True:
        heads = {member[len(root) :].partition("/")[0] for member in members}
        below = [member[len(root) :].partition("/")[2] for member in members]
        if len(heads) != 1 or not members or not all("/" in each for each in below):
            return root
        root += f"{heads.pop()}/"


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _plain_yaml(content: bytes) -> Any:
    """A document without references, which make a short text enormous, and of few levels.

    Raises:
        yaml.YAMLError: for any other.
    """
    loader, depth = getattr(yaml, "CSafeLoader", yaml.SafeLoader), 0
    for event in yaml.parse(content, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
            raise yaml.YAMLError("more than plain values")
    return yaml.load(content, Loader=loader)
