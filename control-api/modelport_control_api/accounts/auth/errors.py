"""What can be wrong with a request about an account."""

from modelport_http.wording import counted

from modelport_control_api.accounts.errors import Unauthorized
from modelport_control_api.errors import DomainError, InvalidFields


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


class WrongEmailOrPassword(Unauthorized):
    message = "Wrong e-mail address or password."


class RefreshTokenInvalid(Unauthorized):
    message = "The refresh token is unknown, expired or revoked: log in again."


class RefreshTokenReused(Unauthorized):
    message = "The refresh token was used before, so its session has been ended: log in again."


class AccountDisabled(DomainError):
    status = 403
    message = "The account is disabled: ask an administrator of the platform to enable it."


class NotWhileDisabled(DomainError):
    """The message says what cannot be done with a disabled account."""

    status = 409


class AccountHoldsModels(DomainError):
    """What becomes of them is the caller's to say."""

    status = 409

    def __init__(self, models: int, how: str) -> None:
        super().__init__(f"The account holds {counted(models, 'model')}. {how}")


class LastAdministrator(DomainError):
    status = 409
    message = (
        "This is the platform's only administrator whose account is enabled: make somebody else an "
        "administrator first."
    )


class OwnAccount(DomainError):
    """An administrator would lock himself out."""

    status = 409
    message = "This is your own account: another administrator can do this. To delete it, see your settings."


class PasswordLinkInvalid(DomainError):
    """Unknown, used or expired: the caller cannot know which."""

    status = 403
    message = "The link is unknown, used or expired: ask an administrator for another."


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
