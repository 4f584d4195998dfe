"""What the system-call filter answers, for each machine, by running its program here; what may be read."""

import errno
import re
from importlib import import_module
from pathlib import Path

import modelport_runtime
import pytest
from modelport_runtime.sandbox import allowed, landlock, seccomp
from modelport_runtime.sandbox.allowed import Role, of_a_model, of_the_server
from modelport_runtime.sandbox.kernel import MACHINES
from modelport_runtime.sandbox.numbers import LAST_KNOWN, NUMBERS
from modelport_runtime.sandbox.seccomp import limits

PID, CHILD, UNRELATED = 100, 101, 1
_AUDIT_ARCHITECTURES = (0xC000003E, 0xC00000B7)
ALLOWED, EPERM, ENOSYS = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
IS_NOTIFIED = 0x7FC00000
MODEL = of_a_model(("sklearn",), Path("model"))
SERVER = of_the_server(CHILD)
FRAMEWORKS = ("sklearn", "onnx", "xgboost", "lightgbm")


def run_filter(
    code: list[seccomp.Instruction], machine: int, number: int, *arguments: int, architecture: int = 0
) -> int:
    """Run the program as the kernel does."""
    words = [number, architecture or _AUDIT_ARCHITECTURES[machine], 0, 0]
    for value in (*arguments, *[0] * (6 - len(arguments))):
        words += [value & 0xFFFFFFFF, value >> 32]
    at, held = 0, 0
    while True:
        what, if_true, if_false, operand = code[at]
        at += 1
        if what == 0x06:
            return operand
        if what == seccomp.LOAD:
            held = words[operand // 4]
        elif what == seccomp.AND:
            held &= operand
        else:
            holds = {
                seccomp.EQUAL: held == operand,
                seccomp.GREATER: held > operand,
                seccomp.ANY_BIT: bool(held & operand),
            }
            at += if_true if holds[what] else if_false


def result_for(name: str, machine: int, role: Role, *arguments: int) -> int:
    number = NUMBERS[name][machine]
    assert number is not None
    return run_filter(seccomp.build(machine, PID, role), machine, number, *arguments)


def there(machine: int) -> list[str]:
    return [name for name, numbers in NUMBERS.items() if numbers[machine] is not None]


@pytest.mark.parametrize("machine", range(len(MACHINES)), ids=MACHINES)
@pytest.mark.parametrize("role", [of_a_model((each,), Path("m")) for each in FRAMEWORKS] + [SERVER])
def test_only_calls_of_the_list_are_allowed(machine: int, role: Role) -> None:
    held = limits(PID, role, seccomp.REFUSED).keys()

    results = {name: result_for(name, machine, role) for name in there(machine) if name not in held}

    assert {name for name, given in results.items() if given == ALLOWED} == {
        name for name in role.calls - held if name in results
    }
    assert {name for name, given in results.items() if given == ENOSYS} == {
        name for name in allowed.ABSENT if name in results
    }
    assert set(results.values()) == {ALLOWED, EPERM, ENOSYS}


@pytest.mark.parametrize("machine", range(len(MACHINES)), ids=MACHINES)
def test_with_user_notify_each_refused_call_goes_to_the_server_process(machine: int) -> None:
    code = seccomp.build(machine, PID, MODEL, others=seccomp.USER_NOTIFY)

    def result(name: str, *arguments: int) -> int:
        return run_filter(code, machine, NUMBERS[name][machine] or 0, *arguments)

    assert {result(name) for name in ("shmat", "msgctl", "semtimedop", "mq_notify", "memfd_create")} == {
        IS_NOTIFIED
    }
    assert result("kill", UNRELATED, 9) == IS_NOTIFIED
    assert result("clone3") == ENOSYS, "glibc falls back to clone for this alone"
    assert result("mbind") == EPERM, "libraries try it, and do without"
    assert run_filter(code, machine, LAST_KNOWN + 1) == IS_NOTIFIED


@pytest.mark.parametrize("machine", range(len(MACHINES)), ids=MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments", "role", "is_allowed"),
    [
        ("kill", (PID, 9), MODEL, True),
        ("kill", (UNRELATED, 9), MODEL, False),
        ("kill", (CHILD, 9), SERVER, True),
        ("kill", (2**32 - 1, 9), SERVER, False),
        ("tgkill", (CHILD, CHILD, 9), SERVER, False),
        ("clone", (0x3D0F00,), MODEL, True),
        ("clone", (0x3D0F00 & ~0x400,), MODEL, False),
        ("clone", (0x3D0F00 | 1 << 32,), MODEL, False),
        ("clone", (17,), MODEL, False),
        ("close_range", (3, 9, 0), MODEL, True),
        ("close_range", (3, 9, 2), MODEL, False),
        ("fcntl", (3, 1030), MODEL, True),
        ("fcntl", (3, 6), MODEL, False),
        ("fcntl", (3, 1031), MODEL, False),
        ("ioctl", (3, 0x5401), MODEL, True),
        ("ioctl", (3, 0x5412), MODEL, False),
        ("ioctl", (3, 0xC0502100), SERVER, True),
        ("ioctl", (3, 0xC0502100), MODEL, False),
        ("sendto", (3, 0, 1, 0, 0, 0), MODEL, True),
        ("sendto", (3, 0, 1, 0, 1 << 40, 0), MODEL, False),
        ("sendto", (3, 0, 1, 0x20000000, 0, 0), MODEL, False),
        ("socketpair", (1, 1 | 0x80000), SERVER, True),
        ("socketpair", (1, 2), SERVER, False),
        ("socketpair", (1, 1), MODEL, False),
        ("prlimit64", (0, 7, 0, 1), MODEL, True),
        ("prlimit64", (0, 7, 1, 0), MODEL, False),
        ("prctl", (15,), MODEL, True),
        ("prctl", (22,), MODEL, False),
    ],
)
def test_arguments_decide(
    machine: int, name: str, arguments: tuple[int, ...], role: Role, is_allowed: bool
) -> None:
    assert result_for(name, machine, role, *arguments) == (ALLOWED if is_allowed else EPERM)


@pytest.mark.parametrize("machine", range(len(MACHINES)), ids=MACHINES)
def test_other_architectures_and_newer_calls_are_refused(machine: int) -> None:
    code = seccomp.build(machine, PID, MODEL)

    assert run_filter(code, machine, 0, architecture=0x40000003) == EPERM
    assert run_filter(code, machine, 0x40000000) == ENOSYS, "x32's"
    assert run_filter(code, machine, LAST_KNOWN + 1) == ENOSYS


_FAMILIES = (
    "shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semctl", "semtimedop", "msgget", "msgsnd",
    "msgrcv", "msgctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify",
    "mq_getsetattr", "socket", "socketpair", "connect", "bind", "ptrace", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "bpf", "userfaultfd",
    "process_vm_readv", "process_vm_writev", "pidfd_getfd", "perf_event_open", "unshare", "setns", "mount",
    "execve", "execveat",
)  # fmt: skip
_MOST_INSTRUCTIONS = 4096
_KINDS = {seccomp.LOAD, seccomp.AND, seccomp.EQUAL, seccomp.GREATER, seccomp.ANY_BIT, 0x06}
_HEADERS = (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h"))


@pytest.mark.parametrize("machine", range(len(MACHINES)), ids=MACHINES)
def test_what_reaches_others_is_refused_by_name_or_passed_to_the_server_process(machine: int) -> None:
    notifying = seccomp.build(machine, PID, MODEL, others=seccomp.USER_NOTIFY)
    for name in _FAMILIES:
        number = NUMBERS[name][machine]
        assert number is not None, name
        assert result_for(name, machine, MODEL) == EPERM, name
        assert run_filter(notifying, machine, number) == IS_NOTIFIED, name
    assert result_for("read", machine, MODEL) == ALLOWED


@pytest.mark.parametrize("others", [seccomp.REFUSED, seccomp.USER_NOTIFY])
def test_calls_by_x32s_numbers_are_never_allowed(others: seccomp.Instruction) -> None:
    code = seccomp.build(0, PID, SERVER, others=others)
    for number in range(LAST_KNOWN + 200):
        assert run_filter(code, 0, 0x40000000 | number) in {ENOSYS, IS_NOTIFIED}


@pytest.mark.parametrize("machine", range(len(MACHINES)), ids=MACHINES)
@pytest.mark.parametrize("role", [of_a_model((each,), Path("m")) for each in FRAMEWORKS] + [SERVER])
@pytest.mark.parametrize("others", [seccomp.REFUSED, seccomp.USER_NOTIFY])
def test_the_kernel_would_take_the_program(machine: int, role: Role, others: seccomp.Instruction) -> None:
    """As its checker reads it: known words, loads of whole words within the data, jumps that stay inside."""
    code = seccomp.build(machine, PID, role, others=others, also=frozenset({"seccomp", "sendmsg"}))
    assert len(code) <= _MOST_INSTRUCTIONS
    assert code[-1][0] == 0x06
    for at, (kind, if_true, if_false, operand) in enumerate(code):
        assert kind in _KINDS
        assert 0 <= operand < 2**32
        if kind == seccomp.LOAD:
            assert operand % 4 == 0
            assert operand < 64
        assert max(if_true, if_false) < 256
        assert at + 1 + max(if_true, if_false) < len(code) or kind == 0x06


@pytest.mark.parametrize("machine", range(len(MACHINES)), ids=MACHINES)
def test_numbers_are_the_kernels_own(machine: int) -> None:
    header = _HEADERS[machine]
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", header.read_text())
    assert len(found) > 250
    # Where 32 bits have other calls, the file names both: 64 bits take these.
    wide = {"fstatat": "newfstatat", "fadvise64": "fadvise64", "mmap": "mmap"}
    for name, number in found:
        known = NUMBERS.get(wide.get(name, name))
        if known is not None and known[machine] is not None:
            assert known[machine] == int(number), name


@pytest.mark.parametrize("machine", range(len(MACHINES)), ids=MACHINES)
def test_each_allowed_call_has_a_number(machine: int) -> None:
    """But for those that aarch64 never had, in place of which glibc makes another there."""
    replaced = {
        "arch_prctl", "access", "alarm", "dup2", "epoll_create", "epoll_wait", "getdents", "getpgrp", "lstat",
        "open", "pause", "pipe", "poll", "readlink", "select", "stat", "time",
    }  # fmt: skip
    names = SERVER.calls.union(*(of_a_model((each,), Path("m")).calls for each in FRAMEWORKS))
    missing = {name for name in names if NUMBERS[name][machine] is None}
    assert missing <= (replaced if MACHINES[machine] == "aarch64" else set())


def test_every_package_of_ours_that_the_runtime_imports_may_be_read() -> None:
    """In an image and in an editable install they lie outside of site-packages."""
    own = Path(modelport_runtime.__file__).parent
    sources = "\n".join(file.read_text() for file in own.rglob("*.py"))
    imported = set(re.findall(r"^\s*(?:from|import) (modelport_\w+)", sources, re.M))
    readable = landlock.read_set(None, ())
    assert imported
    for name in imported:
        assert Path(import_module(name).__path__[0]) in readable, name
