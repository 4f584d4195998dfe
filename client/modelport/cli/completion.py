"""Ids that the shell completes (`modelport --install-completion`), as the platform has them now."""

from collections.abc import Callable
from typing import Any

import typer

from modelport.client import Modelport
from modelport.errors import ModelportError
from modelport.transport.retries import RetryPolicy

# Somebody waits with a finger on the key.
_SECONDS = 2.0
_ONCE = RetryPolicy(attempts=1)

Offered = list[tuple[str, str]]
"""What can be typed, and what it is."""


def model_ids(context: typer.Context, incomplete: str) -> Offered:
    """Return the ids of your models that begin so, with their names."""
    return _offer(
        context, incomplete, lambda client: [(model.id, model.name) for model in client.models.list()]
    )


def version_names(context: typer.Context, incomplete: str) -> Offered:
    """Return the versions of the model that the line names, with their states."""
    # What stands before an option that has no value yet is not assigned to arguments.
    model_id = str(context.params.get("model_id") or next(iter(context.args), ""))
    return _offer(
        context,
        incomplete,
        lambda client: [(version.name, version.status) for version in client.versions.list(model_id)],
    )


def job_ids(context: typer.Context, incomplete: str) -> Offered:
    """Return the ids of your jobs that begin so, with their models and states."""
    return _offer(
        context,
        incomplete,
        lambda client: [(job.id, f"{job.model_id} {job.state}") for job in client.jobs.list()],
    )


def key_ids(context: typer.Context, incomplete: str) -> Offered:
    """Return the ids of your API keys that begin so, with their names."""
    return _offer(context, incomplete, lambda client: [(key.id, key.name) for key in client.keys.list()])


def _offer(context: typer.Context, incomplete: str, find: Callable[[Modelport], Offered]) -> Offered:
    url: Any = context.params.get("url")
    try:
        with Modelport(url, timeout_seconds=_SECONDS, retries=_ONCE) as client:
            return [each for each in find(client) if each[0].startswith(incomplete)]
    except ModelportError:
        return []
