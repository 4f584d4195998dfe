"""What the account's call answers, as docs/api.md has it."""

from pydantic import BaseModel, ConfigDict, Field

from modelport_control_api.accounts.auth.schemas import UserOut


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
