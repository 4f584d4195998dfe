"""The call on one's own account of docs/api.md: beside `accounts`, since what it holds is models."""

from fastapi import APIRouter, Depends

from modelport_control_api.accounts.auth import accounts
from modelport_control_api.accounts.auth.schemas import UserOut
from modelport_control_api.accounts.wiring import Accounts
from modelport_control_api.http.principal import CurrentPrincipal
from modelport_control_api.http.responses import never_stored, problems
from modelport_control_api.models.access import Models
from modelport_control_api.own_account.schemas import AccountOut, QuotaOut

router = APIRouter(prefix="/api/v1/auth", tags=["accounts"], dependencies=[Depends(never_stored)])


@router.get("/me", responses=problems(401))
async def read_account(principal: CurrentPrincipal, services: Accounts, models: Models) -> AccountOut:
    """The account that the credential belongs to, what it holds, and how much it may."""
    user = UserOut.model_validate(await accounts.get(services, principal.user_id))
    quota = QuotaOut.model_validate(await models.holding(principal.user_id))
    return AccountOut(**user.model_dump(), quota=quota)
