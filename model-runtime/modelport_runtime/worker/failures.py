"""Which reason of the closed set a failed load has, and what happened. The cure stands with the reason."""

import builtins
import traceback
from collections.abc import Iterator

from modelport_runtime.core.backends.own_code.traces import place_in_code
from modelport_runtime.core.types import DamagedWhoeverSavedIt, LoadError, without_paths
from modelport_runtime.inspection.libraries import Inspected, defined_in_main, is_here, missing_module, moved

_MAX_LINE = 500


def explain(
    error: BaseException, inspected: Inspected, attempts: tuple[str, ...], memory_bytes: int
) -> LoadError:
    """Turn what a load raised into a reason and a message.

    attempts: what the sandbox saw the model try. It decides only where the load failed anyway.
    """
    chain = list(error_and_causes(error))
    if any(isinstance(link, MemoryError) for link in chain):
        return LoadError(
            "OutOfMemory",
            f"Loading needs more memory than its limit of {_human(memory_bytes)}.",
        )
    return (
        _violation(chain, attempts)
        or _mismatch(error, inspected)
        or moved(chain)
        or _missing(chain)
        or (error if isinstance(error, LoadError) else _failed(error))
    )


def last_line(error: BaseException) -> str:
    """Return the line that Python would end the trace with, bounded."""
    text = "".join(traceback.format_exception_only(error)).strip()
    return without_paths(text.splitlines()[-1])[:_MAX_LINE] if text else type(error).__name__


def error_and_causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from: libraries wrap what the kernel reported in errors of their own."""
    seen: set[int] = set()
    link: object = error
    while isinstance(link, BaseException) and id(link) not in seen:
        seen.add(id(link))
        yield link
        wrapped = getattr(link, "reason", None)
        link = wrapped if isinstance(wrapped, BaseException) else link.__cause__ or link.__context__


def _violation(chain: list[BaseException], attempts: tuple[str, ...]) -> LoadError | None:
    denied = next((link for link in chain if isinstance(link, PermissionError)), None)
    final = isinstance(chain[0], LoadError) and chain[0].reason != "NotAModel"
    if denied is None and (final or not attempts):
        return None
    tried = "; ".join(attempts) or _attempted(denied)
    return LoadError(
        "SandboxViolation",
        f"Loading the file tried something that a model may not do: {tried}.",
    )


def _attempted(denied: BaseException | None) -> str:
    if denied is None:
        return "an operation that the sandbox refused"
    frames = traceback.extract_tb(denied.__traceback__)
    return f"{last_line(denied)} (in {frames[-1].name})" if frames else last_line(denied)


def _missing(chain: list[BaseException]) -> LoadError | None:
    for link in chain:
        if isinstance(link, LoadError) and link.reason == "MissingModule":
            return link
        if isinstance(link, ModuleNotFoundError) and link.name and not is_here(link.name):
            return missing_module(link.name)
        if isinstance(link, AttributeError) and "<module '__main__'" in str(link):
            return defined_in_main(link.name or str(link))
    return None


_STATES_A_FACT = ("DigestMismatch", "ArtifactNotFound", "SandboxUnavailable", "SampleInvalid", "NotAModel")


def _mismatch(error: BaseException, inspected: Inspected) -> LoadError | None:
    """Whatever is wrong with a file of another version is reported as that, but for plain facts about it."""
    if isinstance(error, DamagedWhoeverSavedIt):
        return error
    if isinstance(error, LoadError) and error.reason in ("LibraryMismatch", *_STATES_A_FACT):
        return error
    if not inspected.differences or _needs_what_is_no_library_of_these(error):
        return None
    shown = error.message if isinstance(error, LoadError) else last_line(error)
    return LoadError(
        "LibraryMismatch",
        f"{' '.join(inspected.differences)} It does not work with it: {shown} "
        "Save the model again with the version that is here, or export it to ONNX.",
    )


def _needs_what_is_no_library_of_these(error: BaseException) -> bool:
    chain = list(error_and_causes(error))
    return moved(chain) is None and _missing(chain) is not None


def _failed(error: BaseException) -> LoadError:
    if isinstance(error, SystemExit | KeyboardInterrupt):
        raised = f"{type(error).__name__}({str(error)[:_MAX_LINE]})"
        return LoadError(
            "LoadFailed",
            f"Loading tried to end the process: {raised}. A model must not exit when it is loaded.",
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        return missing_module(error.name)
    if type(error).__module__ == builtins.__name__ and isinstance(error, EOFError | UnicodeDecodeError):
        return LoadError("CorruptArtifact", f"The file is cut off or damaged ({last_line(error)}).")
    place = place_in_code(error)
    return LoadError("LoadFailed", f"Loading raised {last_line(error)}{f' ({place})' if place else ''}.")


def _human(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count / 1024**2:.0f} MiB"
