"""Whose an object is. Name and labels say nothing, since anybody may write them: its owner's uid does."""

from typing import Any

from modelport_crds.names import KIND
from modelport_crds.reasons import Reason
from modelport_kube.kube import Object

from modelport_operator.core.problems import Problem


def is_owned_by(uid: str, obj: Object) -> bool:
    return _controller(obj).get("uid") == uid


def with_uid(wanted: Object, live: Object) -> Object:
    """To be applied to that very object and no other."""
    return {**wanted, "metadata": {**wanted["metadata"], "uid": live["metadata"].get("uid", "")}}


def has_same_owner(wanted: Object, live: Object) -> bool:
    return is_owned_by(_controller(wanted)["uid"], live)


def explain_taken(wanted: Object, live: Object) -> Problem:
    """Why `wanted` cannot be made: `live`, of another owner, has its name."""
    owner, here = _controller(wanted), _controller(live)
    what = f"{wanted['kind']} {wanted['metadata']['name']}"
    if (here.get("kind"), here.get("name")) == (KIND, owner["name"]):
        return Problem(Reason.PROGRESSING, f"The {what} of an earlier model of this name has yet to go.")
    return Problem(Reason.NAME_TAKEN, f"The {what} that is there already is not this model's.")


def _controller(obj: Object) -> dict[str, Any]:
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), {})
