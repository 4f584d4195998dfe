"""What can be wrong with a request about an account: plain facts, turned into problems by `problems.py`."""

from dataclasses import dataclass


class AuthError(Exception):
    """Base of them all."""


@dataclass
class EmailTaken(AuthError):
    email: str


@dataclass
class PasswordTooWeak(AuthError):
    rules: list[str]


class WrongEmailOrPassword(AuthError):
    pass


class WrongCurrentPassword(AuthError):
    pass


class RefreshTokenInvalid(AuthError):
    pass


class RefreshTokenReused(AuthError):
    pass


class RegistrationClosed(AuthError):
    pass


class InviteNeeded(AuthError):
    pass


class InviteInvalid(AuthError):
    """Unknown, used or expired: the same to whoever shows it."""


class InviteNotFound(AuthError):
    pass


class UserNotFound(AuthError):
    pass
