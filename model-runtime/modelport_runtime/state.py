"""What the process is doing, as `/status` tells it. Replaced whole, so any thread may read it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from modelport_runtime.core.engine import Engine
from modelport_runtime.sandbox.report import SandboxReport
from modelport_runtime.settings import Settings


@dataclass(frozen=True)
class Inspected:
    """What was learnt of the file without loading it: library versions, and how they differ from here."""

    found: dict[str, str] = field(default_factory=dict)
    here: dict[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    phase: Literal["loading", "ready", "failed"] = "loading"
    engine: Engine | None = None
    reason: str | None = None
    message: str | None = None
    inspected: Inspected = Inspected()


def status_document(settings: Settings, sandbox: SandboxReport, state: State) -> dict[str, Any]:
    """Give the body of `GET /status`."""
    engine = state.engine
    here = state.inspected.here | (engine.libraries_here if engine else {})
    return {
        "state": state.phase,
        "reason": state.reason,
        "message": state.message,
        "model": settings.model,
        "version": settings.version,
        "sha256": settings.artifact_sha256,
        "framework": settings.framework,
        "signature": engine.signature.to_json() if engine else None,
        "sample": engine.sample if engine else None,
        "sample_source": engine.sample_source if engine else None,
        "libraries": {"found": state.inspected.found, "here": here},
        "differences": list(state.inspected.differences),
        "sandbox": {"level": sandbox.level, "detail": sandbox.detail},
    }
