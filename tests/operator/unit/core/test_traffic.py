"""Who gets the requests: by table, and for every combination that Hypothesis finds."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from modelport_crds.mlmodel import VersionStatus
from modelport_operator.core.versions import decide_traffic

from tests.support.builders import targets

Weights = dict[str, int]

READY = {"answered": True, "ready": True}
DOWN = {"answered": True}
STARTING: dict[str, bool] = {}
FAILED = {"failed": True}

CASES: dict[str, tuple[Weights, dict[str, dict[str, bool]], Weights, Weights]] = {
    "all wanted are ready": ({"v1": 100}, {"v1": READY}, {}, {"v1": 100}),
    "nothing is ready at first": ({"v1": 100}, {"v1": STARTING}, {}, {}),
    "the new one is starting": ({"v2": 100}, {"v1": READY, "v2": STARTING}, {"v1": 100}, {"v1": 100}),
    "the new one has failed": ({"v2": 100}, {"v1": READY, "v2": FAILED}, {"v1": 100}, {"v1": 100}),
    "the new one is ready": ({"v2": 100}, {"v1": READY, "v2": READY}, {"v1": 100}, {"v2": 100}),
    "one of two wanted is starting": (
        {"v1": 90, "v2": 10},
        {"v1": READY, "v2": STARTING},
        {"v1": 100},
        {"v1": 100},
    ),
    "at first, what is ready of the wanted": (
        {"v1": 30, "v2": 60, "v3": 10},
        {"v1": READY, "v2": STARTING, "v3": READY},
        {},
        {"v1": 75, "v3": 25},
    ),
    "a share of zero is no share": (
        {"v1": 100, "v2": 0},
        {"v1": READY, "v2": STARTING},
        {},
        {"v1": 100},
    ),
    "down for a moment": ({"v1": 100}, {"v1": DOWN}, {"v1": 100}, {"v1": 100}),
    "a canary gets no more while the other is down": (
        {"v1": 99, "v2": 1},
        {"v1": DOWN, "v2": READY},
        {"v1": 99, "v2": 1},
        {"v1": 99, "v2": 1},
    ),
    "one of those served is gone": (
        {"v3": 100},
        {"v1": READY, "v3": STARTING},
        {"v1": 50, "v2": 50},
        {"v1": 100},
    ),
    "all of those served are gone": ({"v2": 100}, {"v2": READY}, {"v1": 100}, {"v2": 100}),
    "thirds sum to a hundred": (
        {"v1": 1, "v2": 1, "v3": 1, "v4": 97},
        {"v1": READY, "v2": READY, "v3": READY, "v4": STARTING},
        {},
        {"v1": 34, "v2": 33, "v3": 33},
    ),
}


@pytest.mark.parametrize(("wanted", "facts", "current", "expected"), CASES.values(), ids=CASES.keys())
def test_traffic_when(
    wanted: Weights, facts: dict[str, dict[str, bool]], current: Weights, expected: Weights
) -> None:
    versions = {name: VersionStatus(name=name, **given) for name, given in facts.items()}
    decided = decide_traffic(targets(**wanted), versions, targets(**current))
    assert {target.version: target.weight for target in decided} == expected


HELD_CASES: dict[str, tuple[Weights, Weights, Weights]] = {
    "all of it": ({"v2": 100}, {"v1": 100}, {"v1": 100}),
    "a share": ({"v1": 90, "v2": 10}, {"v1": 100}, {"v1": 100}),
    "where nothing serves": ({"v2": 100}, {}, {"v2": 100}),
    "where what served is gone": ({"v2": 100}, {"v9": 100}, {"v2": 100}),
    "what is not wanted": ({"v1": 100}, {"v1": 50, "v3": 50}, {"v1": 100}),
}


@pytest.mark.parametrize(("wanted", "current", "expected"), HELD_CASES.values(), ids=HELD_CASES.keys())
def test_nothing_moves_to_a_version_that_is_held_while_anything_else_serves(
    wanted: Weights, current: Weights, expected: Weights
) -> None:
    versions = {name: VersionStatus(name=name, answered=True, ready=True) for name in ("v1", "v2", "v3")}
    decided = decide_traffic(targets(**wanted), versions, targets(**current), {"v2"})
    assert {target.version: target.weight for target in decided} == expected


NAMES = [f"v{number}" for number in range(1, 6)]
_shares = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 100))
_versions = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(
        lambda answered, ready, failed: {"answered": answered, "ready": ready and answered, "failed": failed},
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
)


@settings(deadline=None)
@given(wanted=_shares, facts=_versions, current=_shares)
def test_weights_sum_to_a_hundred_and_go_only_to_versions_that_have_predicted(
    wanted: Weights, facts: dict[str, dict[str, bool]], current: Weights
) -> None:
    versions = {name: VersionStatus(name=name, **given) for name, given in facts.items()}
    decided = decide_traffic(targets(**wanted), versions, targets(**current))
    assert sum(target.weight for target in decided) in (0, 100)
    assert all(target.weight > 0 for target in decided)
    assert all(versions[target.version].answered for target in decided)
    assert not any(versions[target.version].failed for target in decided)
    assert {target.version for target in decided} <= wanted.keys() | current.keys()


_ANSWERED = {"answered": True, "ready": False, "failed": False}


@settings(deadline=None)
@given(wanted=_shares, facts=_versions, current=_shares)
@example({"v1": 1}, dict.fromkeys(NAMES, _ANSWERED), {"v1": 1, "v2": 1, "v3": 64, "v4": 77})
def test_deciding_again_changes_nothing(
    wanted: Weights, facts: dict[str, dict[str, bool]], current: Weights
) -> None:
    versions = {name: VersionStatus(name=name, **given) for name, given in facts.items()}
    once = decide_traffic(targets(**wanted), versions, targets(**current))
    assert decide_traffic(targets(**wanted), versions, once) == once
