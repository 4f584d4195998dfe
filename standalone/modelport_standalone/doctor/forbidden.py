"""What a pickle names that the sandbox stops, or that hides what it does: a fitted model names none of it."""

from collections.abc import Iterable, Iterator

from modelport_crds.reasons import Reason
from modelport_runtime.sandbox.attempts import REPORTED_EVENTS

from modelport_standalone.doctor.report import Trouble

_SAME = {
    "__builtin__": "builtins",
    "_posixsubprocess": "subprocess",
    "_socket": "socket",
    "nt": "os",
    "posix": "os",
}
_ALL_OF = {"pty", "socket", "subprocess"}
_OF_OS = {
    "execl",
    "execlp",
    "execv",
    "execve",
    "popen",
    "posix_spawnp",
    "replace",
    "spawnl",
    "spawnv",
    "unlink",
}
"""Beside those that Python's audit hooks call as `os` does."""
_OF_TEXTS = {"__import__", "compile", "eval", "exec"}


def violations(references: Iterable[tuple[str, str]]) -> Iterator[Trouble]:
    """Yield one for each function that reading the file may call, and a model may not."""
    for module, name in references:
        known = _SAME.get(module, module)
        if known == "builtins" and name in _OF_TEXTS:
            what = "runs whatever text the file gives it: what that does cannot be seen here"
        elif _is_stopped(known, name):
            what = "a model may not call, and reading the file may"
        else:
            continue
        yield Trouble(Reason.SANDBOX_VIOLATION, f"The file names {module}.{name}, which {what}.")


def _is_stopped(module: str, name: str) -> bool:
    return module in _ALL_OF or f"{module}.{name}" in REPORTED_EVENTS or (module == "os" and name in _OF_OS)
