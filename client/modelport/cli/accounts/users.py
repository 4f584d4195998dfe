"""users list, show, promote, demote, disable, enable, password-link, transfer, delete."""

from typing import Annotated

import typer

from modelport.cli.options import DEFAULT_URL, AsJson, Url, Yes
from modelport.cli.output import counted, moment_text, note, print_json, print_line, print_table, size_text
from modelport.client import Modelport
from modelport.models import PlatformUser

app = typer.Typer(
    help="Manage everybody's accounts (for administrators; needs a login).", no_args_is_help=True
)

Who = Annotated[str, typer.Argument(metavar="USER", help="Id or e-mail address of the account.")]
To = Annotated[str, typer.Option("--to", metavar="USER", help="Id or e-mail address of who gets them.")]


@app.command("list")
def list_users(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show everybody with an account."""
    with Modelport(url) as client:
        found = client.users()
    if as_json:
        print_json([user.raw for user in found])
        return
    columns = ("ID", "E-MAIL", "NAME", "ROLE", "MODELS", "FILES", "LAST SEEN")
    print_table(columns, map(_row, found))


@app.command()
def show(user: Who, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show one account."""
    with Modelport(url) as client:
        _show(client.users.get(user), as_json)


@app.command()
def promote(user: Who, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Make a user an administrator."""
    with Modelport(url) as client:
        _show(client.users.update(user, is_admin=True), as_json)


@app.command()
def demote(user: Who, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Take the role of an administrator away."""
    with Modelport(url) as client:
        _show(client.users.update(user, is_admin=False), as_json)


@app.command()
def disable(user: Who, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """End a user's sessions, links and jobs, and let the API keys rest, until the account is enabled."""
    with Modelport(url) as client:
        _show(client.users.update(user, disabled=True), as_json)


@app.command()
def enable(user: Who, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Let a disabled user log in again, and the API keys work."""
    with Modelport(url) as client:
        _show(client.users.update(user, disabled=False), as_json)


@app.command("password-link")
def password_link(
    user: Who,
    hours: Annotated[int, typer.Option(min=1, max=168, help="For so long it can be used.")] = 24,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make a link with which the user sets a new password, once. It is shown this once."""
    with Modelport(url) as client:
        link = client.users.password_link(user, hours=hours)
    if as_json:
        print_json(link.raw)
        return
    note(f"Give it to {user}. It works once, until {moment_text(link.expires_at)}, and ends all sessions:")
    print_line(link.url)


@app.command()
def transfer(user: Who, to: To, yes: Yes = False, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Give all models of an account to another one. Predictions stored of them are deleted."""
    if not yes:
        question = f"Give all models of {user} to {to}? Predictions stored of them are deleted."
        typer.confirm(question, abort=True, err=True)
    with Modelport(url) as client:
        moved = client.users.transfer(user, to)
    note(f"{counted(len(moved), 'model')} of {user} now {to}'s.")
    if as_json:
        print_json({"models": moved})


@app.command()
def delete(
    user: Who,
    *,
    delete_models: Annotated[bool, typer.Option("--delete-models", help="Its models go, too.")] = False,
    models_to: Annotated[
        str | None, typer.Option("--models-to", metavar="USER", help="Who gets its models.")
    ] = None,
    yes: Yes = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Delete an account with its sessions, keys and jobs. If it has models, an option says where they go."""
    if delete_models and models_to is not None:
        raise typer.BadParameter("either --delete-models or --models-to USER.")
    if not yes:
        typer.confirm(f"Delete {user}, {_fate(delete_models, models_to)}?", abort=True, err=True)
    with Modelport(url) as client:
        client.users.delete(user, delete_models=delete_models, models_to=models_to)
    note(f"Deleted {user}.")
    if as_json:
        print_json({"user": user})


def _fate(delete_models: bool, models_to: str | None) -> str:
    if models_to is not None:
        return f"and give the models to {models_to}"
    return "and the models with it" if delete_models else "which has no models"


def _row(user: PlatformUser) -> tuple[str, ...]:
    return (
        user.id,
        user.email,
        user.full_name or "–",
        _role(user),
        f"{user.models:,}",
        size_text(user.bytes),
        moment_text(user.last_seen_at),
    )


def _role(user: PlatformUser) -> str:
    role = "administrator" if user.is_admin else "user"
    return role if user.disabled_at is None else f"{role}, disabled"


def _show(user: PlatformUser, as_json: bool) -> None:
    if as_json:
        print_json(user.raw)
        return
    print_line(f"{user.email} ({user.id}): {_role(user)}")
    print_line(f"  models     {user.models:,} of {user.max_models:,}")
    print_line(f"  files      {size_text(user.bytes)} of {size_text(user.max_bytes)}")
    print_line(f"  last seen  {moment_text(user.last_seen_at)}")
