"""What the errors of this slice look like to a caller."""

from modelport_edge.problem import FieldError, Problem

from modelport_control_api.auth.errors import (
    AuthError,
    EmailTaken,
    PasswordTooWeak,
    RefreshTokenInvalid,
    RefreshTokenReused,
    WrongCurrentPassword,
    WrongEmailOrPassword,
)
from modelport_control_api.auth.principal import unauthorized

_UNAUTHORIZED: dict[type[AuthError], str] = {
    WrongEmailOrPassword: "Wrong e-mail address or password.",
    RefreshTokenInvalid: "The refresh token is unknown, expired or revoked: log in again.",
    RefreshTokenReused: "The refresh token was used before, so its session has been ended: log in again.",
}


def as_problem(error: AuthError) -> Problem:
    match error:
        case EmailTaken():
            return Problem(
                status=409,
                detail=f"{error.email} is registered already: log in, or register another address.",
            )
        case PasswordTooWeak():
            return _invalid([{"field": "password", "message": rule} for rule in error.rules])
        case WrongCurrentPassword():
            return _invalid([{"field": "current_password", "message": "is not the account's password"}])
    return unauthorized(_UNAUTHORIZED[type(error)])


def _invalid(errors: list[FieldError]) -> Problem:
    detail = "; ".join(f"{error['field']} {error['message']}" for error in errors)
    return Problem(status=422, detail=f"{detail}.", errors=errors)
