"""What the runtime is doing, as `/status` reports it. Replaced whole at each change."""

from dataclasses import dataclass
from typing import Any, Literal

from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.settings import Settings
from modelport_runtime.wire import LoadReport


@dataclass(frozen=True)
class Acceleration:
    """`detail`, for users: why the model itself predicts, how kernels were proven, or what differed."""

    rows_compared: int = 0
    largest_difference: float | None = None
    detail: str = "The model is being loaded."


@dataclass(frozen=True)
class State:
    """`reported` is there once the load has ended. `engine`: what predicts."""

    sandbox: SandboxReport
    phase: Literal["loading", "ready", "failed"] = "loading"
    reported: LoadReport | None = None
    engine: Literal["native", "numpy"] = "native"
    acceleration: Acceleration = Acceleration()


def status_document(settings: Settings, state: State) -> dict[str, Any]:
    """Return the body of `GET /status`."""
    reported, acceleration = state.reported, state.acceleration
    return {
        "state": state.phase,
        "reason": reported.reason if reported else None,
        "message": reported.message if reported else None,
        "model": settings.model,
        "version": settings.version,
        "sha256": settings.artifact_sha256,
        "framework": settings.framework,
        "signature": reported.signature if reported else None,
        "sample": reported.sample if reported else None,
        "sample_source": reported.sample_source if reported else None,
        "libraries": {"found": reported.found if reported else {}, "here": reported.here if reported else {}},
        "differences": reported.differences if reported else [],
        "sandbox": {"level": state.sandbox.level, "detail": state.sandbox.detail},
        "engine": state.engine,
        "acceleration": {
            "setting": settings.acceleration,
            "rows_compared": acceleration.rows_compared,
            "largest_difference": acceleration.largest_difference,
            "detail": acceleration.detail,
        },
    }
