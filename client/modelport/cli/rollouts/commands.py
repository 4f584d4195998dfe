"""The commands of the group `rollout`."""

import json
import math
from collections.abc import Callable
from typing import Annotated, Any

import typer

from modelport.cli.options import DEFAULT_URL, AsJson, ModelId, Url
from modelport.cli.output import moment_text, note, print_json, print_listed
from modelport.cli.rollouts.showing import progress_text, show, state_text
from modelport.cli.typed import typed
from modelport.client import Modelport
from modelport.models import Rollout

app = typer.Typer(
    help="Rollouts: new versions that prove themselves before they get the traffic.", no_args_is_help=True
)

Number = Annotated[int | None, typer.Argument(metavar="[NUMBER]", min=1, help="The newest one if left out.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show progress until it is over.")]


def add_to(root: typer.Typer) -> None:
    """Register the group `rollout` on the app."""
    for command in (pause, resume, promote, rollback, cancel):
        app.command()(command)
    root.add_typer(app, name="rollout")


@app.command()
def start(
    model_id: ModelId,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The new version, e.g. v2.")],
    *,
    strategy: Annotated[
        str | None, typer.Option(metavar="JSON", help="What is to differ from the defaults (/help/rollouts).")
    ] = None,
    disagreement: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE",
            help="Of rows that it may answer otherwise, e.g. 0.2 or 20%; off: as many as it wants.",
        ),
    ] = None,
    watch: Watch = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Move the traffic to a version step by step, as far as what is measured allows."""
    wanted = _strategy(strategy, disagreement)
    with Modelport(url) as client:
        found = client.rollouts.start(model_id, version, strategy=wanted)
        if watch:
            found = _watched(client, model_id, found.id, as_json=as_json)
    _print(found, as_json)
    if not watch and not as_json:
        note(f"See how it goes: {typed(f'rollout status {model_id} --watch', url)}.")


@app.command()
def status(
    model_id: ModelId,
    number: Number = None,
    *,
    watch: Watch = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show where a rollout stands and what was found, or how it ended."""
    with Modelport(url) as client:
        if watch:
            found = _watched(client, model_id, number, as_json=as_json)
        else:
            found = client.rollouts.get(model_id, number)
    _print(found, as_json)


@app.command("list")
def list_rollouts(model_id: ModelId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a model's rollouts, the newest first."""
    with Modelport(url) as client:
        found = client.rollouts(model_id)
    columns = ("NUMBER", "VERSION", "STATE", "STARTED", "ENDED", "VERDICT")
    nothing = f"No rollouts yet: {typed(f'rollout start {model_id} VERSION', url)} starts one."
    print_listed(found, columns, _row, as_json=as_json, nothing=nothing)


def pause(model_id: ModelId, number: Number = None, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Have it stay where it is."""
    _steer(url, as_json, lambda client: client.rollouts.pause(model_id, number))


def resume(model_id: ModelId, number: Number = None, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Have it go on."""
    _steer(url, as_json, lambda client: client.rollouts.resume(model_id, number))


def promote(
    model_id: ModelId, number: Number = None, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """End it: the new version gets all traffic, whatever was measured."""
    _steer(url, as_json, lambda client: client.rollouts.promote(model_id, number))


def rollback(
    model_id: ModelId, number: Number = None, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """End it: the version before has all traffic again."""
    _steer(url, as_json, lambda client: client.rollouts.rollback(model_id, number))


def cancel(model_id: ModelId, number: Number = None, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """End it without a verdict: the version before has all traffic again."""
    _steer(url, as_json, lambda client: client.rollouts.cancel(model_id, number))


def _steer(url: str, as_json: bool, call: Callable[[Modelport], Rollout]) -> None:
    with Modelport(url) as client:
        found = call(client)
    _print(found, as_json)


def _watched(client: Modelport, model_id: str, number: int | None, *, as_json: bool) -> Rollout:
    shown = ""

    def look(found: Rollout) -> None:
        nonlocal shown
        text = progress_text(found)
        if text != shown and not as_json:
            shown = text
            note(text)

    return client.rollouts.wait(model_id, number, on_status=look)


def _strategy(text: str | None, disagreement: str | None) -> dict[str, Any] | None:
    try:
        strategy = json.loads(text) if text else {}
    except ValueError as error:
        raise typer.BadParameter(f"--strategy is not JSON: {error}") from error
    if not isinstance(strategy, dict):
        raise typer.BadParameter("--strategy takes a JSON object, e.g. '{\"steps\": [10, 50]}'.")
    if disagreement is not None:
        strategy["guardrails"] = {**(strategy.get("guardrails") or {}), "disagreement": _limit(disagreement)}
    return strategy or None


def _limit(text: str) -> float | None:
    """`0.2`, `20%`, or `off`. Raises typer.BadParameter."""
    if text == "off":
        return None
    try:
        limit = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        limit = math.nan
    if not 0 <= limit <= 1:
        raise typer.BadParameter(f"--disagreement {text}: give a share such as 0.2, 20%, or off.")
    return limit


def _print(found: Rollout, as_json: bool) -> None:
    if as_json:
        print_json(found.raw)
    else:
        show(found)


def _row(found: Rollout) -> tuple[str, ...]:
    return (
        str(found.id),
        found.version,
        state_text(found),
        moment_text(found.started_at),
        moment_text(found.ended_at),
        found.verdict or found.held or "–",
    )
