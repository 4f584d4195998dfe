"""keys list, create, rotate, revoke."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from modelport.cli import completion
from modelport.cli.options import DEFAULT_URL, AsJson, Url, Yes
from modelport.cli.output import moment_text, note, print_json, print_line, print_table
from modelport.cli.typed import typed
from modelport.client import Modelport
from modelport.models import ApiKey

app = typer.Typer(help="Manage API keys (needs a login).", no_args_is_help=True)

KeyId = Annotated[
    str,
    typer.Argument(
        metavar="KEY_ID", help="As `modelport keys list` shows it.", autocompletion=completion.key_ids
    ),
]


@app.command("list")
def list_keys(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show your keys, without their secrets."""
    with Modelport(url) as client:
        found = client.keys()
    if as_json:
        print_json([key.raw for key in found])
        return
    if not found:
        note(f"No keys yet: {typed('keys create NAME', url)} makes one.")
        return
    columns = ("ID", "NAME", "PREFIX", "SCOPES", "MODELS", "EXPIRES", "LAST USED")
    print_table(columns, map(_row, found))


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for, e.g. ci.")],
    *,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="predict (default), models:read, models:write, analytics:read; repeatable."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only for this model; repeatable.")] = None,
    expires_days: Annotated[int | None, typer.Option(min=1, help="Ends after so many days.")] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown this once."""
    expires_at = None if expires_days is None else datetime.now(UTC) + timedelta(days=expires_days)
    with Modelport(url) as client:
        key = client.create_key(name, scopes=scope or None, model_ids=model or None, expires_at=expires_at)
    _print_secret(key, as_json)


@app.command()
def rotate(
    key_id: KeyId,
    grace_seconds: Annotated[int, typer.Option(min=0, help="How long the old secret goes on working.")] = 0,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Give a key a new secret."""
    with Modelport(url) as client:
        key = client.rotate_key(key_id, grace_seconds=grace_seconds)
    _print_secret(key, as_json)


@app.command()
def revoke(key_id: KeyId, yes: Yes = False, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """End a key for good."""
    if not yes:
        typer.confirm(f"Revoke {key_id}? What uses it stops working.", abort=True, err=True)
    with Modelport(url) as client:
        client.revoke_key(key_id)
    note(f"Revoked {key_id}.")
    if as_json:
        print_json({"id": key_id})


def _print_secret(key: ApiKey, as_json: bool) -> None:
    if as_json:
        print_json(key.raw)
        return
    note(f"Key {key.name} ({key.id}). Keep it now; it is not shown again:")
    print_line(key.key or "")


def _row(key: ApiKey) -> tuple[str, ...]:
    return (
        key.id,
        key.name,
        key.prefix,
        " ".join(key.scopes),
        "all" if key.model_ids is None else " ".join(key.model_ids),
        moment_text(key.expires_at),
        moment_text(key.last_used_at),
    )
