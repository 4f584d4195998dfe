"""Whether the cluster has an object as it is wanted."""

from typing import Any

from modelport_crds.names import FIELD_MANAGER
from modelport_kube.kube import Object


def is_as_wanted(wanted: Any, live: Any) -> bool:
    """All that is wanted is there. What the cluster adds (defaults, status, its own metadata) does not count.

    Builders write values as the API server gives them back: quantities are canonical, ports are numbers.
    """
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            is_as_wanted(value, live[key]) if key in live else _is_left_out(value)
            for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(wanted) == len(live)
            and all(is_as_wanted(one, other) for one, other in zip(wanted, live, strict=True))
        )
    return bool(wanted == live)


def has_same_rules(wanted: Object, live: Object) -> bool:
    """Whether a NetworkPolicy has its rules and nothing else; of any other object true.

    There a key that is there beyond what is wanted makes the rule mean less: pods, where all of a namespace
    are meant.
    """
    if wanted["kind"] != "NetworkPolicy":
        return True
    return all(
        _is_equal(wanted["spec"].get(name, []), live["spec"].get(name, [])) for name in ("ingress", "egress")
    )


def is_edited(live: Object) -> bool:
    """Whether someone else has put something into its spec: a container, a variable, a host network.

    Applying what is wanted leaves that in place, since each writer owns what it wrote.
    """
    written = live["metadata"].get("managedFields") or ()
    return any(_owns_spec(entry) for entry in written if entry.get("manager") != FIELD_MANAGER)


def replacement(wanted: Object, live: Object) -> Object:
    """The whole object with nothing in its spec but what is wanted; the cluster's own metadata stays."""
    kept = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    labels = {**kept.get("labels", {}), **wanted["metadata"]["labels"]}
    return {**wanted, "metadata": {**kept, **wanted["metadata"], "labels": labels}}


def _is_equal(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(_has_equal(wanted, live, key) for key in wanted.keys() | live.keys())
    if isinstance(wanted, list) and isinstance(live, list):
        return len(wanted) == len(live) and all(map(_is_equal, wanted, live))
    return bool(wanted == live)


def _has_equal(wanted: Object, live: Object, key: str) -> bool:
    if key in wanted and key in live:
        return _is_equal(wanted[key], live[key])
    # An empty selector selects all; that is not what its absence means.
    return not key.endswith("Selector") and _is_left_out(wanted.get(key, live.get(key)))


def _owns_spec(entry: Object) -> bool:
    if entry.get("subresource") == "status":
        return False
    spec = dict(entry.get("fieldsV1", {}).get("f:spec", {}))
    template = dict(spec.pop("f:template", {}))
    # An annotation on the pods restarts them (`kubectl rollout restart`) and can do no more.
    template.pop("f:metadata", None)
    return bool(spec or template)


def _is_left_out(value: Any) -> bool:
    """The API server drops what is empty. Not false and not 0: without them another thing is meant."""
    return value in ("", [], {})
