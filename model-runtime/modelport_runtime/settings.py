"""A runtime process's settings: environment variables, read once at start."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

PREFIX = "MODELPORT_RUNTIME_"
Framework = Literal[
    "sklearn",
    "onnx",
    "xgboost",
    "lightgbm",
    "catboost",
    "jax",
    "river",
    "statsmodels",
    "torch",
    "transformers",
    "autogluon",
    "tensorflow",
    "python",
    "ensemble",
]
Acceleration = Literal["auto", "off"]
_ACCELERATED = ("sklearn", "torch", "tensorflow")
_MAX_SAMPLE_BYTES = 64 * 1024


class SettingsError(Exception):
    """A variable is missing or wrong; the message names it and what it must be."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Written by the operator into the pod template, never by a person."""

    model: str
    """The model's public id, copied into every response."""
    version: str
    """The version's name, copied into every response."""
    framework: Framework
    """`sklearn`, `onnx`, `xgboost`, `lightgbm`, `catboost`, `jax`, `river`, `statsmodels`, `torch`,
    `transformers`, `autogluon`, `tensorflow`, `python` or `ensemble`: what reads the file; the last two are
    code of a user's own, which reads it itself, and versions of the others joined to be one."""
    artifact: Path
    """The model file."""
    artifact_sha256: str
    """The digest that the file must have (64 hexadecimal digits); any other is not loaded."""
    listen: str = "127.0.0.1:8080"
    """`host:port` or `unix:/path`: where to serve HTTP."""
    sample: dict[str, Any] | None = None
    """A JSON predict body, `{"input": row}`, that the model must predict to be ready; at most 64 KiB."""
    load_timeout_seconds: int = 60
    """After so long the process ends by SIGALRM, even while a C extension holds Python's lock. Time in which
    other processes had its processor does not count, up to ten times as long by the clock on the wall."""
    memory_bytes: int = 2 * 1024**3
    """Address space of the process. Libraries reserve more than they use: below 1 GiB little loads."""
    max_batch_size: int = 64
    """Rows that go through the model in one call, and requests that wait for it together."""
    max_body_bytes: int = 8 * 1024**2
    """A larger request body gets 413."""
    max_queue: int = 256
    """Requests that may wait for the model; more get 503, because they would wait too long."""
    stuck_after_seconds: int = 60
    """A model that works for so long, when all callers have given up, fails `/healthz`, to be restarted."""
    allow_unsandboxed: bool = False
    """Load formats that can run code although this machine cannot isolate them."""
    acceleration: Acceleration = "auto"
    """`auto`: predict with NumPy kernels where they were proven to equal the model; `off`: never."""
    recheck_every: int = 1000
    """One request in so many is compared with the model's own prediction; 0 ends the model once proven."""
    model_python: Path | None = None
    """The Python of an environment, which reads the file in a process of its own; unset: this one does."""
    packages: Path | None = None
    """With `model_python`: a folder with the model's own packages, which only the sandbox ever imports."""
    parent_pid: int | None = None
    """Standalone only: end as soon as this process has ended."""

    @property
    def may_accelerate(self) -> bool:
        return self.acceleration == "auto" and self.framework in _ACCELERATED


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the `MODELPORT_RUNTIME_*` variables. Raises `SettingsError`."""
    given = {}
    for field in fields(Settings):
        name = PREFIX + field.name.upper()
        text = environment.get(name, "")
        if text:
            given[field.name] = _parse(name, field.name, text)
        elif field.default is field.default_factory:
            raise SettingsError(f"{name} is not set; the operator sets it in the pod template.")
    return Settings(**given)


def _parse(name: str, field: str, text: str) -> Any:
    parse = _PARSERS.get(field, str)
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"{name} is {text[:80]!r}, but {error}{_example(name, field)}.") from None


def _example(name: str, field: str) -> str:
    """From the defaults, which are as the parsers want them; what has none is listed in the error itself."""
    default = getattr(Settings, field, None)
    return "" if default is None else f", e.g. {name}={str(default).lower()}"


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError("it must be a whole number above 0")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError("it must be a whole number, 0 or more")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("it must be true or false")
    return text == "true"


def _digest(text: str) -> str:
    digest = text.removeprefix("sha256:").lower()
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ValueError("it must be 64 hexadecimal digits")
    return digest


def _one_of(allowed: Any, text: str) -> str:
    if text not in get_args(allowed):
        raise ValueError(f"it must be one of {', '.join(get_args(allowed))}")
    return text


def _address(text: str) -> str:
    if not text.startswith("unix:/") and not text.rpartition(":")[2].isdigit():
        raise ValueError("it must be host:port or unix:/path")
    return text


def _sample(text: str) -> dict[str, Any]:
    if len(text) > _MAX_SAMPLE_BYTES:
        raise ValueError(f"it must have at most {_MAX_SAMPLE_BYTES} bytes")
    try:
        sample = json.loads(text)
    except ValueError:
        raise ValueError("it must be JSON") from None
    if not isinstance(sample, dict):
        raise ValueError('it must be a predict body, {"input": row}')
    return sample


_PARSERS: dict[str, Callable[[str], Any]] = {
    "framework": partial(_one_of, Framework),
    "artifact": Path,
    "artifact_sha256": _digest,
    "listen": _address,
    "sample": _sample,
    "load_timeout_seconds": _positive,
    "memory_bytes": _positive,
    "max_batch_size": _positive,
    "max_body_bytes": _positive,
    "max_queue": _positive,
    "stuck_after_seconds": _positive,
    "allow_unsandboxed": _flag,
    "acceleration": partial(_one_of, Acceleration),
    "recheck_every": _count,
    "model_python": Path,
    "packages": Path,
    "parent_pid": _positive,
}
