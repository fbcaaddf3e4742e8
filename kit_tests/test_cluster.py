"""A class graded by a Dask cluster, and written into PostgreSQL: real schedulers, workers and servers, made here."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kit
import pytest
from course import LEARNERS, Course, course, processes, results, wait_for

from grading.results import read

distributed = pytest.importorskip("distributed", reason="pip install -r requirements-cluster.txt")
psycopg = pytest.importorskip("psycopg", reason="pip install -r requirements-cluster.txt")
POINTS = {"all": 86, "half": 50, "none": 0, "wrong": 42}


class Cluster:
    """A Dask scheduler and workers of one thread each, on this machine."""

    def __init__(self, folder: Path, count: int, *tls: str) -> None:
        self.folder, self.tls = folder, tls
        folder.mkdir()
        (folder / "tmp").mkdir()
        self.file = folder / "scheduler.json"
        self.scheduler = self._dask("scheduler", "--port=0", f"--scheduler-file={self.file}", "--host=127.0.0.1")
        self.address = wait_for(self._written)["address"]
        self.workers = [
            self._dask("worker", f"--scheduler-file={self.file}", "--nthreads=1", "--no-nanny", f"--name={number}")
            for number in range(count)
        ]

    def _written(self) -> Any:
        """What the scheduler says of itself; it may be in the middle of it."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self.file.read_text())
        return None

    def _dask(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = open(self.folder / f"{arguments[0]}-{time.monotonic_ns()}.log", "wb")  # noqa: SIM115
        with log:
            return subprocess.Popen(
                [Path(sys.executable).with_name("dask"), *arguments, "--no-dashboard", *self.tls],
                cwd=kit.course(),
                env={**os.environ, "TMPDIR": str(self.folder / "tmp"), "PYTHONPATH": str(kit.course())},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self, count: int) -> None:
        """Until so many workers have registered."""
        wait_for(lambda: sum("Registered to" in path.read_text() for path in self.folder.glob("worker-*.log")) >= count)

    def close(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "cluster", 2)
    try:
        made.wait(2)
        yield made
    finally:
        made.close()


def points(made: Course) -> dict[str, float]:
    return {one.id: sum(one.points.values()) for one in read(made.db, "tiny").learners}


def expected(count: int) -> dict[str, float]:
    kinds = [list(LEARNERS)[number % 4] for number in range(count)]
    return {f"{kind}-{number:02}": POINTS[kind] for number, kind in enumerate(kinds)}


def test_a_cluster_grades_and_survives_the_death_of_a_worker(tmp_path, cluster):
    made = course(tmp_path / "course", 6, pause=1.5)
    running = made.start(f"--scheduler={cluster.address}", "--seed=4")
    wait_for(lambda: results(made) >= 1)
    cluster.workers[0].kill()
    log, _ = running.communicate(timeout=900)
    assert running.returncode == 0, log
    assert f"2 workers of {cluster.address}" in log
    assert "6 submissions: 6 graded, none needs a look" in log and "Traceback" not in log
    assert points(made) == expected(6)
    wait_for(lambda: not processes(made))
    cluster.close()
    wait_for(lambda: not list((cluster.folder / "tmp").glob("mt-*")))  # the graders end with their workers


def test_without_its_scheduler_a_run_stops_and_goes_on_elsewhere(tmp_path, cluster):
    made = course(tmp_path / "course", 6, pause=1.5)
    running = made.start(f"--scheduler={cluster.address}")
    wait_for(lambda: results(made) >= 1)
    cluster.scheduler.kill()
    log, _ = running.communicate(timeout=900)
    assert running.returncode == 1, log
    assert "is gone" in log and "What was graded is kept: run the same command again" in log
    assert "Traceback" not in log
    kept = results(made)
    graded = made.grade_class()
    assert f"{kept} unchanged" in graded.log and graded.status == 0
    assert points(made) == expected(6)


def test_where_nobody_answers_it_says_so(tmp_path):
    made = course(tmp_path / "course", 1)
    graded = made.grade_class("--scheduler=tcp://127.0.0.1:9")
    assert graded.status == 1
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in graded.log and "Traceback" not in graded.log


def test_with_certificates_only_who_has_them_can_have_work_done(tmp_path):
    files = certificates(tmp_path)
    options = [f"--tls-ca-file={files['ca']}", f"--tls-cert={files['cert']}", f"--tls-key={files['key']}"]
    made = Cluster(tmp_path / "cluster", 1, *options)
    try:
        assert made.address.startswith("tls://")
        made.wait(1)
        course_made = course(tmp_path / "course", 2)
        graded = course_made.grade_class(
            f"--scheduler={made.address}",
            f"--tls-ca={files['ca']}",
            f"--tls-cert={files['cert']}",
            f"--tls-key={files['key']}",
        )
        assert graded.status == 0, graded.log
        assert points(course_made) == expected(2)
        refused = course_made.grade_class(f"--scheduler={made.address}", "--force")
        assert refused.status == 1 and "asks for certificates: give --tls-ca" in refused.log
        plain = course_made.grade_class(f"--scheduler={made.address.replace('tls:', 'tcp:')}", "--force")
        assert plain.status == 1 and "No Dask scheduler answers" in plain.log
        assert "Traceback" not in refused.log + plain.log
    finally:
        made.close()


def certificates(folder: Path) -> dict[str, Path]:
    """A certificate that signs itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "minitorch")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    files = {"ca": folder / "ca.pem", "cert": folder / "cert.pem", "key": folder / "key.pem"}
    for kind in ("ca", "cert"):
        files[kind].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files["key"].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return files


# ---------------------------------------------------------------- PostgreSQL


@pytest.fixture
def postgres() -> Iterator[str]:
    """A server of its own, reached by a Unix socket: its URL."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("postgres") or "/x").parent]
    if not (programs[-1] / "initdb").exists():
        pytest.skip("PostgreSQL's server is not installed: `apt install postgresql`")
    folder = Path(tempfile.mkdtemp(prefix="mt-pg-"))
    who = {}
    if os.geteuid() == 0:  # it refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data = folder / "data"
    environment = {**os.environ, "HOME": str(folder)}
    made = subprocess.run(
        [programs[-1] / "initdb", "-D", data, "-U", "minitorch", "--auth=trust", "--no-sync", "-E", "UTF8"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        **who,
    )
    assert made.returncode == 0, made.stderr
    server = subprocess.Popen(
        [programs[-1] / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=environment,
        **who,
    )
    try:

        def answers() -> bool:
            with contextlib.suppress(psycopg.OperationalError):
                with psycopg.connect(
                    host=str(folder), user="minitorch", dbname="postgres", autocommit=True
                ) as database:
                    database.execute("create database minitorch")
                return True
            return False

        wait_for(answers)
        yield f"postgresql+psycopg://minitorch@/minitorch?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(300)
        shutil.rmtree(folder, ignore_errors=True)


def test_the_gradebook_may_be_postgresql(tmp_path, postgres):
    made = course(tmp_path / "course", 4, db=postgres)
    graded = made.grade_class()
    assert graded.status == 0, graded.log
    assert points(made) == expected(4)
    assert "4 unchanged" in made.grade_class().log
    done = made.nbgrader("generate_feedback", "tiny", "--CourseDirectory.student_id=half-01")
    assert done.returncode == 0, done.stderr
    assert (made.folder / "feedback" / "half-01" / "tiny" / "tiny.html").exists()
