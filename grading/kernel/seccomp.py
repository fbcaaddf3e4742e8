"""What Linux refuses to all processes of the jail: system calls that no namespace covers (seccomp, in BPF).

Refused are sockets to the machine below a virtual one and other rare ones; what makes the grader wait, or takes memory
that no limit counts; and what a notebook never needs of Linux, but holes in it are found by. And refused is to kill the
kernel itself, so that a kernel that was killed has been killed by the machine (see JailedKernel.notice_end).
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import platform
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
ABSENT = {  # as if Linux did not have them: what else does it is used instead
    "clone3": (435, 435),  # its flags cannot be seen, those of clone can
    **{"io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427)},  # make all calls
    "io_setup": (206, 0),
}
REFUSED = {
    # Memory that no limit counts, or that outlives its process.
    **{"shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180)},
    **{"memfd_create": (319, 279), "memfd_secret": (447, 447)},
    **{"add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219)},
    # Programs in Linux, and its parts.
    **{"bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "fanotify_init": (300, 262)},
    **{"init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106)},
    **{"kexec_load": (246, 104), "kexec_file_load": (320, 294), "syslog": (103, 116), "vmsplice": (278, 75)},
    # Other processes.
    **{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271)},
    **{"kcmp": (312, 272), "pidfd_getfd": (438, 438), "process_madvise": (440, 440)},
    # Namespaces, and what is mounted.
    **{"unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41)},
    **{"open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431)},
    **{"fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "open_tree_attr": (467, 467)},
    **{"name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "quotactl": (179, 60)},
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
    for refused, error in ((ABSENT, errno.ENOSYS), (REFUSED, errno.EPERM)):
        steps += [each for numbers in refused.values() for each in where(equal, numbers[here], answer(error))]
    return b"".join([*steps, answer(0)])


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
