"""What the processes of the jail may ask of Linux: a list of system calls, all others are refused (seccomp, in BPF).

On the list is what notebooks were seen to need, and what programs do that only use files, memory, time, processes and
sockets of their own. Not on it is what no namespace covers: memory that no limit counts, calls that concern the whole
machine (to write all disks, the clock, namespaces, mounts, other processes' memory, programs in Linux), and all that is
newer than this list. Of some calls the arguments are looked at: of sockets there are few kinds, and none that makes the
grader wait. And refused is to kill the kernel itself, so that a kernel that was killed has been killed by the machine
(see processes.py, notice_end).
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import platform
import re
import signal
import socket
import struct
import sys

# Sockets that there are, with their protocols: of Unix, and those that ipykernel's own pipe is made of.
FAMILIES = {
    socket.AF_UNIX: (0,),
    socket.AF_INET: (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP),
    16: (0,),  # AF_NETLINK: this one tells the addresses of this machine
}
RAREST_TYPE = 4  # below are streams, datagrams, raw ones
# A socket that lingers can be sent to the grader, which would wait when it closes what it was sent. SO_LINGER; TCP_ULP,
# by which parts of Linux are loaded, as by TIOCSETD.
OPTIONS, TIOCSETD = ((1, 13), (6, 31)), 0x5423
CLONE_NEWUSER = 0x10000000
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # what audits call them
NUMBERS = {  # of the system calls that are looked at more closely, on each machine in the order above
    "socket": (41, 198),
    "socketpair": (53, 199),
    "setsockopt": (54, 208),
    "ioctl": (16, 29),
    "clone": (56, 220),
    **{"kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "pidfd_send_signal": (424, 424)},
    **{"rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "timer_create": (222, 107)},
    **{"fcntl": (72, 25), "setrlimit": (160, 164), "prlimit64": (302, 261)},
}
F_SETSIG = 10  # of fcntl: the signal for when a file is ready
send = os.kill
DEADLY = (0, 15)  # limits at whose end Linux kills: on processor time, and on that of a real-time process
# As if Linux did not have them, so that what else does it is used instead, are refused all calls from this number on,
# which is the same on all machines: clone3 for one, whose flags cannot be seen as those of clone can, and io_uring, by
# which all calls can be made. And some older ones.
NEW = 424
ABSENT = {"splice": (275, 76), "io_setup": (206, 0)}
# The others that are allowed: name, number on x86-64, on 64-bit ARM ("-" where it never had it).
LIST = """
# Files.
  read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69, pwritev 296 70,
  preadv2 327 286, pwritev2 328 287, lseek 8 62, open 2 -, openat 257 56, creat 85 -, close 3 57,
  close_range 436 436, stat 4 -, fstat 5 80, lstat 6 -, newfstatat 262 79, statx 332 291, statfs 137 43,
  fstatfs 138 44, access 21 -, faccessat 269 48, faccessat2 439 439, readlink 89 -, readlinkat 267 78,
  getdents 78 -, getdents64 217 61, getcwd 79 17, chdir 80 49, fchdir 81 50, mkdir 83 -, mkdirat 258 34,
  mknod 133 -, mknodat 259 33, rmdir 84 -, unlink 87 -, unlinkat 263 35, rename 82 -, renameat 264 38,
  renameat2 316 276, link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36, chmod 90 -, fchmod 91 52,
  fchmodat 268 53, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54, umask 95 166, utime 132 -,
  utimes 235 -, futimesat 261 -, utimensat 280 88, truncate 76 45, ftruncate 77 46, fallocate 285 47,
  fsync 74 82, fdatasync 75 83, fadvise64 221 223, flock 73 32, sendfile 40 71, copy_file_range 326 285,
  dup 32 23, dup2 33 -, dup3 292 24, pipe 22 -, pipe2 293 59, getxattr 191 8, lgetxattr 192 9, fgetxattr 193 10,
  listxattr 194 11, llistxattr 195 12, flistxattr 196 13, setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7,
  removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16,
# Memory.
  brk 12 214, mmap 9 222, munmap 11 215, mremap 25 216, mprotect 10 226, madvise 28 233, msync 26 227,
  mincore 27 232, membarrier 324 283,
# Waiting.
  poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_create 213 -, epoll_create1 291 20,
  epoll_ctl 233 21, epoll_wait 232 -, epoll_pwait 281 22, epoll_pwait2 441 441, eventfd 284 -, eventfd2 290 19,
  futex 202 98,
# Sockets, once they are made.
  bind 49 200, connect 42 203, listen 50 201, accept 43 202, accept4 288 242, getsockname 51 204,
  getpeername 52 205, getsockopt 55 209, sendto 44 206, recvfrom 45 207, sendmsg 46 211, recvmsg 47 212,
  sendmmsg 307 269, recvmmsg 299 243, shutdown 48 210,
# Processes and threads.
  fork 57 -, vfork 58 -, execve 59 221, execveat 322 281, exit 60 93, exit_group 231 94, wait4 61 260,
  waitid 247 95, pidfd_open 434 434, set_tid_address 218 96, set_robust_list 273 99, get_robust_list 274 100,
  rseq 334 293, prctl 157 167, arch_prctl 158 -, getpid 39 172, getppid 110 173, gettid 186 178, getpgrp 111 -,
  getpgid 121 155, setpgid 109 154, getsid 124 156, setsid 112 157, getuid 102 174, geteuid 107 175,
  getresuid 118 148, getgid 104 176, getegid 108 177, getresgid 120 150, getgroups 115 158, setuid 105 146,
  setgid 106 144, setreuid 113 145, setregid 114 143, setresuid 117 147, setresgid 119 149, setgroups 116 159,
  setfsuid 122 151, setfsgid 123 152, capget 125 90, capset 126 91, getrlimit 97 163, getrusage 98 165,
  getpriority 140 141, setpriority 141 140, sched_yield 24 124, sched_getaffinity 204 123,
  sched_setaffinity 203 122, sched_getparam 143 121, sched_setparam 142 118, sched_getscheduler 145 120,
  sched_setscheduler 144 119, sched_get_priority_max 146 125, sched_get_priority_min 147 126, uname 63 160,
  sysinfo 99 179, getcpu 309 168, getrandom 318 278,
# Signals.
  rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigpending 127 136,
  rt_sigtimedwait 128 137, rt_sigsuspend 130 133, sigaltstack 131 132, restart_syscall 219 128, pause 34 -,
  signalfd 282 -, signalfd4 289 74,
# Time.
  time 201 -, gettimeofday 96 169, clock_gettime 228 113, clock_getres 229 114, nanosleep 35 101,
  clock_nanosleep 230 115, times 100 153, alarm 37 -, setitimer 38 103, getitimer 36 102, timer_settime 223 110,
  timer_gettime 224 108, timer_getoverrun 225 109, timer_delete 226 111, timerfd_create 283 85,
  timerfd_settime 286 86, timerfd_gettime 287 87,
"""
ALLOWED = {
    name: tuple(None if number == "-" else int(number) for number in numbers)
    for name, *numbers in (call.split() for call in re.sub("#.*", "", LIST).split(",") if call.strip())
}


def program(kernel: int | None = None) -> bytes:
    """The filter; nothing for a machine whose numbers are not known here.

    Args:
        kernel: the number of the process that nothing behind the filter may kill, itself included.
    """
    if not sys.platform.startswith("linux") or platform.machine() not in MACHINES:
        return b""
    here = list(MACHINES).index(platform.machine())

    def step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
        return struct.pack("HBBI", code, if_so, if_not, value)

    def answer(error: int) -> bytes:
        return step(0x06, 0x00050000 | error if error else 0x7FFF0000)

    def where(code: int, value: int, *steps: bytes) -> list[bytes]:
        return [step(code, value, 0, len(steps)), *steps]

    def call(name: str, *steps: bytes) -> list[bytes]:
        return where(equal, NUMBERS[name][here], *steps)

    equal, at_least, any_bit, masked = 0x15, 0x35, 0x45, 0x54
    number, machine, *arguments, high_half = (step(0x20, place) for place in (0, 4, 16, 24, 32, 36))
    no_socket, no = answer(errno.EAFNOSUPPORT), answer(errno.EPERM)
    sockets = [arguments[1], step(masked, 0xF), *where(at_least, RAREST_TYPE, no_socket), arguments[0]]
    for family, protocols in FAMILIES.items():
        known = [each for protocol in protocols for each in where(equal, protocol, answer(0))]
        sockets += where(equal, family, arguments[2], *known, no_socket)
    options = [where(equal, level, arguments[2], *where(equal, name, no), answer(0)) for level, name in OPTIONS]
    steps = [machine, step(equal, MACHINES[platform.machine()], 1), no, number]
    steps += where(at_least, 0x40000000, no)  # the same calls under other numbers
    for name in ("socket", "socketpair"):
        steps += call(name, *sockets, no_socket)
    steps += call("setsockopt", arguments[1], *itertools.chain(*options), answer(0))
    steps += call("ioctl", arguments[1], *where(equal, TIOCSETD, no), answer(0))
    when_it_ends = [step(masked, 0xFF), *where(equal, signal.SIGKILL, no)]  # what its parent is sent
    steps += call("clone", arguments[0], *where(any_bit, CLONE_NEWUSER, no), *when_it_ends, answer(0))
    if kernel is not None:
        # Which process a number, a group or a descriptor stands for cannot be seen: to end a child there is tgkill,
        # whose first argument must be the number of the process that it ends.
        killed = where(equal, signal.SIGKILL, no)
        for name in ("kill", "tkill", "rt_sigqueueinfo", "pidfd_send_signal"):
            steps += call(name, arguments[1], *killed, answer(0))
        steps += call("rt_tgsigqueueinfo", arguments[2], *killed, answer(0))
        child = where(equal, signal.SIGKILL, arguments[0], *where(equal, kernel, no))
        steps += call("tgkill", arguments[2], *child, answer(0))
        # What has Linux send a signal later: a timer, a file that is ready, a limit that is reached.
        steps += call("timer_create", no)
        steps += call("fcntl", arguments[1], *where(equal, F_SETSIG, arguments[2], *killed), answer(0))
        limits = [each for limit in DEADLY for each in where(equal, limit, no)]
        steps += call("setrlimit", arguments[0], *limits, answer(0))
        changed = [arguments[2], *where(any_bit, 0xFFFFFFFF, no), high_half, *where(any_bit, 0xFFFFFFFF, no)]
        limits = [each for limit in DEADLY for each in where(equal, limit, *changed)]
        steps += call("prlimit64", arguments[1], *limits, answer(0))
    steps += [each for numbers in ABSENT.values() for each in where(equal, numbers[here], answer(errno.ENOSYS))]
    listed = sorted(each[here] for each in (ALLOWED | NUMBERS).values() if each[here] is not None)
    for _, run in itertools.groupby(enumerate(listed), lambda each: each[1] - each[0]):  # numbers without a gap
        numbers = [number for _, number in run]
        # A number below the first has not been allowed before, and will not be.
        steps += [step(at_least, numbers[0], 1), answer(errno.EPERM if numbers[0] <= NEW else errno.ENOSYS)]
        steps += [step(at_least, numbers[-1] + 1, 1), answer(0)]
    return b"".join([*steps, answer(errno.ENOSYS)])


def install(kernel: int | None = None) -> None:
    """Put the filter on this process and its children, which may then not kill the kernel.

    Raises:
        OSError: when this Linux cannot do so.
    """
    if not sys.platform.startswith("linux"):
        return
    libc, code = ctypes.CDLL(None, use_errno=True), program(kernel)
    buffer = ctypes.create_string_buffer(code)
    whole = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer)))
    if libc.prctl(38, 1, 0, 0, 0) or (code and libc.prctl(22, 2, whole)):  # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
        raise OSError(ctypes.get_errno(), "no system calls can be refused")


def kill(number: int, what: int) -> None:
    """os.kill, for a kernel behind the filter: children can be killed."""
    if what != signal.SIGKILL or number <= 0 or not program():
        send(number, what)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(NUMBERS["tgkill"][list(MACHINES).index(platform.machine())], number, number, what):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
