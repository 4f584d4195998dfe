"""What a pickle names that the sandbox stops, or that hides what it does."""

from collections.abc import Iterable, Iterator

from modelport_runtime.sandbox.attempts import REPORTED_EVENTS

from modelport_standalone.doctor.report import Trouble

References = Iterable[tuple[str, str]]
_SAME = {"posix": "os", "nt": "os", "_posixsubprocess": "subprocess", "_socket": "socket"}
_ALL_OF = {"subprocess", "pty", "socket"}
"""Modules of which a model has no use for anything."""
_EVENTS = {
    "execv",
    "execve",
    "execl",
    "execlp",
    "spawnv",
    "spawnl",
    "popen",
    "unlink",
    "replace",
    "posix_spawnp",
}
"""Of `os`, beside those that Python's audit hooks call as `os` does."""
_ANY_CODE = {("builtins", "eval"), ("builtins", "exec"), ("builtins", "compile"), ("builtins", "__import__")}


def violations(references: References) -> Iterator[Trouble]:
    """Yield one for each function that a model may not call: a fitted model names none."""
    for module, name in references:
        if _is_stopped(_SAME.get(module, module), name):
            yield Trouble(
                "SandboxViolation",
                f"The file names {module}.{name}: reading it may call that, which a model may not do.",
            )


def _is_stopped(module: str, name: str) -> bool:
    return module in _ALL_OF or f"{module}.{name}" in REPORTED_EVENTS or (module == "os" and name in _EVENTS)


def hidden(references: References) -> Iterator[str]:
    """Yield a warning for each function that runs any text: what it does cannot be seen here."""
    for module, name in references:
        if (_PYTHON_2.get(module, module), name) in _ANY_CODE:
            yield f"it names {module}.{name}, which runs whatever the file gives it"


_PYTHON_2 = {"__builtin__": "builtins"}
