"""account email, password, delete, set-password."""

from typing import Annotated

import typer

from modelport import credentials
from modelport.cli.accounts.session import read_password
from modelport.cli.options import DEFAULT_URL, AsJson, PasswordFromStdin, Url, Yes
from modelport.cli.output import counted, note, print_json, print_line
from modelport.client import Modelport
from modelport.models import User

app = typer.Typer(help="Change your own account (needs a login).", no_args_is_help=True)

_FROM_STDIN = "Read the passwords from stdin, a line each: the current one, then the new one."


@app.command()
def email(
    address: Annotated[str, typer.Argument(metavar="EMAIL", help="The new e-mail address.")],
    password_stdin: PasswordFromStdin = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Change the e-mail address that you log in with."""
    password = read_password(password_stdin, confirm=False)
    with Modelport(url) as client:
        user = client.account.update(email=address, current_password=password)
    _report(user, f"You log in as {user.email} from now on.", as_json)


@app.command()
def password(
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help=_FROM_STDIN)] = False,
    revoke_keys: Annotated[bool, typer.Option("--revoke-keys", help="End all API keys, too.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Set a new password. All other sessions end."""
    current = read_password(password_stdin, confirm=False, name="Current password")
    new = read_password(password_stdin, confirm=True, name="New password")
    with Modelport(url) as client:
        user = client.account.update(password=new, current_password=current, revoke_api_keys=revoke_keys)
    _report(user, "Your password is changed, and all other sessions have ended.", as_json)


@app.command()
def delete(
    delete_models: Annotated[
        bool, typer.Option("--delete-models", help="Your models go, too; needed if you have any.")
    ] = False,
    password_stdin: PasswordFromStdin = False,
    yes: Yes = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Delete your account with all that belongs to it."""
    with Modelport(url) as client:
        user = client.me()
        if not yes:
            typer.confirm(f"{_what_goes(user)} There is no way back. Go on?", abort=True, err=True)
        current = read_password(password_stdin, confirm=False)
        client.account.delete(current, delete_models=delete_models)
    credentials.forget(url)
    _report(user, f"The account {user.email} is deleted.", as_json)


@app.command("set-password")
def set_password(
    link: Annotated[str, typer.Argument(metavar="LINK", help="As an administrator gave it to you.")],
    password_stdin: PasswordFromStdin = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Set a password by the link of an administrator. It works once, and all your sessions end."""
    new = read_password(password_stdin, confirm=True, name="New password")
    with Modelport(url) as client:
        client.account.set_password(link, new)
    note("The password is set: log in with it.")
    if as_json:
        print_json({"url": url})


def _what_goes(user: User) -> str:
    models = (user.quota or {}).get("models", 0)
    return (
        f"The account {user.email} goes with its sessions, API keys, batch jobs and "
        f"{counted(models, 'model')}, which stop serving."
    )


def _report(user: User, words: str, as_json: bool) -> None:
    if as_json:
        print_json({"id": user.id, "email": user.email})
    else:
        print_line(words)
