"""Accounts: logging in, one's own, and, for administrators, everybody's."""

import typer

from modelport.cli.accounts import keys, own, session, users


def add_to(app: typer.Typer) -> None:
    """Register `login`, `register`, `whoami`, `logout` and the groups `account`, `users` and `keys`."""
    session.add_to(app)
    app.add_typer(own.app, name="account")
    app.add_typer(users.app, name="users")
    app.add_typer(keys.app, name="keys")
