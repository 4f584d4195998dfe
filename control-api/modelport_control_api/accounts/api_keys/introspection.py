"""What the gateway queries about an API key. It sends the digest alone: the key never leaves the gateway."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from modelport_control_api.accounts.api_keys import repository
from modelport_control_api.accounts.tables import ApiKey
from modelport_control_api.accounts.wiring import Accounts, AccountServices
from modelport_control_api.http.bodies import RequestBody

router = APIRouter(prefix="/internal/v1")


class IntrospectionRequest(RequestBody):
    key_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Inactive(BaseModel):
    active: bool = False


class Active(BaseModel):
    active: bool = True
    key_id: str
    user_id: str
    scopes: list[str]
    model_ids: list[str] | None
    expires_at: datetime | None


@router.post("/introspect")
def introspect(request: IntrospectionRequest, services: Accounts) -> Active | Inactive:
    """Return what a key may do, and note its use; `Inactive` if it is unknown, revoked or expired."""
    key = _find(services, request.key_sha256)
    if key is None:
        return Inactive()
    if repository.is_use_stale(key):
        with services.database.transaction() as session:
            repository.touch(session, key.id)
    expires_at = repository.expiry_of(key, request.key_sha256)
    return Active(
        key_id=key.id, user_id=key.user_id, scopes=key.scopes, model_ids=key.model_ids, expires_at=expires_at
    )


def _find(services: AccountServices, key_sha256: str) -> ApiKey | None:
    with services.database.transaction(read_only=True) as session:
        found = repository.find_active(session, key_sha256)
    return None if found is None else found[0]
