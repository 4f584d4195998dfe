"""What the calls for administrators return, as docs/api.md has it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from modelport_control_api.http.bodies import Line, RequestBody
from modelport_control_api.models.schemas import Status


class Check(BaseModel):
    """`detail` names what is wrong; empty when nothing is."""

    ok: bool
    milliseconds: float = Field(description="How long it took to respond.")
    detail: str


class DiskFigures(BaseModel):
    folder: str = Field(description="Of the platform's files, on this disk.")
    total_bytes: int
    free_bytes: int


class Machine(BaseModel):
    """Of the replica that responds: on Kubernetes the node of its pod, else the one machine that there is.

    What the machine does not tell is null.
    """

    name: str
    processors: int = Field(description="That the control API may use.")
    cpu: float | None = Field(
        description="The share of all processors' time in use since health was last read here, 0 to 1."
    )
    memory_total_bytes: int | None
    memory_available_bytes: int | None = Field(description="What is left without swapping.")
    disks: list[DiskFigures] = Field(
        description="Those with the platform's own files; none where files are in S3 and rows in PostgreSQL."
    )


class SystemHealth(BaseModel):
    """Numbers are null while the database does not respond."""

    ok: bool = Field(description="All checks are.")
    version: str = Field(description="Of the platform.")
    database: Check
    artifacts: Check = Field(description="The store of model files.")
    shared_store: Check = Field(description="Redis; in one process its memory.")
    cluster: Check = Field(description="The watch of the cluster's models.")
    machine: Machine
    users: int | None
    models: dict[Status, int] | None = Field(description="Of each status how many; those of kubectl too.")
    outbox_waiting: int | None = Field(description="Models whose last change is not yet published.")
    outbox_oldest_seconds: float | None = Field(description="For how long; null where none waits.")
    usage_age_seconds: float | None = Field(
        description="Since usage was last written to the ledger; null: never. "
        "While there are requests it is some seconds: more means that gateways or Redis are behind."
    )
    usage_dropped: int | None = Field(
        description="Requests that gateways had to forget, of what was written in the last 24 hours."
    )
    jobs: dict[Literal["queued", "running"], int] | None = Field(description="Batch jobs in progress.")


class UserEntry(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    email: str
    full_name: str | None
    is_admin: bool
    disabled_at: datetime | None = Field(description="null: the account is enabled.")
    created_at: datetime
    models: int
    bytes: int = Field(description="Of the files of all versions of its models.")
    max_models: int = Field(description="The most models that it may hold.")
    max_bytes: int = Field(description="The most bytes that it may hold.")
    own_max_models: int | None = Field(description="Set for this user; null: as for everybody.")
    own_max_bytes: int | None = Field(description="Set for this user; null: as for everybody.")
    last_seen_at: datetime | None = Field(
        description="The last login or refresh, or use of a key; null: never, or longer ago than it is kept."
    )


class UserList(BaseModel):
    items: list[UserEntry]
    next_cursor: str | None


class UserChange(RequestBody):
    """What is left out stays. A limit of null: as for everybody."""

    max_models: Annotated[int | None, Field(ge=0, le=1_000_000)] = None
    max_bytes: Annotated[int | None, Field(ge=0, le=2**53)] = None
    is_admin: bool = Field(default=False, description="Whether the user is an administrator.")
    disabled: bool = Field(
        default=False,
        description="true: sessions, links and jobs end, and keys rest; false: the user may log in again.",
    )

    def limits(self) -> dict[str, Any]:
        """Return the limits that were sent, as columns."""
        return self.model_dump(include={"max_models", "max_bytes"}, exclude_unset=True)

    def sets(self, field: Literal["is_admin", "disabled"]) -> bool:
        return field in self.model_fields_set

    def takes_away(self) -> bool:
        """Whether access tokens that were issued before say more than the user may afterwards."""
        return self.disabled or (self.sets("is_admin") and not self.is_admin)


class NewPasswordLink(RequestBody):
    hours: Annotated[int, Field(ge=1, le=168, description="For so long it can be used.")] = 24


class MadePasswordLink(BaseModel):
    token: str = Field(
        description="Given to POST /api/v1/auth/password, once; returned only this once, and stored nowhere."
    )
    url: str = Field(description="Where one sets the password; a path if the platform's address is not set.")
    expires_at: datetime


class Transfer(RequestBody):
    to: Annotated[Line, Field(max_length=320, description="Id or e-mail address of the account.")]


class Transferred(BaseModel):
    models: list[str] = Field(description="Ids of the models that have another owner now.")


class NewInvite(RequestBody):
    days: Annotated[int, Field(ge=1, le=90, description="For so long it can be used.")] = 7
    note: Annotated[Line, Field(max_length=200)] | None = Field(
        default=None, description="For whom it is, for administrators."
    )


class InviteEntry(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    note: str | None
    state: Literal["open", "used", "expired"]
    created_by: str = Field(description="Id of the administrator.")
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by: str | None = Field(description="Id of the account that was made with it.")


class MadeInvite(InviteEntry):
    token: str = Field(
        description="Given to POST /api/v1/auth/register as `invite`; returned only this once."
    )
    url: str = Field(description="Where one registers; a path if the platform's address is not set.")


class InviteList(BaseModel):
    items: list[InviteEntry]
    next_cursor: str | None
