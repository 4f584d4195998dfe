"""100 requests a second while something breaks: no 5xx, nothing lost, no gap of more than a second."""

import pytest

from tests.e2e.disturbances.harness import Harness
from tests.e2e.disturbances.kinds import KINDS
from tests.e2e.disturbances.measuring import measure
from tests.e2e.disturbances.table import record

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("name", KINDS)
async def test_no_request_is_lost(harness: Harness, cores_to_itself: None, name: str) -> None:
    report = await measure(harness, KINDS[name])
    record(name, report)
    assert not report.failed, (report.statuses, [each.error for each in report.failed[:5]])
    assert report.longest_gap <= 1.0
