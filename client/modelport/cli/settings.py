"""update: every setting of a model."""

import re
from typing import Annotated, Any, Literal

import typer

from modelport.cli.models import show_model
from modelport.cli.options import DEFAULT_URL, AccelerationSetting, AsJson, ModelId, Url, Yes
from modelport.client import Modelport
from modelport.models import Access, Model

StickySetting = Annotated[
    Literal["caller", "session", "off"] | None,
    typer.Option(
        help="What stays on one version of a traffic split. session: requests with the same --session; "
        "caller: such sessions, and each caller without one; off: nothing, each request is drawn by the "
        "weights."
    ),
]
TagSetting = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="All tags that it shall have; may be repeated."),
]
HistoryShare = Annotated[
    str | None,
    typer.Option(metavar="PERCENT|off", help="The share of requests to keep with their answers, or off."),
]
FeedbackShare = Annotated[
    str | None,
    typer.Option(
        metavar="PERCENT|off",
        help="The share of predictions to keep for what turns out to be true (modelport feedback), or off.",
    ),
]
_RATE = re.compile(r"(\d+)(?:/(\d+))?")
_PLATFORM = "platform"


def add_to(app: typer.Typer) -> None:
    """Register `update` on the app."""
    app.command()(update)


def update(
    model_id: ModelId,
    *,
    name: Annotated[str | None, typer.Option(help="Display name.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    access: Annotated[
        Access | None,
        typer.Option(
            help="Who may predict: the owner, all with a credential, or everyone (asks first, unless --yes)."
        ),
    ] = None,
    acceleration: AccelerationSetting = None,
    sticky: StickySetting = None,
    tag: TagSetting = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Remove all tags.")] = False,
    cache_ttl: Annotated[
        int | None, typer.Option(metavar="SECONDS", min=0, help="How long a response is kept; 0: not at all.")
    ] = None,
    rate_limit: Annotated[
        str | None,
        typer.Option(
            metavar="REQUESTS[/SECONDS]|platform",
            help="How often each caller may predict, e.g. 100/60, or as the platform has it.",
        ),
    ] = None,
    predict_timeout: Annotated[
        int | None, typer.Option(metavar="SECONDS", min=1, help="How long a prediction may take.")
    ] = None,
    history: HistoryShare = None,
    retention_days: Annotated[
        int | None, typer.Option(min=1, max=365, help="Days that --history keeps them; 30 unless given.")
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="A field whose values --history never keeps; may be repeated."),
    ] = None,
    max_row_bytes: Annotated[
        int | None, typer.Option(help="Of longer requests --history keeps only that they were.")
    ] = None,
    feedback: FeedbackShare = None,
    feedback_days: Annotated[
        int | None, typer.Option(min=1, max=730, help="Days that --feedback keeps them; 90 unless given.")
    ] = None,
    id_field: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Its value stands for a row in feedback; else the request's id does."
        ),
    ] = None,
    drift_psi: Annotated[
        float | None, typer.Option(help="The PSI from which a feature counts as drifted.")
    ] = None,
    drift_alpha: Annotated[
        float | None, typer.Option(help="How unlikely by chance a difference must be for drift.")
    ] = None,
    drift_rows: Annotated[int | None, typer.Option(help="How many of the newest rows are compared.")] = None,
    drift_default: Annotated[
        bool, typer.Option("--drift-default", help="All three as the platform has them.")
    ] = False,
    yes: Yes = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Change a model's settings. It serves as before until the change is in force.

    Of --drift-… and of the details of --history and --feedback, those that are left out are the platform's.
    """
    changes: dict[str, Any] = {
        "name": name,
        "description": description,
        "access": access,
        "acceleration": acceleration,
        "sticky": sticky,
        "tags": _tags(tag, no_tags=no_tags),
        "cache_ttl_seconds": cache_ttl,
        "rate_limit": _rate_limit(rate_limit),
        "timeout_seconds": predict_timeout,
        "history": _history(
            history, retention_days=retention_days, redact_fields=redact, max_row_bytes=max_row_bytes
        ),
        "feedback": _feedback(feedback, retention_days=feedback_days, id_field=id_field),
        "data_drift": _drift(
            drift_default, psi_threshold=drift_psi, alpha=drift_alpha, window_rows=drift_rows
        ),
    }
    if not any(value is not None for value in changes.values()):
        raise typer.BadParameter("say what to change, for example --acceleration off.")
    with Modelport(url) as client:
        if access == "public" and not yes:
            _confirm_public(client.model(model_id))
        show_model(client.update(model_id, **changes), as_json, url)


def _confirm_public(model: Model) -> None:
    """Only where it is not public yet."""
    if model.access != "public":
        question = (
            f"Everyone who knows its address could call {model.name}, without an account or a key. Go on?"
        )
        typer.confirm(question, abort=True, err=True)


def _tags(given: list[str] | None, *, no_tags: bool) -> list[str] | None:
    """Return what `Modelport.update` takes as `tags`; None: they stay. Raises `typer.BadParameter`."""
    if no_tags and given:
        raise typer.BadParameter("--no-tags removes all: leave --tag out.")
    return [] if no_tags else given or None


def _rate_limit(text: str | None) -> Any:
    """Return what `Modelport.update` takes as `rate_limit`. Raises `typer.BadParameter`."""
    if text is None or text == _PLATFORM:
        return text
    found = _RATE.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r}: write REQUESTS/SECONDS, e.g. 100/60, or {_PLATFORM}.")
    return {"requests": int(found[1]), "period_seconds": int(found[2] or 60)}


def _history(share: str | None, **details: Any) -> Any:
    """Return what `Modelport.update` takes as `history`. Raises `typer.BadParameter`."""
    given = {name: value for name, value in details.items() if value is not None}
    if share is None:
        if given:
            raise typer.BadParameter(
                "--retention-days, --redact and --max-row-bytes go with --history PERCENT."
            )
        return None
    return share if share == "off" else {"percent": _percent(share), "redact_fields": [], **given}


def _feedback(share: str | None, **details: Any) -> Any:
    """Return what `Modelport.update` takes as `feedback`. Raises `typer.BadParameter`."""
    given = {name: value for name, value in details.items() if value is not None}
    if share is None:
        if given:
            raise typer.BadParameter("--feedback-days and --id-field go with --feedback PERCENT.")
        return None
    return share if share == "off" else {"percent": _percent(share), **given}


def _percent(share: str) -> int:
    if not share.isdecimal():
        raise typer.BadParameter(f"{share!r}: write a share from 1 to 100, or off.")
    return int(share)


def _drift(default: bool, **thresholds: float | None) -> Any:
    """Return what `Modelport.update` takes as `data_drift`. Raises `typer.BadParameter`."""
    given = {name: value for name, value in thresholds.items() if value is not None}
    if default and given:
        raise typer.BadParameter("--drift-default goes with no other --drift-…: it sets all three.")
    return _PLATFORM if default else given or None
