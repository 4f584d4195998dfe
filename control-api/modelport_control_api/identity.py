"""Who is calling, from where, and what the credential may do: plain data."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Origin:
    request_id: str
    ip: str


SCOPES = ("predict", "models:read", "models:write", "analytics:read")


@dataclass(frozen=True)
class Principal:
    """`model_ids` None: every model of the user. `credential_id` is the session's or the API key's id."""

    user_id: str
    email: str
    is_admin: bool
    scopes: frozenset[str]
    credential: Literal["session", "api_key"]
    credential_id: str
    model_ids: frozenset[str] | None = None

    def may_use(self, model_id: str) -> bool:
        """Whether the credential is not limited to other models."""
        return self.model_ids is None or model_id in self.model_ids


@dataclass(frozen=True, slots=True)
class Caller:
    principal: Principal
    origin: Origin
