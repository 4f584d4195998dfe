"""Who gets the requests: shifting them between versions, and taking that back."""

from collections.abc import Mapping

from modelport_crds.mlmodel import MLModel
from sqlalchemy.orm import Session

from modelport_control_api.errors import InvalidFields
from modelport_control_api.identity import Caller
from modelport_control_api.registry import service
from modelport_control_api.registry.compatibility import require_compatible, to_be_compared
from modelport_control_api.registry.errors import NothingToRollBack, VersionNotReady
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.registry.rollout import forced, replace_traffic, require_free_traffic
from modelport_control_api.registry.status_view import served_traffic, version_view
from modelport_control_api.registry.tables import ModelRow


def set_traffic(
    session: Session,
    caller: Caller,
    model_id: str,
    traffic: Mapping[str, int],
    live: MLModel | None,
    *,
    force: bool = False,
) -> ModelRecord:
    """force: also to versions that lack what callers depend on.

    Raises what `move` raises.
    """
    row = service.own_locked(session, caller.principal, model_id)
    before = dict(row.traffic)
    wanted = move(row, traffic, live, force=force)
    detail = {"traffic": wanted, "before": {"traffic": before}, **forced(force)}
    return service.finish_change(session, caller, row, "traffic.set", detail)


def move(row: ModelRow, traffic: Mapping[str, int], live: MLModel | None, *, force: bool) -> dict[str, int]:
    """Have the row want this traffic, which is returned without weights of 0.

    Raises InvalidFields (unknown version, bad weight or sum), VersionNotReady, SignatureChanged, RolloutOn or
    ExperimentOn.
    """
    require_free_traffic(row)
    wanted = {version: weight for version, weight in traffic.items() if weight}
    _check_weights(row, traffic)
    _check_ready(wanted, live)
    compatible_with = {} if force else to_be_compared(wanted, served_traffic(live) or row.traffic)
    require_compatible(compatible_with, live)
    replace_traffic(row, wanted, compatible_with, live)
    return wanted


def roll_back(session: Session, caller: Caller, model_id: str, live: MLModel | None) -> ModelRecord:
    """Swap the wanted traffic with the one before: a second rollback takes the first one back.

    Nothing is compared: it has served before, and who goes back is in a hurry.
    Raises `NothingToRollBack`, `RolloutOn`, `ExperimentOn`, and what `service.own_locked` raises.
    """
    row = service.own_locked(session, caller.principal, model_id)
    require_free_traffic(row)
    if not row.previous_traffic:
        raise NothingToRollBack("There is no earlier traffic to go back to.")
    before = dict(row.traffic)
    replace_traffic(row, dict(row.previous_traffic), {}, live)
    detail = {"traffic": dict(row.traffic), "before": {"traffic": before}}
    return service.finish_change(session, caller, row, "traffic.roll_back", detail)


def _check_weights(row: ModelRow, traffic: Mapping[str, int]) -> None:
    known = {f"v{version.number}" for version in row.versions}
    errors = {
        version: f"is not a version of this model; it has {', '.join(sorted(known))}"
        for version in traffic.keys() - known
    }
    errors |= {
        version: "must be a whole number from 0 to 100"
        for version, weight in traffic.items()
        if not 0 <= weight <= 100
    }
    if not errors and sum(traffic.values()) != 100:
        errors = {"body": f"must have weights that sum to 100, not {sum(traffic.values())}"}
    if errors:
        raise InvalidFields(*errors.items())


def _check_ready(wanted: Mapping[str, int], live: MLModel | None) -> None:
    for version in wanted:
        view = version_view(version, live)
        if view.status != "ready":
            raise VersionNotReady(f"{version} is {view.status} and cannot get requests: {view.message}")
