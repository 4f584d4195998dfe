"""False alarms and misses, case by case: a few windows of each case of the bench."""

import numpy as np
import pytest
from modelport_control_api.drift.evaluation.evaluate import Counted, evaluate
from modelport_control_api.drift.profiles.binning import number_bins
from modelport_telemetry.drift.bins import NumberBins
from modelport_telemetry.drift.repetition import SUMS, empty

from bench.drift.alarms import count, counting, limits, results
from bench.drift.cases import CHANGED, SMALL, UNCHANGED, comments, gone_missing, stuck, unit_error
from tests.support.nightly import at_night

RUNS = at_night(2, 6)
# Tracing would take four fifths of the time; the other tests here and `test_profiling` run the same lines.
uncounted = pytest.mark.no_cover


@uncounted
@pytest.mark.parametrize("name", UNCHANGED)
def test_what_has_not_changed_raises_no_alarm(name: str) -> None:
    drifting, _ = count(UNCHANGED[name], RUNS, seed=3)
    assert drifting <= 1


@uncounted
@pytest.mark.parametrize("name", CHANGED)
def test_what_has_changed_is_found(name: str) -> None:
    drifting, _ = count(CHANGED[name], RUNS, seed=3)
    assert drifting >= RUNS - 1


@uncounted
@pytest.mark.parametrize("name", SMALL)
def test_a_small_change_is_reported_as_small(name: str) -> None:
    drifting, small = count(SMALL[name], RUNS, seed=3)
    assert drifting + small == RUNS
    assert small >= RUNS - 2


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (unit_error, "Far from all values of the reference, as in wrong units, in "),
        (lambda draw: gone_missing(draw, share=0.04), "Missing in "),
        (lambda draw: comments(draw, constant=True), "Nearly all rows have one and the same value"),
        (stuck, "99 % of rows are copies of a few"),
    ],
)
def test_what_changed_is_said(case: object, said: str) -> None:
    worst = results(case(np.random.default_rng(1)))[0]  # type: ignore[operator]
    assert worst.drifts
    assert worst.summary.startswith(said)


def test_a_sender_that_stays_stuck_keeps_the_alarm() -> None:
    reference, live, _ = stuck(np.random.default_rng(2))
    matched, counter = counting(reference)
    for _ in range(2):
        for row in live:
            counter.add(row, 1)
        counts = counter.take()
    assert counts.counted == 0
    found = evaluate(
        matched,
        Counted(counts.rows, counts.counted, counts.features, values=counts.values, blocks=counts.blocks),
        limits(),
        reference_rows=len(reference),
    )
    assert all(result.drifts for result in found)
    assert found[0].summary == "100 % of rows are copies of a few."


def test_ids_have_one_bin_and_measurements_have_many() -> None:
    draw = np.random.default_rng(3)
    assert number_bins([float(at) for at in draw.permutation(1000)]) == NumberBins(())
    assert number_bins([float(value) for value in draw.integers(0, 1000, 1000)]).edges
    assert number_bins([float(value) for value in draw.permutation(1_000_000)[:1000]]).edges


def test_sums_of_blocks_of_another_release_are_left_out() -> None:
    whole = Counted(blocks={"x": empty()})
    whole.add(Counted(blocks={"x": [1.0] * (SUMS - 2), "y": [1.0]}))
    assert whole.blocks == {"x": empty()}
