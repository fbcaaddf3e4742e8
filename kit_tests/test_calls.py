"""What the processes of a jail may ask of Linux: all that honest notebooks do, and nothing else."""

from __future__ import annotations

import errno
import os
import platform
import re
from pathlib import Path

import jailed
import pytest

from grading.kernel import seccomp

refusing = pytest.mark.skipif(not seccomp.program(), reason="the numbers of this machine's system calls are not known")

# What honest notebooks do, each with what it leaves in `done`: true values only.
PROGRAMS = {
    "threads, and processes of each kind": """
import concurrent.futures as futures, multiprocessing, threading
with futures.ThreadPoolExecutor(4) as pool:
    done.append([*pool.map(abs, range(-3, 3))] == [3, 2, 1, 0, 1, 2])
for kind in ("fork", "spawn", "forkserver"):
    with multiprocessing.get_context(kind).Pool(2) as pool:
        done.append(pool.map(abs, [-3]) == [3])
with futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
    done.append(pool.submit(abs, -3).result() == 3)
given, lock = multiprocessing.Queue(), multiprocessing.Lock()
child = multiprocessing.get_context("fork").Process(target=lambda: lock.acquire() and given.put(3))
child.start()
done.append(given.get(timeout=20) == 3)
child.join()
with multiprocessing.Manager() as manager:
    done.append([*manager.list([3])] == [3])
timer = threading.Timer(0.01, lambda: done.append(True))
timer.start()
timer.join()
""",
    "asyncio, with a server, a program and a thread": """
import asyncio, urllib.request
async def serve(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.0 200 OK\\r\\n\\r\\n9")
    writer.close()
server = await asyncio.start_server(serve, "127.0.0.1", 0)
address = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
done.append(await asyncio.to_thread(lambda: urllib.request.urlopen(address).read()) == b"9")
program = await asyncio.create_subprocess_exec("echo", "9", stdout=asyncio.subprocess.PIPE)
done.append((await program.communicate())[0] == b"9\\n")
done.append(await asyncio.wait_for(asyncio.sleep(0.01, 9), 9) == 9)
""",
    "programs of the shell": """
import subprocess, sys
def run(line):
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
run("mkdir -p s/a && echo 9 > s/a/b && cp -rp s/a s/c && ln -s b s/a/d && mv s/c/b s/c/e && chmod 600 s/c/e")
done.append("s/c/e" in run("ls -laR --color s; stat s; find s -name e; du -s s; df ."))
done.append(run("cat s/a/b | sort | uniq -c | head -1 | awk '{print $2}' | sed s/9/8/ | tr 8 7 | tee s/t") == "7\\n")
done.append(run("tar czf s.tgz s && tar xzf s.tgz -C /tmp && gzip -k s/t && zcat s/t.gz /tmp/s/a/d -f") == "7\\n9\\n")
done.append(run("touch -d yesterday s/t; date -r s/t; sleep 0.01; seq 3 | xargs -n1 echo | wc -l").endswith("3\\n"))
done.append(run("for i in 1 2; do (exit $i) & wait $!; done; diff <(echo 1) <(echo 1); yes | head -1") == "y\\n")
done.append(run(f"rm -rf s*; {sys.executable} -m pip --version; {sys.executable} -c 'print(9)'").endswith("9\\n"))
done.append(run("timeout 5 nice -n 1 nproc; id -u; uname -a; hostname; env; mktemp; printf %s 9").endswith("9"))
""",
    "files": """
import bz2, fcntl, gzip, lzma, mmap, os, pathlib, shelve, shutil, sqlite3, tempfile
with tempfile.TemporaryFile() as file, tempfile.NamedTemporaryFile() as named:
    file.write(bytes(9))
    file.flush()
    os.fsync(file.fileno())
    os.posix_fallocate(file.fileno(), 0, 5000)
    done.append(os.fstat(file.fileno()).st_size == 5000 and os.path.exists(named.name))
    with mmap.mmap(file.fileno(), 5000) as mapped:
        mapped[0] = 9
        mapped.flush()
        mapped.madvise(mmap.MADV_DONTNEED)
        done.append(mapped[0] == 9)
here = pathlib.Path(tempfile.mkdtemp())
(here / "a").mkdir()
(here / "a" / "b").write_text("9")
(here / "a" / "c").symlink_to("b")
os.link(here / "a" / "b", here / "a" / "e")
os.mkfifo(here / "pipe")
os.utime(here / "a", (1, 1))
os.truncate(here / "a" / "b", 1)
shutil.copytree(here / "a", here / "f")
shutil.move(here / "f", here / "g")
shutil.copy2(here / "a" / "b", here / "h")
done.append(sorted(os.listdir(here / "g")) == ["b", "c", "e"] and len([*here.rglob("*")]) == 10)
shutil.unpack_archive(shutil.make_archive(str(here / "z"), "gztar", here / "g"), here / "y")
shutil.rmtree(here / "y")
os.replace(here / "h", here / "i")
base = sqlite3.connect(here / "base.db")
base.execute("pragma journal_mode=wal")
base.execute("create table t (a)")
base.executemany("insert into t values (?)", [[1], [2]])
base.commit()
base.execute("vacuum")
done.append(base.execute("select sum(a) from t").fetchone() == (3,))
base.close()
for kind in (gzip, bz2, lzma):
    with kind.open(here / "packed", "wt") as file:
        file.write("9")
    done.append(kind.open(here / "packed", "rt").read() == "9")
with shelve.open(str(here / "shelf")) as shelf:
    shelf["a"] = [9]
with open(here / "i", "r+") as one, open(here / "j", "wb") as two:
    fcntl.flock(one, fcntl.LOCK_EX)
    fcntl.lockf(two, fcntl.LOCK_EX)
    done.append(os.sendfile(two.fileno(), one.fileno(), 0, 1) == 1)
    done.append(os.copy_file_range(one.fileno(), two.fileno(), 1) == 1 and os.pwrite(two.fileno(), b"8", 0) == 1)
done.append(os.access(here, os.W_OK) and os.statvfs(here).f_files > 0 and shutil.disk_usage(here).free > 0)
done.append(os.listxattr(here) == [] and os.umask(0o22) >= 0 and [*os.scandir(here)] != [])
""",
    "NumPy, and files of numbers": """
import numpy as np
a = np.random.default_rng(0).random((400, 400))
done.append(np.allclose(a @ np.linalg.inv(a), np.eye(400), atol=1e-6) and np.linalg.svd(a)[1][0] > 0)
done.append(np.fft.ifft2(np.fft.fft2(a)).real.sum() > 0)
np.save("a.npy", a)
np.savez_compressed("a.npz", a=a)
np.savetxt("a.csv", a[:9], delimiter=",")
done.append(np.load("a.npy", mmap_mode="r+").shape == np.load("a.npz")["a"].shape)
done.append(np.loadtxt("a.csv", delimiter=",").shape == np.genfromtxt("a.csv", delimiter=",").shape == (9, 400))
mapped = np.memmap("a.map", np.float64, "w+", shape=(9, 9))
mapped[:] = 9
mapped.flush()
done.append(np.fromfile("a.map").sum() == 729)
""",
    "pictures of all forms, and a new list of fonts": """
import os, numpy as np
from matplotlib import animation, font_manager, pyplot
font_manager._load_fontmanager(try_read_cache=False)
figure, axes = pyplot.subplots(1, 2)
axes[0].plot([1, 2], label="$x^2$")
axes[0].legend()
axes[1].imshow(np.eye(9))
figure.suptitle("title", family="serif")
for form in ("png", "svg", "pdf", "ps", "jpg"):
    figure.savefig(f"plot.{form}", bbox_inches="tight")
    done.append(os.path.getsize(f"plot.{form}") > 1000)
animation.FuncAnimation(figure, lambda n: axes[0].plot([n]), frames=2).save("plot.gif", writer="pillow")
done.append(pyplot.imread("plot.png").ndim == 3)
pyplot.show()
""",
    "times, timers and signals": """
import os, resource, sched, signal, time, timeit, tqdm
rang = []
signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.01)
while not rang:
    time.sleep(0.01)
signal.alarm(1)
signal.alarm(0)
signal.signal(signal.SIGUSR1, lambda *_: rang.append(2))
signal.raise_signal(signal.SIGUSR1)
done.append(rang == [1, 2] and signal.sigtimedwait([signal.SIGUSR2], 0.01) is None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
signal.raise_signal(signal.SIGUSR2)
done.append(signal.sigpending() == {signal.SIGUSR2} and signal.sigwait([signal.SIGUSR2]) == signal.SIGUSR2)
done.append(timeit.timeit("1", number=9) >= 0 and time.process_time() > 0 and os.times().user >= 0)
planned = sched.scheduler()
planned.enter(0.01, 1, rang.append, [3])
planned.run()
done.append(rang[-1] == 3 and [*tqdm.tqdm(range(3))] == [0, 1, 2])
done.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime >= 0)
""",
    "what there is of a machine": """
import locale, os, platform, psutil, resource, secrets, socket, uuid
done.append(psutil.virtual_memory().total > 0 and psutil.Process().memory_info().rss > 0 and psutil.cpu_count() > 0)
done.append(psutil.Process().children() == [] and psutil.Process().num_threads() > 0)
done.append(os.cpu_count() > 0 and len(os.sched_getaffinity(0)) > 0 and len(os.getloadavg()) == 3)
done.append(platform.platform() != "" and socket.gethostname() != "" and uuid.uuid1() != uuid.uuid4())
done.append(resource.setrlimit(resource.RLIMIT_CORE, (0, 0)) is None and resource.getrlimit(resource.RLIMIT_AS) != 0)
done.append(locale.setlocale(locale.LC_ALL, "") != "" and secrets.token_hex() != "" and os.nice(1) >= 0)
""",
    "memory that is shared, functions of C, sockets, pipes and terminals": """
import ctypes, mmap, os, pty, select, selectors, socket, termios
from multiprocessing import shared_memory
memory = shared_memory.SharedMemory(create=True, size=8)
memory.buf[0] = 9
same = shared_memory.SharedMemory(memory.name)
done.append(same.buf[0] == 9)
memory.unlink()
both = mmap.mmap(-1, 4096)
child = os.fork()
if child == 0:
    both[0] = 9
    os._exit(0)
done.append(os.waitpid(child, 0)[1] == 0 and both[0] == 9)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 3)(9, 4, 1)
ctypes.CDLL(None).qsort(numbers, 3, 4, compare(lambda a, b: a[0] - b[0]))
done.append(numbers[2] == 9)
left, right = socket.socketpair()
left.sendmsg([b"9"])
chosen = selectors.DefaultSelector()
chosen.register(right, selectors.EVENT_READ)
done.append(len(chosen.select(9)) == 1 and right.recvmsg(1)[0] == b"9")
done.append(select.select([], [left], [], 9)[1] == [left])
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as end:
    end.sendall(b"9")
    done.append(server.accept()[0].recv(1) == b"9")
one, two = pty.openpty()
os.write(two, b"9\\n")
done.append(os.read(one, 3) == b"9\\r\\n" and len(termios.tcgetattr(two)) == 7)
""",
    "what IPython adds": """
%timeit -n1 -r1 1
%time 1
found = !ls / | head -1
get_ipython().run_cell_magic("bash", "--out said", "echo 9")
get_ipython().run_cell_magic("writefile", "made.py", "x = 9")
%run made.py
%load_ext autoreload
%autoreload 2
%pip --version
%prun -q 1
get_ipython().system("cat made.py; ls -la")
done.append(len(found) == 1 and said == "9\\n" and x == 9)
""",
}
# Calls that concern the whole machine, other processes, or memory that no limit counts; on x86-64 and 64-bit ARM.
REFUSED = {
    **{"shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180)},
    **{"memfd_create": (319, 279), "memfd_secret": (447, 447), "mlockall": (151, 230), "remap_file_pages": (216, 234)},
    **{"add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "personality": (135, 92)},
    **{"bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "fanotify_init": (300, 262)},
    **{"init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "inotify_init1": (294, 26)},
    **{"kexec_load": (246, 104), "kexec_file_load": (320, 294), "syslog": (103, 116), "reboot": (169, 142)},
    **{"splice": (275, 76), "tee": (276, 77), "vmsplice": (278, 75), "sync": (162, 81), "syncfs": (306, 267)},
    **{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "seccomp": (317, 277)},
    **{"kcmp": (312, 272), "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "move_pages": (279, 239)},
    **{"unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41)},
    **{"open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431)},
    **{"fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "open_tree_attr": (467, 467)},
    **{"name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "quotactl": (179, 60), "chroot": (161, 51)},
    **{"swapon": (167, 224), "acct": (163, 89), "settimeofday": (164, 170), "clock_adjtime": (305, 266)},
    **{"io_setup": (206, 0), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "clone3": (435, 435)},
    **{"io_uring_register": (427, 427), "landlock_create_ruleset": (444, 444), "of a Linux to come": (599, 599)},
}


@refusing
@pytest.mark.parametrize("name", PROGRAMS)
def test_honest_programs_find_what_they_need_of_linux(name):
    kernel = jailed.Kernel()
    kernel.execute("done = []")
    kernel.execute(f"{PROGRAMS[name]}\ndone.append('end')")
    done = kernel.names(["done"])["done"]
    kernel.close()
    assert [bool(each) for each in done] == [True] * len(done) and done[-1] == "end"


@refusing
def test_inside_linux_refuses_all_else(kernel):
    """Each call has arguments that make no sense: where Linux looks at them, it says something else."""
    kernel.execute("""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def error(number):
    assert libc.syscall(number, -1, -1, -1, -1, -1, -1) == -1
    return ctypes.get_errno()
""")
    error = kernel.names(["error"])["error"]
    numbers = {name: each[list(seccomp.MACHINES).index(platform.machine())] for name, each in REFUSED.items()}
    newer = {name for name, number in numbers.items() if number >= seccomp.NEW} | set(seccomp.ABSENT)
    expected = {name: errno.ENOSYS if name in newer else errno.EPERM for name in numbers}
    assert {name: error(number) for name, number in numbers.items()} == expected


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_what_is_refused_here_is_on_no_list(machine):
    here = list(seccomp.MACHINES).index(machine)
    listed = {each[here] for each in (seccomp.ALLOWED | seccomp.NUMBERS).values()}
    assert not listed & {each[here] for each in REFUSED.values()}


HEADERS = {  # of Linux: where it says the numbers, of most machines in one file
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_numbers_are_those_of_linux(machine):
    headers = [Path(place) for place in HEADERS[machine] if os.path.exists(place)]
    if not headers:
        pytest.skip("the headers of Linux are not installed")
    said = {}
    for name, number in re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", headers[0].read_text(), re.MULTILINE):
        said.setdefault(name, int(number))
    here = list(seccomp.MACHINES).index(machine)
    for name, numbers in (seccomp.ALLOWED | seccomp.NUMBERS | seccomp.ABSENT | REFUSED).items():
        if name in said or numbers[here] is None:
            assert said.get(name) == numbers[here], name
