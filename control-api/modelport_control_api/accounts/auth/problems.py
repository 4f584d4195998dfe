"""What the errors of this slice look like to a caller."""

from modelport_http.problem import FieldError, Problem

from modelport_control_api.accounts.auth.errors import (
    AuthError,
    EmailTaken,
    InviteInvalid,
    InviteNeeded,
    InviteNotFound,
    PasswordTooWeak,
    RefreshTokenInvalid,
    RefreshTokenReused,
    RegistrationClosed,
    UserNotFound,
    WrongCurrentPassword,
    WrongEmailOrPassword,
)
from modelport_control_api.http.principal import unauthorized

_UNAUTHORIZED: dict[type[AuthError], str] = {
    WrongEmailOrPassword: "Wrong e-mail address or password.",
    RefreshTokenInvalid: "The refresh token is unknown, expired or revoked: log in again.",
    RefreshTokenReused: "The refresh token was used before, so its session has been ended: log in again.",
}


_STATUSES: dict[type[AuthError], tuple[int, str]] = {
    RegistrationClosed: (403, "This platform takes no registrations: ask its administrator for an account."),
    InviteNeeded: (403, "Registration is by invitation: open the link that an administrator gave you."),
    InviteInvalid: (403, "The invitation is unknown, used or expired: ask an administrator for another."),
    InviteNotFound: (404, "No such invitation: list them with GET /api/v1/admin/invites."),
    UserNotFound: (404, "No such account: list them with GET /api/v1/admin/users."),
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
    if type(error) in _STATUSES:
        status, detail = _STATUSES[type(error)]
        return Problem(status=status, detail=detail)
    return unauthorized(_UNAUTHORIZED[type(error)])


def _invalid(errors: list[FieldError]) -> Problem:
    detail = "; ".join(f"{error['field']} {error['message']}" for error in errors)
    return Problem(status=422, detail=f"{detail}.", errors=errors)
