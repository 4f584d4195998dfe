"""events."""

from typing import Annotated

import typer

from modelport.cli.options import DEFAULT_URL, AsJson, Url
from modelport.cli.output import moment_text, note, print_json, print_table
from modelport.client import Modelport

Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]


def events(
    *,
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    unread: Annotated[bool, typer.Option("--unread", help="Only those that were not read.")] = False,
    mark_read: Annotated[bool, typer.Option("--mark-read", help="Mark all as read.")] = False,
    limit: Limit = 50,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show what happened to your models and jobs, newest first."""
    with Modelport(url) as client:
        found = client.events(unread=unread, model_id=model, limit=limit)
        if mark_read:
            client.events.mark_read()
    if as_json:
        print_json([event.raw for event in found])
    elif not found:
        note("Nothing unread." if unread else "Nothing happened yet.")
    else:
        rows = ((moment_text(each.at), each.type, each.model_name, each.summary) for each in found)
        print_table(("WHEN", "WHAT", "MODEL", "IN A SENTENCE"), rows)
