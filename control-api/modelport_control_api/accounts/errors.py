"""Errors about the caller's own account, which every room of accounts may raise."""

from modelport_control_api.errors import DomainError
from modelport_control_api.http.principal import REALM


class Unauthorized(DomainError):
    status = 401

    def __init__(self) -> None:
        super().__init__()
        self.headers["WWW-Authenticate"] = REALM


class AccountGone(Unauthorized):
    """It was deleted while a request of its owner was on its way."""

    message = "The account was deleted: register again, or log in with another one."
