"""`python -m grading collect`: from what a platform hands over to submitted/<learner>/<assignment>/.

    archives  ->  members (bounded, never unpacked as a whole)  ->  platforms.py: whose is which  ->  hand-ins
              ->  the newest of each learner into submitted/, earlier ones into earlier/<assignment>/<learner>/

Archives come from learners, by way of a platform. Nothing is written but below these two folders; each hand-in is
written beside its place and then renamed. What cannot be placed is said, and keeps nothing else from being placed.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import glob
import json
import os
import re
import shutil
import stat
import sys
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nbgrader.utils import parse_utc
from tqdm import tqdm

from checks.observe import printable
from grading import dates, platforms, roster, submissions
from grading.platforms import Piece, Unreadable
from grading.roster import Member, Roster, Unknown, unfit
from grading.submissions import ABOUT, SECRET, TIMESTAMP, Unusable
from grading.worker import digest

MOST_MEMBERS = 500_000  # of an archive
LARGEST_DIRECTORY = 100 << 20  # bytes of a zip file's list of members
LARGEST_HAND_IN = 300 << 20  # bytes, of one learner
MOST_FILES = 5000  # of one learner
DEEPEST = 12  # folders in folders
LONGEST_NAME = 200  # bytes of a file's name
MOST_SAID = 20  # names in a line


@dataclass
class HandIn:
    """What one learner handed in at one time.

    Attributes:
        learner: the learner's id.
        member: what is known of the learner.
        platform: where it comes from.
        archive: its name; number: its place among the archives of this call.
        files: what it holds, by path; each is read when it is written.
        at: when it was handed in; None: not known.
        late: whether the platform says that it is late.
        order: of two from one archive the greater one is newer.
    """

    learner: str
    member: Member
    platform: str
    archive: str
    number: int
    files: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    at: datetime.datetime | None = None
    late: bool = False
    order: int = 0


@dataclass
class Report:
    """What was done.

    Attributes:
        lines: what an instructor should know, a sentence each.
        filed, unchanged, late: learners' ids.
        earlier: how many earlier hand-ins were kept.
        nothing: ids of those who have handed in nothing; None: it is not known who should have.
    """

    lines: list[str] = field(default_factory=list)
    filed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    earlier: int = 0
    nothing: list[str] | None = None

    def say(self, line: str) -> None:
        """Something was not placed."""
        self.lines.append(line)

    @property
    def trouble(self) -> bool:
        """Whether something was not placed."""
        return bool(self.lines)

    def as_text(self) -> str:
        all_of_them = len(self.filed) + len(self.unchanged)
        parts = [f"{len(self.filed)} filed", f"{len(self.unchanged)} unchanged"]
        parts += [f"{self.earlier} earlier hand-in{'s' * (self.earlier != 1)} kept"] * bool(self.earlier)
        lines = [*self.lines, f"{all_of_them} learner{'s' * (all_of_them != 1)}: {', '.join(parts)}"]
        if self.late:
            lines.append(f"late, says the platform: {_listed(self.late)}")
        if self.nothing is not None:
            lines.append(f"handed in nothing: {len(self.nothing)}" + ": " * bool(self.nothing) + _listed(self.nothing))
        return "\n".join(lines)


@dataclass
class Course:
    """Where things lie.

    Attributes:
        assignment: its name.
        notebooks: names of its notebooks.
        submitted, earlier: the folders of the newest hand-ins, and of earlier ones.
        zone: the time zone of dates without one.
    """

    assignment: str
    notebooks: Sequence[str]
    submitted: Path
    earlier: Path
    zone: datetime.tzinfo = datetime.UTC

    def place(self, learner: str) -> Path:
        return self.submitted / learner / self.assignment

    def kept(self, learner: str) -> Path:
        return self.earlier / self.assignment / learner


def collect(
    course: Course,
    archives: Sequence[Path],
    known: Roster,
    listed: Roster | None = None,
    platform: str | None = None,
    times: bool = False,
    dry: bool = False,
) -> Report:
    """File what archives hold.

    Args:
        course: where.
        archives: zip files and folders; of two without times, what stands in a later one is newer.
        known: students that the course knows already; gets those of `listed`, and those that are new.
        listed: a list of students that was given.
        platform: whose archives these are; None: to be found out.
        times: whether the times that archives note for files are those of the hand-in.
        dry: whether nothing is written.
    """
    report = Report()
    for member in listed.members.values() if listed else ():
        same = _here(member, known)
        known.add(member if same is None else replace(member, id=same.id))  # it keeps the id that it has here
    expected = bool(known.members)
    hand_ins: dict[str, list[HandIn]] = {}
    with contextlib.ExitStack() as stack:
        for number, path in enumerate(archives):
            try:
                members = stack.enter_context(opened(path))
                for each in _hand_ins(course, number, path.name, members, known, platform, times, report):
                    hand_ins.setdefault(each.learner, []).append(each)
            except (Unreadable, Unusable) as error:
                report.say(f"{path.name} was left out: {str(error).rstrip('.')}.")
            except OSError as error:
                report.say(f"{path.name} was left out: {error.strerror or error}.")
        for learner in tqdm(sorted(hand_ins), desc="collecting", unit="learner", disable=not sys.stderr.isatty()):
            try:
                _file(course, hand_ins[learner], report, dry)
            except (Unusable, Unreadable) as error:
                report.say(f"{printable(learner, 60)} was left out: {error}")
            except OSError as error:
                report.say(f"{printable(learner, 60)} was left out: {error.strerror or error}.")
    if expected:
        places = course.submitted.glob(f"*/{glob.escape(course.assignment)}")
        there = {*report.filed, *report.unchanged, *(place.parent.name for place in places if place.is_dir())}
        report.nothing = sorted(known.members.keys() - there)
    return report


def _here(member: Member, known: Roster) -> Member | None:
    """The student of a list, where the course knows that one by another id: by the platform's, or by the name alone."""
    if member.lms_id and (same := known.whose(platforms.Person(key=member.lms_id, lasting=True))):
        return same
    by_name = known.members.get(_made_id(member.name))
    if member.id in known.members or by_name is None or platforms.squeezed(by_name.name) not in member.names():
        return None
    return by_name


def _made_id(name: str) -> str:
    """The id of somebody of whom no more than the name is known."""
    return unicodedata.normalize("NFC", re.sub(r"[^\w.@+-]+", "-", name).strip("-").lower())


# ---------------------------------------------------------------- archives


@dataclass
class Entry:
    """A file in an archive: what reads it, its size, and the time that is noted for it, which has no time zone."""

    read: Callable[[], bytes]
    size: int
    at: datetime.datetime | None = None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[dict[str, Entry | str]]:
    """The files of a zip file or folder, by path; of one that cannot be used, why.

    Raises:
        Unreadable: when it is neither, or holds too much.
    """
    if path.is_dir():
        with submissions.opened(path) as place:
            files = submissions.files_below(place, DEEPEST, MOST_MEMBERS + 1)
            if len(files) > MOST_MEMBERS:
                raise Unreadable(f"it holds more than {MOST_MEMBERS:,} files")
            yield {name: Entry(read, 0) for name, read in files.items()}
        return
    if not path.exists():
        raise Unreadable("there is no such file or folder")
    with open(path, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unreadable("it is no ordinary file")
        if file.read(4) not in (submissions.ZIP, b"PK\5\6"):
            raise Unreadable("it is no zip file: give the zip file that the platform hands over, or a folder")
        _bounded(file)
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # somebody may have written it to break who reads it
            raise Unreadable(f"it is damaged ({type(error).__name__}): download it once more") from None
        with archive:
            if len(archive.infolist()) > MOST_MEMBERS:
                raise Unreadable(f"it holds more than {MOST_MEMBERS:,} files")
            yield _entries(archive)


def _bounded(file: Any) -> None:
    """Refuse a zip file whose list of members is too long to be read.

    Raises:
        Unreadable: with the reason.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 22))
    end = file.read()
    place = end.rfind(b"PK\5\6")
    length = int.from_bytes(end[place + 12 : place + 16], "little") if place >= 0 else 0
    longer = end.rfind(b"PK\6\6")
    if length == 0xFFFFFFFF and longer >= 0:
        length = int.from_bytes(end[longer + 40 : longer + 48], "little")
    file.seek(0)
    if length > LARGEST_DIRECTORY:
        raise Unreadable(f"its list of files has {length:,} bytes; at most {LARGEST_DIRECTORY:,} are read")


def _entries(archive: zipfile.ZipFile) -> dict[str, Entry | str]:
    found: dict[str, Entry | str] = {}
    for info in archive.infolist():
        parts = [part for part in info.filename.replace("\\", "/").split("/") if part not in ("", ".")]
        if info.is_dir() or not parts or (any(map(submissions.is_hidden, parts)) and ".." not in parts):
            continue
        name = "/".join(parts)
        if ".." in parts or info.filename.startswith("/"):
            found[name] = "its path leads out of the archive"
        elif stat.S_ISLNK(info.external_attr >> 16):
            found[name] = "is a link to another file"
        elif len(parts) > DEEPEST:
            found[name] = f"lies in more than {DEEPEST} folders"
        elif name in found:
            found[name] = "is there twice: it is not clear which one counts"
        else:
            read = functools.partial(submissions.unpacked, archive, info, name)
            found[name] = Entry(read, info.file_size, _time(info))
    return found


def _time(info: zipfile.ZipInfo) -> datetime.datetime | None:
    try:
        return datetime.datetime(*info.date_time)
    except ValueError:
        return None


# ---------------------------------------------------------------- whose is which


def _hand_ins(
    course: Course,
    number: int,
    archive: str,
    members: Mapping[str, Entry | str],
    known: Roster,
    wanted: str | None,
    times: bool,
    report: Report,
) -> list[HandIn]:
    """What one archive holds, by learner; what cannot be placed is said."""
    usable = {name: entry for name, entry in members.items() if isinstance(entry, Entry)}
    for name, why in members.items():
        if isinstance(why, str):
            report.say(_said(archive, name, why))
    if not usable:
        raise Unreadable("it holds no files")
    names = list(usable)
    if wanted:
        platform = platforms.ALL[wanted]
        found = platform.found(names, lambda name: usable[name].read())
    else:
        platform, found = platforms.recognized(names, lambda name: usable[name].read())
    for why in sorted(set(found.strange.values())):
        strange = [name for name, said in found.strange.items() if said == why]
        report.say(f"{archive}: {_listed(strange)} {'each ' * (len(strange) > 1)}{why}: not placed.")
    keys = _distinct(found.pieces)
    made: dict[tuple[str, int], HandIn] = {}
    refused: dict[str, str] = {}
    taken: dict[tuple[str, str], int] = {}
    for piece in sorted(found.pieces, key=lambda piece: (-piece.order, piece.member)):  # the newest first
        for person in piece.people:
            shown = person.name or person.login or person.key or person.email
            try:
                member = _member(person, known, keys)
            except Unknown as error:
                refused.setdefault(shown, str(error))
                continue
            path = _path(piece.path, course, member.id)
            if path is None:
                report.say(_said(archive, piece.member, "has a name that no file can have here"))
                continue
            # Of files with one name the newest belongs to the newest hand-in.
            age = taken.get((member.id, path), 0)
            taken[member.id, path] = age + 1
            hand_in = made.get((member.id, age))
            if hand_in is None:
                hand_in = HandIn(member.id, member, platform.name, archive, number, order=-age)
                made[member.id, age] = hand_in
            entry = usable[piece.member]
            hand_in.files[path] = entry.read
            hand_in.late = hand_in.late or piece.late
            at = piece.at or (entry.at if times or piece.times_are else None)
            if at is not None:
                at = dates.zoned(at, course.zone)
                hand_in.at = max(at, hand_in.at or at)
    for shown, why in refused.items():
        report.say(f"{archive}: what {shown!r} handed in was not placed: {why}.")
    for hand_in in made.values():
        if hand_in.at is None and hand_in.order == 0:
            hand_in.at = roster.when(hand_in.member.at, course.zone)
        _own_files(hand_in, platform.trusts_times, report)
    return list(made.values())


def _distinct(pieces: Sequence[Piece]) -> dict[str, set[str]]:
    """The platform's ids of those who have one name."""
    found: dict[str, set[str]] = {}
    for piece in pieces:
        for person in piece.people:
            found.setdefault(platforms.squeezed(person.name), set()).add(person.key)
    return found


def _member(person: platforms.Person, known: Roster, keys: Mapping[str, set[str]]) -> Member:
    """Who it is: somebody who is known, else somebody new.

    Raises:
        Unknown: when that is not clear.
    """
    name = platforms.squeezed(person.name)
    several = keys.get(name, set()) if name and not person.lasting else set()
    if len(several) > 1:
        by_key = platforms.Person(login=person.login, number=person.number, email=person.email, key=person.key)
        found = known.whose(by_key)
        if found is None:
            raise Unknown(
                f"{len(several)} have this name ({', '.join(sorted(several))}): give --roster with the platform's list "
                "for this assignment, which has these numbers"
            )
        return found
    found = known.whose(person)
    if found is not None:
        return found
    id = person.login or person.number or person.email or (person.key if person.lasting else "")
    id = unicodedata.normalize("NFC", id) or _made_id(person.name) or person.key
    if why := unfit(id):
        raise Unknown(f"its id {id!r} cannot be a folder's name: {why}")
    first, _, last = person.name.rpartition(" ")
    member = Member(id, first, last, person.email, person.key if person.lasting else "", person.key)
    known.add(member)
    return known.members[id]


def _path(path: str, course: Course, learner: str) -> str | None:
    """Where a file belongs in a learner's folder; None for one that cannot be there."""
    parts = [unicodedata.normalize("NFC", part) for part in path.split("/") if part not in ("", ".")]
    if parts[:1] == [course.assignment] and len(parts) > 1:  # as nbgrader has it: <learner>/<assignment>/...
        parts = parts[1:]
    if not parts or any(part == ".." or "\0" in part or "\\" in part for part in parts):
        return None
    parts = [_short("".join(c if c.isprintable() else "_" for c in part)) for part in parts]
    if len(course.notebooks) == 1 and len(parts) == 1 and re.fullmatch(r"notebook\.ipynb", parts[0]):
        parts = [f"{course.notebooks[0]}.ipynb"]
    return "/".join(parts)


def _short(name: str) -> str:
    """A file's name that is not too long, with its end."""
    if len(name.encode()) <= LONGEST_NAME:
        return name
    stem, dot, kind = name.rpartition(".")
    kind = kind[:20]
    return stem.encode()[: LONGEST_NAME - len(kind.encode()) - 1].decode("utf-8", "ignore") + dot + kind


def _own_files(hand_in: HandIn, trusts: bool, report: Report) -> None:
    """What has a meaning for grading beside a notebook is taken from an instructor's own folders only."""
    for name in (TIMESTAMP, SECRET, ABOUT):
        read = hand_in.files.pop(name, None)
        if read is None:
            continue
        if not trusts:
            hand_in.files[f"theirs-{name.lstrip('.')}"] = read
        elif name == TIMESTAMP:
            try:
                hand_in.at = _parsed(read())
            except dates.Unclear as error:
                report.say(f"{hand_in.learner}: {error} When this was handed in is not known.")
            except Exception:  # dateutil has more kinds than ValueError
                report.say(f"{hand_in.learner}: timestamp.txt holds no date: when this was handed in is not known.")
        elif name == SECRET:
            hand_in.files[name] = read


def _parsed(content: bytes) -> datetime.datetime:
    """The time that timestamp.txt says."""
    return parse_utc(dates.dated(content)).replace(tzinfo=datetime.UTC)


# ---------------------------------------------------------------- writing


def _file(course: Course, hand_ins: list[HandIn], report: Report, dry: bool) -> None:
    """Put a learner's newest hand-in into its place, and keep the earlier ones."""
    learner = hand_ins[0].learner
    if all(each.at for each in hand_ins):
        hand_ins.sort(key=lambda each: (each.at, each.number, each.order))
    else:
        hand_ins.sort(key=lambda each: (each.number, each.order))
    place = course.place(learner)
    there = _digest_of(place) if place.is_dir() else None
    before = _time_of(place)
    kept = {_digest_of(each): each for each in sorted(course.kept(learner).glob("*")) if each.is_dir()}
    contents = []
    for each in hand_ins:
        files = _contents(each, report)
        contents.append((each, files, _digest(files)))
    *older, (newest, files, key) = contents
    report.late += [learner] * newest.late
    # What was there stays if it is known to be newer, or this was collected before.
    dated = before is not None and newest.at is not None
    older_one = newest.at < before if dated else key in kept
    stays = there is not None and (key == there or older_one)
    for each, some, digest_of in older + ([(newest, files, key)] if stays and key != there else []):
        if digest_of not in kept and digest_of not in (there, key if not stays else None):
            report.earlier += 1
            if not dry:
                _keep(course, each, some)
            kept[digest_of] = place
    if stays:
        report.unchanged.append(learner)
        if key == there and not dry and newest.at is not None and newest.at != before:
            _replace_time(place, newest.at)
        return
    if there is not None and there not in kept:
        report.earlier += 1
    if not dry:
        _put(course, newest, files, place, there is not None and there not in kept)
    report.filed.append(learner)


def _contents(hand_in: HandIn, report: Report) -> dict[str, bytes]:
    """What a hand-in holds; what of it cannot be read is said.

    Raises:
        Unusable: when nothing is left, or it is too much.
    """
    if len(hand_in.files) > MOST_FILES:
        raise Unusable(f"it has {len(hand_in.files):,} files; at most {MOST_FILES:,} are taken.")
    found, room = {}, LARGEST_HAND_IN
    for path, read in hand_in.files.items():
        try:
            found[path] = read()
        except Unusable as error:
            report.say(f"{hand_in.archive}, {printable(hand_in.learner, 60)}: {error}")
            continue
        room -= len(found[path])
        if room < 0:
            raise Unusable(f"it has more than {LARGEST_HAND_IN:,} bytes.")
    if not found:
        raise Unusable("nothing of what was handed in can be read.")
    return found


def _digest(files: Mapping[str, bytes]) -> str:
    return digest({path: digest(content) for path, content in files.items()})


def _digest_of(place: Path) -> str:
    """The digest of a hand-in that was filed, without what was written beside it."""
    found = {}
    try:
        with submissions.opened(place) as folder:
            for path, read in submissions.files_below(folder, DEEPEST, MOST_FILES).items():
                if path != TIMESTAMP:
                    found[path] = read()
    except (OSError, Unusable):
        return f"unreadable {place}"
    return _digest(found)


def _time_of(place: Path) -> datetime.datetime | None:
    """When what lies there was handed in."""
    try:
        return _parsed(submissions.read_file(place / TIMESTAMP, 1000))
    except Exception:
        return None


def _stamp(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _written(hand_in: HandIn, files: Mapping[str, bytes], beside: Path) -> None:
    """Write a hand-in into a new folder."""
    _remove(beside)
    beside.mkdir(parents=True)
    try:
        for path, content in files.items():
            place = beside / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with open(place, "xb") as file:
                file.write(content)
        about: dict[str, Any] = {"platform": hand_in.platform, "archive": hand_in.archive, "late": hand_in.late}
        if hand_in.at is not None:
            (beside / TIMESTAMP).write_text(_stamp(hand_in.at) + "\n", encoding="utf-8")
        (beside / ABOUT).write_text(json.dumps(about) + "\n", encoding="utf-8")
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _keep(course: Course, hand_in: HandIn, files: Mapping[str, bytes]) -> None:
    folder = course.kept(hand_in.learner)
    beside = folder / ".new"
    _written(hand_in, files, beside)
    os.rename(beside, _free(folder, hand_in.at))


def _put(course: Course, hand_in: HandIn, files: Mapping[str, bytes], place: Path, keep: bool) -> None:
    beside = place.with_name(f".{place.name}.new")
    _written(hand_in, files, beside)
    if os.path.lexists(place):
        if keep:
            folder = course.kept(hand_in.learner)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.move(place, _free(folder, _time_of(place)))
        else:
            _remove(place)
    os.rename(beside, place)


def _remove(place: Path) -> None:
    """Have nothing be there, whatever is."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)


def _free(folder: Path, at: datetime.datetime | None) -> Path:
    """A name for an earlier hand-in: its time, else a number."""
    stem = at.astimezone(datetime.UTC).strftime("%Y-%m-%d %H.%M.%S UTC") if at else ""
    for number in range(1, 1_000_000):
        name = (f"{stem} ({number})" if number > 1 else stem) if stem else str(number)
        if not os.path.lexists(folder / name):
            return folder / name
    raise Unusable(f"{folder} is full.")


def _replace_time(place: Path, at: datetime.datetime) -> None:
    beside = place / f".{TIMESTAMP}.new"
    beside.write_text(_stamp(at) + "\n", encoding="utf-8")
    os.replace(beside, place / TIMESTAMP)


# ---------------------------------------------------------------- words


def _shown(name: str) -> str:
    return repr(printable(name, 100))


def _said(archive: str, member: str, why: str) -> str:
    return f"{archive}: {_shown(member)} {why}: not placed."


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_SAID:,} more" if len(names) > MOST_SAID else ""
    return ", ".join(printable(name, 60) for name in names[:MOST_SAID]) + more
