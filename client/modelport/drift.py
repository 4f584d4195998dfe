"""How live inputs compare with the rows that a version was trained on."""

from dataclasses import dataclass, field
from typing import Any

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
    """The whole response, with both distributions of every feature."""

    @classmethod
    def from_json(cls, data: Json) -> "Drift":
        """Read the API's JSON. Raises KeyError without version or state, or without a feature's figures."""
        return cls(
            version=data["version"],
            state=data["state"],
            message=data.get("message") or "",
            rows=data.get("rows") or 0,
            features=tuple(
                FeatureDrift(
                    name=each["name"],
                    drifts=each["drifts"],
                    psi=each["psi"],
                    p_value=each["p_value"],
                    summary=each.get("summary") or "",
                    change=each.get("change") or "none",
                )
                for each in data.get("features") or ()
            ),
            raw=data,
        )
