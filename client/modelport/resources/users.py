"""`client.users`."""

from typing import Literal

from modelport.calls import users
from modelport.models import PasswordLink, PlatformUser
from modelport.transport.blocking import Transport


class Users:
    """Everybody's accounts, for administrators who are logged in. A user is named by id or e-mail address.

    Every method raises `ModelportError`: `Forbidden` for others than administrators, `NotFound` for no user.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, user: str) -> PlatformUser:
        """Return one account."""
        return self._transport.run(users.get(user))

    def update(
        self,
        user: str,
        *,
        is_admin: bool | None = None,
        disabled: bool | None = None,
        max_models: int | Literal["default"] | None = None,
        max_bytes: int | Literal["default"] | None = None,
    ) -> PlatformUser:
        """Change an account; what is left out stays.

        Args:
            disabled: True ends sessions, links and batch jobs, and API keys rest until it is False again.
            max_models: The most that it may hold; `"default"`: as everybody. `max_bytes` likewise.

        Raises:
            Conflict: It is your own account, or the only administrator's.
        """
        return self._transport.run(
            users.update(
                user, is_admin=is_admin, disabled=disabled, max_models=max_models, max_bytes=max_bytes
            )
        )

    def password_link(self, user: str, *, hours: int = 24) -> PasswordLink:
        """Make a link with which the user sets a new password, once; only this response has it.

        Raises:
            Conflict: The account is disabled.
        """
        return self._transport.run(users.password_link(user, hours))

    def transfer(self, user: str, to: str) -> list[str]:
        """Give all models of an account to another one; predictions stored of them are deleted.

        Returns:
            The ids of the models.

        Raises:
            Conflict: The other account has no room for them, or is disabled.
        """
        return self._transport.run(users.transfer(user, to))

    def delete(self, user: str, *, delete_models: bool = False, models_to: str | None = None) -> None:
        """Delete an account with its sessions, keys, batch jobs and invitations.

        Args:
            delete_models: Its models go, too.
            models_to: The account that gets its models.

        Raises:
            Conflict: It has models and neither was said, or it is your own, or the only administrator's.
        """
        return self._transport.run(users.delete(user, delete_models=delete_models, models_to=models_to))

    def list(self) -> list[PlatformUser]:
        """Return everybody with an account."""
        return self._transport.run(users.LIST.whole())

    __call__ = list
