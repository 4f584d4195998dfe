"""Who may call which model. Pure: no I/O, no clock."""

from dataclasses import dataclass, field
from enum import Enum, auto

from modelport_gateway.routing.routes import Route

PREDICT_SCOPE = "predict"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose credential came with a request."""

    user_id: str
    admin: bool = False
    scopes: frozenset[str] = field(default=frozenset({PREDICT_SCOPE}))
    key_id: str = ""
    """The API key's id; empty for an access token."""
    model_ids: frozenset[str] | None = None
    """The only models that an API key may call; None: all that its user may."""


class Decision(Enum):
    ALLOWED = auto()
    HIDDEN = auto()
    """Not allowed, or no such model: the two must look the same."""
    NEEDS_CREDENTIAL = auto()
    NEEDS_SCOPE = auto()


def authorize(route: Route | None, caller: Caller | None) -> Decision:
    """Decide whether `caller` may call the model behind `route`. None: no credential given; no such model."""
    if route is not None and route.access == "public":
        return Decision.ALLOWED
    if caller is None:
        # Also for a model that is not there: otherwise 401 would tell which private ids exist.
        return Decision.NEEDS_CREDENTIAL
    if route is None or not _may_see(route, caller):
        return Decision.HIDDEN
    return Decision.ALLOWED if PREDICT_SCOPE in caller.scopes else Decision.NEEDS_SCOPE


def _may_see(route: Route, caller: Caller) -> bool:
    if caller.model_ids is not None and route.public_id not in caller.model_ids:
        return False
    if route.access == "authenticated" or caller.admin:
        return True
    return route.owner is not None and route.owner == caller.user_id
