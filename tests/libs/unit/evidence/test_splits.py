"""Whether units were split as asked for."""

import numpy as np
from modelport_evidence.splits import arms_split_is_off

_WEIGHTS = {"v1": 50, "v2": 30, "v3": 20}


def test_what_is_split_by_chance_is_hardly_ever_off_at_any_look() -> None:
    rng = np.random.default_rng(0)
    off = 0
    for _ in range(200):
        counts = rng.multinomial(100, [0.5, 0.3, 0.2], 100).cumsum(axis=0)
        looks = (dict(zip(_WEIGHTS, map(int, each), strict=True)) for each in counts)
        off += any(arms_split_is_off(look, _WEIGHTS) for look in looks)

    assert off <= 2


def test_an_arm_that_loses_a_few_of_a_hundred_is_found() -> None:
    assert arms_split_is_off({"v1": 10_000, "v2": 9_300}, {"v1": 50, "v2": 50})
    assert not arms_split_is_off({"v1": 10_000, "v2": 9_900}, {"v1": 50, "v2": 50})


def test_an_arm_without_any_is_found_soon() -> None:
    assert arms_split_is_off({"v1": 40}, {"v1": 50, "v2": 50})
    assert not arms_split_is_off({}, {"v1": 50, "v2": 50})
    assert not arms_split_is_off({"v1": 3}, {"v1": 50, "v2": 50})
