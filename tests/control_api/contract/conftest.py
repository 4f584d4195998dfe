from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from modelport_control_api.process.app import ControlPlane

from tests.support.control_api import build_control_plane, serving


@pytest.fixture
def control_plane(database_url: str, tmp_path: Path) -> ControlPlane:
    """Everything of this folder runs on both databases."""
    return build_control_plane(database_url, tmp_path)


@pytest.fixture
async def api(control_plane: ControlPlane) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(control_plane) as client:
        yield client
