"""How live inputs compare with the rows that a version was trained on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from modelport.transport import Transport
from modelport.uploads import opened

Json = dict[str, Any]


@dataclass(frozen=True)
class FeatureDrift:
    """`psi` and `p_value`: None until a window is full. `summary`: what it was and is, where it changed.

    `change`: `small` (certain, but too little to be drift), `large` (it drifts) or `none`.
    """

    name: str
    drifts: bool
    psi: float | None
    p_value: float | None
    summary: str
    change: str = "none"


@dataclass(frozen=True)
class Drift:
    """`state`: `no_reference`, `collecting`, `ok` or `drift`. `features`: the worst first."""

    version: str
    state: str
    message: str
    rows: int
    features: tuple[FeatureDrift, ...]
    raw: Json = field(repr=False, compare=False)
    """The whole answer, with both distributions of every feature."""

    @classmethod
    def from_json(cls, answer: Json) -> "Drift":
        return cls(
            version=answer["version"],
            state=answer["state"],
            message=answer.get("message") or "",
            rows=answer.get("rows") or 0,
            features=tuple(
                FeatureDrift(
                    name=each["name"],
                    drifts=each["drifts"],
                    psi=each["psi"],
                    p_value=each["p_value"],
                    summary=each.get("summary") or "",
                    change=each.get("change") or "none",
                )
                for each in answer.get("features") or ()
            ),
            raw=answer,
        )


class DriftCalls:
    """Part of `Modelport`."""

    _transport: Transport

    def drift(self, model_id: str, version: str) -> Drift:
        """How the version's newest inputs compare with its reference."""
        return Drift.from_json(self._transport.json("GET", _path(model_id, version, "drift")))

    def put_reference(self, model_id: str, version: str, path: str | Path) -> None:
        """Make a CSV file with a header, of the rows it was trained on, the version's reference."""
        with opened(Path(path)) as file:
            self._transport.call(
                "PUT",
                _path(model_id, version, "reference"),
                content=file,
                headers={"Content-Type": "text/csv"},
            )


def _path(model_id: str, version: str, what: str) -> str:
    return f"/api/v1/models/{quote(model_id, safe='')}/versions/{quote(version, safe='')}/{what}"
