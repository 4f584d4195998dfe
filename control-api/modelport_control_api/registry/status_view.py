"""What to show users of a model: its status, and why, from what is wanted and what the cluster reports.

Pure: no I/O and no clock.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from modelport_crds.mlmodel import MLModel, MLModelStatus, RolloutStatus, VersionStatus
from modelport_crds.reasons import EXPLANATIONS, Reason
from modelport_crds.shares import go_on, listed, serve, weights

StatusName = Literal["pending", "ready", "failed", "degraded"]
Traffic = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StatusView:
    """`reason` is one of `modelport_crds.reasons`; `message` says what happened and what to do."""

    status: StatusName
    reason: str
    message: str

    @property
    def settled(self) -> bool:
        """Nothing is in progress any more: waiting longer brings nothing new."""
        return self.status != "pending"


def served_traffic(model: MLModel | None) -> dict[str, int]:
    """What requests get now, by version in percent; empty while nothing serves."""
    return weights(model.status.traffic) if model else {}


def rollout_on(model: MLModel | None) -> RolloutStatus | None:
    """Return the rollout that is on its way in the cluster, if any."""
    status = model.status.rollout if model is not None else None
    return status if status is not None and not status.is_over else None


def version_view(version: str, model: MLModel | None) -> StatusView:
    """Return the version's state as the cluster reports it; None: the cluster has no such model."""
    known = model.status.version(version) if model else None
    if known is None:
        return _progressing(f"{version} is about to be started.")
    if known.failed:
        return StatusView("failed", known.reason, _message(known))
    if known.ready and is_held(known):
        return StatusView("ready", known.reason, _message(known))
    if known.ready:
        return StatusView("ready", Reason.SERVING, known.message or f"{version} answers.")
    # Down only matters to those who get its responses: without traffic it is still starting, or again.
    if known.answered and version in served_traffic(model):
        return StatusView("degraded", known.reason or Reason.NO_READY_VERSION, _message(known))
    return StatusView("pending", known.reason or Reason.PROGRESSING, _message(known))


def is_held(version: VersionStatus | StatusView | None) -> bool:
    """Return whether the version gets no requests because of what it lacks for another one's callers."""
    return version is not None and version.reason == Reason.SIGNATURE_CHANGED


def heaviest(traffic: Traffic) -> str | None:
    """Return the version that most requests go to; None: there is none."""
    # Of equal weights the newest: the choice must not depend on an order.
    return max(traffic, key=lambda name: (traffic[name], int(name.removeprefix("v"))), default=None)


def model_view(
    wanted: Traffic, model: MLModel | None, compatible_with: Collection[str] = frozenset()
) -> StatusView:
    """`wanted` is the traffic requested: version → percent. `compatible_with`: those that may be held."""
    wanted = {version: weight for version, weight in wanted.items() if weight}
    served = served_traffic(model)
    views = {version: version_view(version, model) for version in wanted}
    failed = _first(views, "failed")
    if not served:
        return _not_serving(views, failed)
    if failed is not None:
        return StatusView(
            "degraded", failed[1].reason, f"{failed[0]} failed: {failed[1].message} {go_on(served)}"
        )
    if served == wanted:
        return _serving(served, views, model.status if model else MLModelStatus())
    held = next((name for name in compatible_with if is_held(views.get(name))), None)
    if held is not None:
        view = views[held]
        return StatusView("degraded", view.reason, f"{held} is held. {view.message} {go_on(served)}")
    late = _first(views, "pending") or _first(views, "degraded")
    if late is None:
        return _progressing(f"Traffic is about to move to {listed(wanted)}. {go_on(served)}")
    version, view = late
    return _progressing(f"{version} is not serving yet: {view.message} {go_on(served)}")


def _not_serving(views: Mapping[str, StatusView], failed: tuple[str, StatusView] | None) -> StatusView:
    if failed is not None:
        version, view = failed
        return StatusView("failed", view.reason, f"{version} failed: {view.message}")
    version, view = next(iter(views.items()))
    if view.status == "ready":
        return _progressing(f"{version} has answered; traffic is about to move to it.")
    return StatusView("pending", view.reason, view.message)


def _serving(served: Traffic, views: Mapping[str, StatusView], status: MLModelStatus) -> StatusView:
    down = next(((version, view) for version, view in views.items() if view.status != "ready"), None)
    if down is None:
        return StatusView("ready", Reason.SERVING, serve(served))
    version, view = down
    others = {name: weight for name, weight in served.items() if views[name].status == "ready"}
    suffix = go_on(others) if others else "Requests wait or get 503 meanwhile."
    known = status.version(version)
    reason = known.reason if known and known.reason not in {"", Reason.SERVING} else Reason.NO_READY_VERSION
    return StatusView("degraded", reason, f"{version} has no ready replica: {view.message} {suffix}")


def _progressing(message: str) -> StatusView:
    return StatusView("pending", Reason.PROGRESSING, message)


def _first(views: Mapping[str, StatusView], status: StatusName) -> tuple[str, StatusView] | None:
    return next(((version, view) for version, view in views.items() if view.status == status), None)


def _message(known: VersionStatus) -> str:
    if known.message:
        return known.message
    explanation = EXPLANATIONS.get(Reason(known.reason)) if known.reason in set(Reason) else None
    return f"{explanation.meaning} {explanation.cure}" if explanation else f"{known.name} is starting."
