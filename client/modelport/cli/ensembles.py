"""ensemble: versions of your models, joined to be one."""

from typing import Annotated, Any

import typer

from modelport.cli import completion
from modelport.cli.models import (
    Guarded,
    NoTraffic,
    Share,
    ToModel,
    finish_model,
    finish_version,
    note_rollout,
    require_to,
    share_of,
)
from modelport.cli.options import (
    DEFAULT_URL,
    AsJson,
    Force,
    Sample,
    Url,
    Wait,
    WaitSeconds,
    parse_sample,
)
from modelport.client import Modelport
from modelport.models import Join

Members = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL[@VERSION]…",
        help="The members; without a version that which serves. In a chain and a stack COLUMN=MODEL names the"
        " column that a prediction becomes.",
        autocompletion=completion.model_ids,
    ),
]
JoinOption = Annotated[
    Join,
    typer.Option(
        "--join",
        help="vote: the class that most predict; average: the mean of numbers, or of probabilities; chain: "
        "each gets what the one before it predicted; stack: --final predicts of what the members gave.",
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(metavar="NUMBERS", help="Of a vote and an average: one a member, such as 2,1,0.5."),
]


def add_to(app: typer.Typer) -> None:
    """Register `ensemble` on the app."""
    app.command()(ensemble)


def ensemble(
    members: Members,
    *,
    join: JoinOption,
    name: Annotated[str | None, typer.Option(help="Display name of the new model.")] = None,
    to: ToModel = None,
    final: Annotated[
        str | None,
        typer.Option(metavar="MODEL[@VERSION]", help="Of a stack: the model over what they gave."),
    ] = None,
    passthrough: Annotated[
        bool, typer.Option("--passthrough", help="Of a stack: the final gets the row too.")
    ] = False,
    weights: Weights = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    sample: Sample = None,
    share: Share = None,
    no_traffic: NoTraffic = False,
    force: Force = False,
    guarded: Guarded = False,
    wait: Wait = True,
    timeout: WaitSeconds = 300,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Join versions of your models to be one, as a new model (--name) or a new version of one (--to)."""
    if (name is None) == (to is None):
        raise typer.BadParameter("Give --name for a new model, or --to MODEL for a new version of one.")
    traffic = share_of(share, no_traffic=no_traffic)
    require_to(to, traffic, force=force, guarded=guarded)
    if to is not None and description is not None:
        raise typer.BadParameter("--description goes with --name: a version has none.")
    numbers = _weights(weights, len(members))
    told: dict[str, Any] = {
        "join": join,
        "final": final,
        "weights": numbers,
        "passthrough": passthrough,
        "sample": parse_sample(sample),
    }
    with Modelport(url) as client:
        if to is None:
            model = client.models.ensemble(str(name), members, description=description, **told)
            finish_model(client, model, timeout if wait else None, as_json, url)
        else:
            asked: dict[str, Any] = {"traffic": traffic, "force": force, "guarded": guarded}
            added = client.versions.ensemble(to, members, **asked, **told)
            finish_version(client, to, added, timeout if wait else None, as_json)
    if to is not None and guarded:
        note_rollout(to, url)


def _weights(text: str | None, members: int) -> list[float] | None:
    if text is None:
        return None
    try:
        numbers = [float(each) for each in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"--weights {text} are no numbers: give one a member, such as 2,1."
        ) from None
    if len(numbers) != members:
        raise typer.BadParameter(f"--weights has {len(numbers)}, and there are {members} members.")
    return numbers
