"""events; webhooks list, create, update, test, deliveries, rotate, delete."""

import typer

from modelport.cli.alerts import events, webhooks


def add_to(parent: typer.Typer) -> None:
    """Register `events` and the group `webhooks` on the app."""
    parent.command()(events.events)
    parent.add_typer(webhooks.app, name="webhooks")
