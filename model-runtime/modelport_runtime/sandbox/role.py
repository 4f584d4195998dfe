"""What each of a runtime's two processes may do in its sandbox."""

from dataclasses import dataclass
from pathlib import Path

from modelport_runtime.sandbox import allowed, refusals

_TCGETS, _TIOCGWINSZ, _FIONREAD = 0x5401, 0x5413, 0x541B
_FIONBIO, _FIONCLEX, _FIOCLEX = 0x5421, 0x5450, 0x5451
_IOCTLS = (_TCGETS, _TIOCGWINSZ, _FIONREAD, _FIONBIO, _FIONCLEX, _FIOCLEX)

_FILES_OF_A_MODEL = 64
"""Each may hold a pipe's buffer, which no memory limit of the process counts."""

# Below /proc/self: what glibc, OpenBLAS, ONNX Runtime and threadpoolctl look up of their own process.
_OF_A_MODEL = ("cgroup", "maps", "stat", "statm", "status")
# Prometheus' collector of the process.
_OF_THE_FRONT = ("cgroup", "fd", "limits", "stat", "statm", "status")


@dataclass(frozen=True)
class Role:
    """`calls` are names; `ioctls` numbers; `child` is the one other process that may be sent signals.

    artifact: the one file of others that may be read. descriptors: so many may be open; None: as before.
    """

    calls: frozenset[str]
    proc: tuple[str, ...]
    ioctls: tuple[int, ...] = _IOCTLS
    artifact: Path | None = None
    child: int | None = None
    descriptors: int | None = None


def of_a_model(framework: str, artifact: Path) -> Role:
    return Role(
        calls=allowed.of_a_model(framework),
        proc=_OF_A_MODEL,
        artifact=artifact,
        descriptors=_FILES_OF_A_MODEL,
    )


def of_the_front(child: int) -> Role:
    return Role(
        calls=allowed.OF_THE_FRONT,
        proc=_OF_THE_FRONT,
        ioctls=(*_IOCTLS, refusals.RECEIVE, refusals.SEND),
        child=child,
    )
