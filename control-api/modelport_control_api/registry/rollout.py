"""What a new version gets of the requests, and what it is compared with before it gets them."""

from dataclasses import dataclass

from modelport_crds.mlmodel import MLModel
from modelport_crds.shares import scaled

from modelport_control_api.registry.compatibility import holds_traffic, to_be_compared
from modelport_control_api.registry.errors import ExperimentOn, RolloutOn
from modelport_control_api.registry.records import CompatibleWith, Traffic
from modelport_control_api.registry.status_view import served_traffic
from modelport_control_api.registry.tables import ModelRow


@dataclass(frozen=True, slots=True)
class Rollout:
    """What a new version gets once it is ready: its share of the requests, in percent.

    `share`: None: all of them, or those of the version that it takes the place of.
    `force`: also if it lacks what callers of the version that serves depend on.
    `instead_of`: the failed version that is removed for it.
    `guarded`: none of them but what a rollout gives it, which is begun.
    """

    share: int | None = None
    force: bool = False
    instead_of: str | None = None
    guarded: bool = False


def roll_out(row: ModelRow, name: str, rollout: Rollout, live: MLModel | None) -> None:
    """Have the new version get its share, once it is ready. Raises RolloutOn, ExperimentOn."""
    if rollout.guarded:
        return
    if rollout.share is None and rollout.instead_of is not None:
        take_place(row, rollout.instead_of, name, live, force=rollout.force)
        return
    share = 100 if rollout.share is None else rollout.share
    if not share:
        return
    require_free_traffic(row)
    served = served_traffic(live) or row.traffic
    wanted = {**scaled(served, 100 - share), name: share}
    compatible_with = {} if rollout.force else to_be_compared(wanted, served)
    replace_traffic(row, wanted, compatible_with, live)


def require_free_traffic(row: ModelRow) -> None:
    """Raises RolloutOn or ExperimentOn while one goes on: what serves is its to say."""
    if row.rollout is not None:
        raise RolloutOn(row.rollout.number, row.rollout.version)
    require_no_experiment(row)


def require_no_experiment(row: ModelRow) -> None:
    """Raises ExperimentOn while one goes on."""
    if row.experiment is not None:
        raise ExperimentOn(row.experiment.number, row.experiment.arms)


def take_place(row: ModelRow, failed: str, name: str, live: MLModel | None, *, force: bool = False) -> None:
    """Have the new version get what the failed one was to get; it is compared as any other is.

    The traffic to go back to stays: none but the place's holder changes. What else names the failed one goes
    when it is dropped.
    """
    others = {version: weight for version, weight in row.traffic.items() if version != failed}
    row.traffic = {name if version == failed else version: weight for version, weight in row.traffic.items()}
    if name in row.traffic and not force:
        compared = to_be_compared([name], served_traffic(live) or others)
        row.compatible_with = {**(row.compatible_with or {}), **compared} or None


def replace_traffic(
    row: ModelRow, traffic: Traffic, compatible_with: CompatibleWith, live: MLModel | None
) -> None:
    """Change the wanted traffic and keep the one before for a rollback, unless that was held.

    What was held never served: the traffic before it stays the one to go back to.
    """
    if holds_traffic(row, live):
        if row.previous_traffic == traffic:
            row.previous_traffic = None
    elif traffic != row.traffic:
        row.previous_traffic = dict(row.traffic)
    row.traffic = dict(traffic)
    row.compatible_with = dict(compatible_with) or None


def forced(force: bool) -> dict[str, bool]:
    """Return the audit entry's detail of a change that compared nothing; nothing of any other."""
    return {"force": True} if force else {}
