"""Rows become units."""

from modelport_evidence.history import History
from modelport_evidence.means import Sums
from modelport_evidence.units import Units

_BOTH = frozenset({"reward", "accuracy"})


def _units() -> Units:
    return Units(summed=frozenset({"reward"}))


def test_a_reward_is_the_sum_of_a_units_rows_and_nothing_where_none_came() -> None:
    units = _units()
    units.add("ann", "v1", {"reward": 2.0})
    units.add("ann", "v1", {})
    units.add("ann", "v1", {"reward": 0.5})
    units.add("ben", "v1", {})

    found = units.counted(_BOTH, _units())["v1"]

    assert (found.units, found.rows) == (2, 4)
    assert found.measured["reward"].sums == Sums(2, 2.5, 6.25)


def test_another_metric_is_the_mean_of_a_units_rows_that_have_it() -> None:
    units = _units()
    for value in (1.0, 0.0, 0.0, 1.0):
        units.add("ann", "v2", {"accuracy": value})
    units.add("ann", "v2", {})
    units.add("ben", "v2", {"accuracy": 1.0})
    units.add("cem", "v2", {})

    found = units.counted(_BOTH, _units())["v2"]

    assert found.units == 3
    assert found.measured["accuracy"].sums == Sums(2, 1.5, 1.25)


def test_a_unit_of_two_arms_is_in_none() -> None:
    units = _units()
    units.add("ann", "v1", {"reward": 1.0})
    units.add("ann", "v2", {"reward": 1.0})
    units.add("ann", "v1", {"reward": 1.0})
    units.add("ben", "v2", {})

    found = units.counted(_BOTH, _units())

    assert units.in_several == 1
    assert "v1" not in found
    assert found["v2"].units == 1


def test_what_a_unit_did_before_stands_beside_what_it_does_now() -> None:
    before, units = _units(), _units()
    before.add("ann", "v1", {"reward": 3.0, "accuracy": 1.0})
    before.add("ann", "v1", {"reward": 4.0})
    before.add("ben", "v1", {})
    before.add("dan", "v1", {"reward": 9.0})
    for name in ("ann", "ben", "cem"):
        units.add(name, "v2", {"reward": 2.0, "accuracy": 0.5})

    found = units.counted(_BOTH, before)["v2"].measured

    assert found["reward"].history == History(Sums(2, 7.0, 49.0), 4.0, 14.0)
    assert found["accuracy"].history == History(Sums(1, 1.0, 1.0), 0.5, 0.5)
