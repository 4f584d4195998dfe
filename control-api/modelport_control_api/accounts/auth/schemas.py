"""Bodies of the auth calls, as docs/api.md has them, and the one spelling of an e-mail address."""

from datetime import datetime
from typing import Annotated, Literal

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from modelport_control_api.accounts.passwords import MAX_CHARACTERS
from modelport_control_api.http.bodies import Line, RequestBody

# An intranet's addresses (admin@localhost, x@corp.local) are as good as any: nothing is ever sent to them.
# The library has no argument for it; its documentation says to edit this list.
for _name in ("local", "localhost", "test"):
    if _name in SPECIAL_USE_DOMAIN_NAMES:
        SPECIAL_USE_DOMAIN_NAMES.remove(_name)


class EmailInvalid(Exception):
    """Not an address; the text names the reason."""


def normalize_or_keep(email: str) -> str:
    """What no account can have stays as it is, and is then found nowhere."""
    try:
        return normalize(email)
    except EmailInvalid:
        return email.lower().replace("\0", "")


def normalize(email: str) -> str:
    """Lower case and Unicode form NFC. No DNS is queried. Raises `EmailInvalid`."""
    try:
        checked = validate_email(email, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise EmailInvalid(str(error)) from error
    return checked.normalized.lower()


def _normalize(email: str) -> str:
    try:
        return normalize(email)
    except EmailInvalid as error:
        raise ValueError(f"is not an e-mail address: {error}") from error


Email = Annotated[str, Field(max_length=320, examples=["user@example.com"]), AfterValidator(_normalize)]
# SecretStr: neither a log nor an error shows it by accident.
Password = Annotated[SecretStr, Field(examples=["SecureP@ss123"])]
GivenPassword = Annotated[SecretStr, Field(max_length=MAX_CHARACTERS)]
FullName = Annotated[Line, Field(max_length=200, examples=["John Doe"])]
RefreshTokenText = Annotated[SecretStr, Field(max_length=200)]


class Registration(RequestBody):
    email: Email
    password: Password
    full_name: FullName | None = None
    invite: Annotated[SecretStr | None, Field(max_length=100)] = None


class Login(RequestBody):
    # Not `Email`: a bad address gets the same response as an unknown one.
    email: Annotated[str, Field(max_length=320, examples=["user@example.com"])]
    password: GivenPassword


class Refresh(RequestBody):
    refresh_token: RefreshTokenText


class AccountChange(RequestBody):
    full_name: FullName | None = None
    email: Email | None = None
    password: Password | None = None
    current_password: Annotated[GivenPassword | None, Field(validate_default=True)] = None
    revoke_api_keys: bool = Field(default=False, description="With a new password: end all API keys too")

    @field_validator("email")
    @classmethod
    def _not_taken_away(cls, value: str | None) -> str | None:
        if value is None:
            raise ValueError("must not be null; leave it out to keep it as it is")
        return value

    @field_validator("current_password")
    @classmethod
    def _required_with_either(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("password"):
            raise ValueError("is required to change the password")
        if value is None and info.data.get("email"):
            raise ValueError("is required to change the e-mail address")
        return value

    @field_validator("revoke_api_keys")
    @classmethod
    def _only_with_password(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("password"):
            raise ValueError("goes with a new password; to end single keys, delete them")
        return value

    def changes(self) -> dict[str, str | None]:
        """Return what was sent, as columns, but for the password."""
        return self.model_dump(include={"full_name", "email"}, exclude_unset=True)


class NewPassword(RequestBody):
    """`token`: what follows # in the link that an administrator gave."""

    token: Annotated[SecretStr, Field(min_length=1, max_length=100)]
    password: Password


class AccountEnd(RequestBody):
    current_password: GivenPassword
    delete_models: bool = Field(
        default=False, description="Needed where the account holds models: they go with it."
    )


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    email: str
    full_name: str | None
    created_at: datetime


class TokenPair(BaseModel):
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the OAuth2 name of the scheme
    expires_in: int = Field(description="Seconds until the access token expires")
