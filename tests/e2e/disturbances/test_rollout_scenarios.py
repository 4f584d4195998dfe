"""Rollouts of candidates of many kinds, in pods: each ends as it should, and no caller is failed."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.accounts import register
from tests.support.rollout_scenarios import SCENARIOS, check_end

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_candidate_ends_as_it_should(
    name: str, platform: Any, tmp_path: Path, cores_to_itself: None
) -> None:
    person = register(platform.url, tmp_path)
    try:
        with person.http() as owner:
            owner.timeout = 120  # The API itself holds for 60 s who waits for a model.
            await check_end(name, owner)
    finally:
        person.delete_models()
