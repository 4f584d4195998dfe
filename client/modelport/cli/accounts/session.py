"""login, register, whoami, logout."""

import os
import sys
from typing import Annotated

import typer

from modelport import credentials
from modelport.cli.failures.hints import API_KEY
from modelport.cli.options import DEFAULT_URL, AsJson, PasswordFromStdin, Url
from modelport.cli.output import note, print_json, print_line
from modelport.client import Modelport
from modelport.errors import Forbidden, ModelportError

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The account's e-mail address.")]


def add_to(app: typer.Typer) -> None:
    """Register `login`, `register`, `whoami` and `logout` on the app."""
    for command in (login, register, whoami, logout):
        app.command()(command)


def login(
    email: Email,
    password_stdin: PasswordFromStdin = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Log in; later commands use the session until `modelport logout`."""
    password = read_password(password_stdin, confirm=False)
    with Modelport(url) as client:
        _open_session(client, email, password)
        _report(client.url, email, as_json)
    _note_key_in_use()


def register(  # noqa: PLR0917 - Typer gives each of them by name
    email: Email,
    full_name: Annotated[str | None, typer.Option("--name", help="Your name.")] = None,
    invite: Annotated[
        str | None,
        typer.Option("--invite", help="What follows invite= in the link that an administrator gave you."),
    ] = None,
    password_stdin: PasswordFromStdin = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make an account and log in."""
    password = read_password(password_stdin, confirm=True)
    with Modelport(url) as client:
        client.register(email, password, full_name=full_name, invite=invite)
        _open_session(client, email, password)
        _report(client.url, email, as_json)
    _note_key_in_use()


def whoami(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show whose credentials are in use."""
    with Modelport(url) as client:
        try:
            user = client.me()
        except Forbidden:
            # The platform shows an API key nothing about the account.
            user_id, email = None, None
        else:
            user_id, email = user.id, user.email
    if as_json:
        print_json({"url": client.url, "id": user_id, "email": email})
    else:
        print_line(f"{email or 'An API key'} at {client.url}")


def logout(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """End the session, here and on the platform."""
    kept = credentials.load(url)
    credentials.forget(url)
    if kept is not None and kept.refresh_token is not None:
        _end_session(url, kept.refresh_token)
    note(f"Logged out of {url}.")
    _note_key_in_use()
    if as_json:
        print_json({"url": url})


def _end_session(url: str, refresh_token: str) -> None:
    try:
        with Modelport(url) as client:
            client.logout(refresh_token)
    except ModelportError as error:
        note(f"The platform was not notified; the session ends there by itself. {error.detail}")


def _open_session(client: Modelport, email: str, password: str) -> None:
    credentials.save(client.url, client.login(email, password))


def _note_key_in_use() -> None:
    if os.environ.get(API_KEY):
        note(f"{API_KEY} is set, and is what other commands use: `unset {API_KEY}` ends that.")


def _report(url: str, email: str, as_json: bool) -> None:
    if as_json:
        print_json({"url": url, "email": email})
    else:
        print_line(f"Logged in to {url} as {email}.")


def read_password(from_stdin: bool, *, confirm: bool, name: str = "Password") -> str:
    """Never an argument: those are in the shell's history and in every process list.

    From stdin a line is one password.
    """
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password: str = typer.prompt(name, hide_input=True, confirmation_prompt=confirm, err=True)
    return password
