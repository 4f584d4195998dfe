"""Limits on guessing: by address, and by account against guessing from many addresses."""

from hashlib import sha256

from modelport_edge.client_address import bucket_address
from modelport_edge.rate_limiting import enforce

from modelport_control_api.auth.logins import normalise_or_keep
from modelport_control_api.context import Context
from modelport_control_api.origin import Origin


async def registration(context: Context, origin: Origin) -> None:
    """Raises a 429 problem."""
    await enforce(context.store, "register", context.settings.limit_register, bucket_address(origin.ip))


async def login(context: Context, origin: Origin, email: str) -> None:
    """Raises a 429 problem."""
    await enforce(context.store, "login", context.settings.limit_login, bucket_address(origin.ip))
    # Hashed: the store's keys are no place for people's addresses.
    subject = sha256(normalise_or_keep(email).encode()).hexdigest()
    await enforce(context.store, "login-account", context.settings.limit_login, subject)


async def password_check(context: Context, user_id: str) -> None:
    """Raises a 429 problem. A stolen access token must not become a way to guess the password."""
    await enforce(context.store, "password-check", context.settings.limit_login, user_id)
