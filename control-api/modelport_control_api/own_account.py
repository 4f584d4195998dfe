"""A user's own account, with what it holds of models: beside `accounts`, since models lie on a higher
floor.
"""

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from modelport_control_api.accounts.auth import accounts
from modelport_control_api.accounts.auth.schemas import UserOut
from modelport_control_api.accounts.wiring import Accounts
from modelport_control_api.http.principal import CurrentPrincipal
from modelport_control_api.http.responses import never_stored, problems
from modelport_control_api.models.access import Models


class QuotaOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    models: int
    max_models: int
    bytes: int = Field(description="The sum of the three that follow.")
    model_bytes: int = Field(description="Of the files of all versions.")
    job_bytes: int = Field(description="Of the inputs and results of batch jobs, until they are removed.")
    reference_bytes: int = Field(description="Of what is kept of drift references.")
    max_bytes: int


class AccountOut(UserOut):
    quota: QuotaOut = Field(description="What it holds, and the most that it may.")


router = APIRouter(prefix="/api/v1/auth", tags=["accounts"], dependencies=[Depends(never_stored)])


@router.get("/me", responses=problems(401))
async def read_account(principal: CurrentPrincipal, services: Accounts, models: Models) -> AccountOut:
    """The account that the credential belongs to, what it holds, and how much it may."""
    user = UserOut.model_validate(await accounts.get(services, principal.user_id))
    quota = QuotaOut.model_validate(await models.holding(principal.user_id))
    return AccountOut(**user.model_dump(), quota=quota)
