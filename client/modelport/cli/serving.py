"""predict, versions, traffic, rollback."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from modelport.cli.options import DEFAULT_URL, AsJson, Force, ModelId, PinnedVersion, Url, read_input
from modelport.cli.output import (
    contribution_lines,
    moment_text,
    print_json,
    print_line,
    print_table,
    size_text,
    status_text,
    traffic_text,
)
from modelport.client import Modelport
from modelport.models import Model, Prediction


def add_to(app: typer.Typer) -> None:
    """Register `predict`, `versions`, `traffic` and `rollback` on the app."""
    for command in (predict, versions, traffic, rollback):
        app.command()(command)


def predict(
    model_id: ModelId,
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...", help="JSON, @FILE, - (stdin, the default), name=value pairs, or a text."
        ),
    ] = None,
    *,
    version: PinnedVersion = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", "-p", help="Show each class's probability too.")
    ] = False,
    return_: Annotated[
        list[str] | None,
        typer.Option(
            "--return",
            metavar="NAME",
            help="What to return beside the prediction: probabilities, contributions, or another of the "
            "version's outputs. Repeat it for several.",
        ),
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="Requests of a session stay on one version, if the model is sticky.")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Call a model. One row: modelport predict iris-7kq2p petal_width=0.2 …; a list of rows: many."""
    body = read_input(given or [])
    wanted = body.get("return") or _wanted(return_ or [], probabilities=probabilities)
    options: dict[str, Any] = {"version": version, "return_": wanted, "session": session}
    with Modelport(url) as client:
        if "inputs" in body:
            _print_many(client.predict_many(model_id, body["inputs"], **options), as_json)
        else:
            _print_one(client.predict(model_id, body["input"], **options), as_json)


def _wanted(names: list[str], *, probabilities: bool) -> list[str] | None:
    named = [*(["probabilities"] if probabilities else []), *names]
    return list(dict.fromkeys(["prediction", *named])) if named else None


def versions(model_id: ModelId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a model's versions."""
    with Modelport(url) as client:
        found = client.versions(model_id)
    if as_json:
        print_json([version.raw for version in found])
        return
    columns = ("VERSION", "STATUS", "REASON", "TRAFFIC", "FRAMEWORK", "ENGINE", "SIZE", "SHA256", "CREATED")
    rows = [
        (
            version.name,
            status_text(version.status),
            version.reason,
            f"{version.traffic} %",
            version.framework,
            version.engine or "–",
            size_text(version.size),
            version.sha256[:12],
            moment_text(version.created_at),
        )
        for version in found
    ]
    print_table(columns, rows)


def traffic(
    model_id: ModelId,
    weights: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VERSION=PERCENT]...", help="New shares, e.g. v1=90 v2=10; none: show them."),
    ] = None,
    *,
    force: Force = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show or change how requests are shared between versions."""
    wanted = dict(_weight(each) for each in weights or [])
    if force and not wanted:
        raise typer.BadParameter("--force goes with new shares, e.g. v2=100.")
    with Modelport(url) as client:
        model = client.traffic(model_id, wanted, force=force) if wanted else client.model(model_id)
    _print_traffic(model, as_json)


def rollback(model_id: ModelId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Restore the traffic before the last change."""
    with Modelport(url) as client:
        model = client.rollback(model_id)
    _print_traffic(model, as_json)


def _weight(text: str) -> tuple[str, int]:
    version, _, percent = text.partition("=")
    if not version or not percent.isdecimal():
        raise typer.BadParameter(f"{text!r}: write VERSION=PERCENT, e.g. v1=90 v2=10.")
    return version, int(percent)


def _print_traffic(model: Model, as_json: bool) -> None:
    """What was requested; requests follow as soon as the gateway knows."""
    wanted: Mapping[str, int] = model.raw.get("wanted_traffic") or model.traffic
    if as_json:
        print_json({"model": model.id, "traffic": model.traffic, "wanted_traffic": wanted})
    else:
        print_line(traffic_text(dict(wanted)))


def _print_one(prediction: Prediction, as_json: bool) -> None:
    if as_json:
        print_json(_json_of(prediction))
        return
    print_line(_value_text(prediction.prediction))
    for name, probability in _by_name(prediction.probabilities or {}).items():
        print_line(f"  {name}  {probability:.4f}")
    for name, value in prediction.outputs.items():
        lines = contribution_lines(value) if name == "contributions" else None
        for line in lines or [f"{name}  {_value_text(value)}"]:
            print_line(f"  {line}")


def _by_name(probabilities: Any) -> dict[str, float]:
    """Of several labels: the label's place and the class."""
    if isinstance(probabilities, dict):
        return probabilities
    return {
        f"{place}: {key}": value for place, label in enumerate(probabilities) for key, value in label.items()
    }


def _print_many(predictions: list[Prediction], as_json: bool) -> None:
    if as_json:
        print_json([_json_of(prediction) for prediction in predictions])
        return
    for prediction in predictions:
        _print_one(prediction, as_json=False)


def _json_of(prediction: Prediction) -> dict[str, Any]:
    shown = {"model": prediction.model, "version": prediction.version, "prediction": prediction.prediction}
    if prediction.probabilities is not None:
        shown["probabilities"] = prediction.probabilities
    return {**shown, **prediction.outputs, "cached": prediction.cached, "request_id": prediction.request_id}


def _value_text(value: Any) -> str:
    """A class by its bare name, as `$(modelport predict …)` wants it; everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
