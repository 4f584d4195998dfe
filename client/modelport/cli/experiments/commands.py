"""The commands of the group `experiments`."""

from typing import Annotated, Any, Literal

import typer

from modelport.cli.experiments.showing import show, state_text
from modelport.cli.options import DEFAULT_URL, AsJson, Force, ModelId, Url
from modelport.cli.output import moment_text, note, print_json, print_listed
from modelport.cli.typed import typed
from modelport.client import Modelport
from modelport.evaluation.experiments import Experiment

app = typer.Typer(help="Experiments: A/B tests of versions, judged by feedback.", no_args_is_help=True)

Number = Annotated[int | None, typer.Argument(metavar="[NUMBER]", min=1, help="The newest one if left out.")]
Metric = Literal["reward", "accuracy", "log_loss", "brier", "mae", "mse"]


def add_to(root: typer.Typer) -> None:
    """Register the group `experiments` on the app."""
    root.add_typer(app, name="experiments")


@app.command()
def start(
    model_id: ModelId,
    arms: Annotated[
        list[str],
        typer.Argument(metavar="VERSION=PERCENT...", help="The first is the control, e.g. v1=50 v2=50."),
    ],
    *,
    metric: Annotated[Metric, typer.Option(help="What is to become better.")] = "reward",
    guardrail: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=TOLERANCE", help="What must not become worse, e.g. accuracy=0.01."),
    ] = None,
    unit: Annotated[
        Literal["session", "caller"], typer.Option(help="What stays on its version, and is counted.")
    ] = "session",
    min_days: Annotated[int | None, typer.Option(min=0, help="Before a winner is named: 7.")] = None,
    max_days: Annotated[int | None, typer.Option(min=1, help="Then it is inconclusive: 60.")] = None,
    winner_takes_all: Annotated[
        bool, typer.Option("--winner-takes-all", help="The traffic moves by itself at the verdict.")
    ] = False,
    force: Force = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Share the traffic between versions, and find out by feedback which does better."""
    guardrails = [
        {"metric": name, "tolerance": tolerance} for name, tolerance in map(_guardrail, guardrail or ())
    ]
    days = {"min_days": min_days, "max_days": max_days}
    more: dict[str, Any] = {name: value for name, value in days.items() if value is not None}
    with Modelport(url) as client:
        found = client.experiments.start(
            model_id,
            dict(map(_arm, arms)),
            goal=metric,
            guardrails=guardrails,
            unit=unit,
            winner_takes_all=winner_takes_all,
            force=force,
            **more,
        )
    _print(found, as_json)
    if not as_json:
        note(f"See what is found: {typed(f'experiments status {model_id}', url)}.")


@app.command()
def status(model_id: ModelId, number: Number = None, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show what was found so far, or how it ended."""
    with Modelport(url) as client:
        found = client.experiments.get(model_id, number)
    _print(found, as_json)


@app.command("list")
def list_experiments(model_id: ModelId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a model's experiments, the newest first."""
    with Modelport(url) as client:
        found = client.experiments(model_id)
    columns = ("NUMBER", "ARMS", "STATE", "STARTED", "ENDED", "VERDICT")
    nothing = f"No experiments yet: {typed(f'experiments start {model_id} v1=50 v2=50', url)} starts one."
    print_listed(found, columns, _row, as_json=as_json, nothing=nothing)


@app.command()
def promote(
    model_id: ModelId,
    number: Number = None,
    *,
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Another one than the winner, e.g. v2.")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """End it: the winner has all traffic."""
    with Modelport(url) as client:
        found = client.experiments.promote(model_id, number, version=version)
    _print(found, as_json)


@app.command()
def stop(model_id: ModelId, number: Number = None, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """End it: the control has all traffic."""
    with Modelport(url) as client:
        found = client.experiments.stop(model_id, number)
    _print(found, as_json)


def _arm(text: str) -> tuple[str, int]:
    version, _, percent = text.partition("=")
    if not percent.isdecimal():
        raise typer.BadParameter(f"{text!r} is no VERSION=PERCENT, e.g. v1=50.")
    return version, int(percent)


def _guardrail(text: str) -> tuple[str, float]:
    metric, _, tolerance = text.partition("=")
    try:
        return metric, float(tolerance)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no METRIC=TOLERANCE, e.g. accuracy=0.01.") from None


def _print(found: Experiment, as_json: bool) -> None:
    if as_json:
        print_json(found.raw)
    else:
        show(found)


def _row(found: Experiment) -> tuple[str, ...]:
    return (
        str(found.id),
        " ".join(f"{version}={percent}" for version, percent in found.arms.items()),
        state_text(found),
        moment_text(found.started_at),
        moment_text(found.ended_at),
        found.verdict or "–",
    )
