"""From an estimator in memory to a model that serves."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from modelport.calls import models, versions
from modelport.errors import Conflict
from modelport.models import Acceleration, Model
from modelport.rows import first_row
from modelport.steps import Flow, Work
from modelport.uploads import FileFormat, save_estimator, save_rows


@dataclass(frozen=True)
class _Place:
    """A model that is there already, and which failed version of it the new one replaces, if any."""

    model_id: str
    replaces: str | None = None


def deploy(
    estimator: Any,
    name: str,
    sample: Any,
    *,
    to: str | None,
    force: bool,
    description: str | None,
    reference: Any,
    code: str | Path | None,
    acceleration: Acceleration | None,
    file_format: FileFormat,
    seconds: float,
    on_status: Callable[[Model], None] | None,
) -> Flow[Model]:
    """Return the model once it serves the estimator; `seconds` at most.

    Raises `Conflict` for a name that another model has, unless that failed at once, and what `wait` raises.
    """
    row = first_row(sample)
    place = _Place(to) if to else (yield from _place_of(name))
    with TemporaryDirectory(prefix="modelport-") as folder:
        path = yield Work(partial(save_estimator, estimator, Path(folder), file_format))
        if reference is not None:
            reference = yield Work(partial(save_rows, reference, Path(folder)))
        if place is None:
            texts = {"name": name, "description": description, "acceleration": acceleration}
            model = yield from models.upload(path, row, reference, None, code=code, **texts)
            return (yield from models.wait(model.id, seconds, on_status))
        version = yield from versions.create(
            place.model_id,
            path,
            model_type=None,
            environment=None,
            sample=row,
            reference=reference,
            code=code,
            traffic=100,
            force=force,
            replaces=place.replaces,
            on_progress=None,
        )
    give_up_at = time.monotonic() + seconds
    yield from versions.wait(place.model_id, version.name, seconds, None)
    left = max(0.0, give_up_at - time.monotonic())
    return (yield from models.wait(place.model_id, left, on_status))


def _place_of(name: str) -> Flow[_Place | None]:
    """None: the name is free. A model that never served is no reason for another of its name."""
    listed = yield from models.listing(name, ()).whole()
    # A platform of an earlier release lists all.
    found = [model for model in listed if model.name == name]
    serving = [model.id for model in found if not _never_served(model)]
    if serving:
        raise Conflict(
            f"You have a model named {name!r} already: {', '.join(serving)}. With to={serving[0]!r} this is "
            "its next version; another name makes another model."
        )
    return _Place(found[0].id, found[0].newest_failed) if found else None


def _never_served(model: Model) -> bool:
    return bool(model.versions) and all(version.status == "failed" for version in model.versions)
