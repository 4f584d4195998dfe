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
