"""The same journey that the one-machine platform is watched on, through the ingress of a cluster."""

from pathlib import Path

import pytest

from tests.support.visitor import Visitor
from tests.ui import test_first_model as journey

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def test_from_a_file_to_a_batch_and_a_revoked_key_on_kubernetes(visitor: Visitor, tmp_path: Path) -> None:
    journey.test_from_a_file_to_a_batch_and_a_revoked_key(visitor, tmp_path)
