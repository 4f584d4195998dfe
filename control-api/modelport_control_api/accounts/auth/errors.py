"""What can be wrong with a request about an account."""

from modelport_control_api.errors import DomainError, InvalidFields
from modelport_control_api.http.principal import REALM


class EmailTaken(DomainError):
    status = 409

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is registered already: log in, or register another address.")


class PasswordTooWeak(InvalidFields):
    def __init__(self, rules: list[str]) -> None:
        super().__init__(*(("password", rule) for rule in rules))


class WrongCurrentPassword(InvalidFields):
    def __init__(self) -> None:
        super().__init__(("current_password", "is not the account's password"))


class _Unauthorized(DomainError):
    status = 401

    def __init__(self) -> None:
        super().__init__()
        self.headers["WWW-Authenticate"] = REALM


class WrongEmailOrPassword(_Unauthorized):
    message = "Wrong e-mail address or password."


class RefreshTokenInvalid(_Unauthorized):
    message = "The refresh token is unknown, expired or revoked: log in again."


class RefreshTokenReused(_Unauthorized):
    message = "The refresh token was used before, so its session has been ended: log in again."


class RegistrationClosed(DomainError):
    status = 403
    message = "This platform takes no registrations: ask its administrator for an account."


class InviteNeeded(DomainError):
    status = 403
    message = "Registration is by invitation: open the link that an administrator gave you."


class InviteInvalid(DomainError):
    """Unknown, used or expired: the caller cannot know which."""

    status = 403
    message = "The invitation is unknown, used or expired: ask an administrator for another."


class InviteNotFound(DomainError):
    status = 404
    message = "No such invitation: list them with GET /api/v1/admin/invites."


class UserNotFound(DomainError):
    status = 404
    message = "No such account: list them with GET /api/v1/admin/users."
