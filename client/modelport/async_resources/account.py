# Generated from resources/account.py by client/generate_async.py: make docs.
"""`client.account` and `client.keys`."""

from collections.abc import Sequence
from datetime import datetime

from modelport.calls import account
from modelport.credentials import Credentials
from modelport.models import ApiKey, User
from modelport.transport.asynchronous import AsyncTransport


class AsyncAccount:
    """Who one is. Every method raises `ModelportError`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def register(
        self, email: str, password: str, *, full_name: str | None = None, invite: str | None = None
    ) -> User:
        """Make an account; it is not logged in yet.

        Args:
            invite: The token of an invitation, where the platform takes registrations by invitation only.

        Raises:
            Conflict: There is an account with this address.
            InvalidRequest: The password is too weak; `errors` names the wrong field.
        """
        return await self._transport.run(account.register(email, password, full_name, invite))

    async def login(self, email: str, password: str) -> Credentials:
        """Act as this user from now on; tokens renew themselves while this object lives.

        Returns:
            The session's tokens. Nothing keeps them beyond this object.

        Raises:
            Unauthorized: There is no such account, or the password is another.
        """
        session = await self._transport.run(account.login(email, password))
        self._transport.use(session)
        return session

    async def logout(self, refresh_token: str) -> None:
        """End that session on the platform."""
        return await self._transport.run(account.logout(refresh_token))

    async def me(self) -> User:
        """Return the user that the credential belongs to."""
        return await self._transport.run(account.me())

    async def update(
        self,
        *,
        full_name: str | None = None,
        email: str | None = None,
        password: str | None = None,
        current_password: str | None = None,
        revoke_api_keys: bool = False,
    ) -> User:
        """Change your account; what is left out stays.

        Args:
            full_name: An empty text takes the name away.
            email: What you log in with; needs `current_password`.
            password: All other sessions end; needs `current_password`.
            revoke_api_keys: With a new password: end all API keys, too.

        Raises:
            Conflict: Another account has this address.
            InvalidRequest: `current_password` is not the account's, or the new one is too weak.
        """
        return await self._transport.run(
            account.update(
                full_name=full_name,
                email=email,
                password=password,
                current_password=current_password,
                revoke_api_keys=revoke_api_keys,
            )
        )

    async def delete(self, current_password: str, *, delete_models: bool = False) -> None:
        """Delete your account with its sessions, API keys and batch jobs.

        Args:
            delete_models: Your models go, too; needed if you have any.

        Raises:
            Conflict: It has models, or is the only administrator's.
            InvalidRequest: That is not its password.
        """
        return await self._transport.run(account.delete(current_password, delete_models=delete_models))

    async def set_password(self, link: str, password: str) -> None:
        """Set a password by the link that an administrator made; it works once, and all sessions end.

        Raises:
            Forbidden: The link is unknown, used or expired.
            InvalidRequest: The password is too weak.
        """
        return await self._transport.run(account.set_password(link, password))


class AsyncKeys:
    """API keys of the account. Every method raises `ModelportError`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def create(
        self,
        name: str,
        *,
        scopes: Sequence[str] | None = None,
        model_ids: Sequence[str] | None = None,
        expires_at: datetime | None = None,
    ) -> ApiKey:
        """Make a key; only this response has its secret, `key`.

        Args:
            scopes: What it may do; only predict unless given.
            model_ids: The models that it may be used for; all of yours unless given.
            expires_at: With a time zone; it never expires unless given.

        Raises:
            Conflict: The account holds as many keys as it may.
        """
        return await self._transport.run(account.create_key(name, scopes, model_ids, expires_at))

    async def rotate(self, key_id: str, *, grace_seconds: int = 0) -> ApiKey:
        """Give a key a new secret; the old one works for `grace_seconds` more.

        Raises:
            NotFound: There is no such key, or it is another user's.
        """
        return await self._transport.run(account.rotate_key(key_id, grace_seconds))

    async def revoke(self, key_id: str) -> None:
        """End a key, at once and for good.

        Raises:
            NotFound: There is no such key, or it is another user's.
        """
        return await self._transport.run(account.revoke_key(key_id))

    async def list(self) -> list[ApiKey]:
        """Return your keys, without their secrets."""
        return await self._transport.run(account.KEYS.whole())

    __call__ = list
