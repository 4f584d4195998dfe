"""`modelport up` of today on a data folder that the build before wrote."""

from collections.abc import Callable
from pathlib import Path

import httpx

from tests.support.platform_process import PlatformProcess, wait_until_ready
from tests.support.releases import stored
from tests.support.releases.comparing import BY_THE_GATEWAY


def test_the_old_key_gets_the_old_predictions(
    new_platform: Callable[..., PlatformProcess], tmp_path: Path
) -> None:
    recorded = stored.unpack("sqlite", tmp_path)
    platform = new_platform().start()
    assert "(shown this once)" not in platform.output
    assert platform.admin_token()
    with platform.session(recorded.people["owner"]["key"]) as owner:
        for model_id, model in recorded.predicted.items():
            wait_until_ready(owner, model_id)
            response = owner.post(model["address"], json={"input": model["input"]})
            assert response.is_success, (model["name"], response.text)
            assert response.json()["prediction"] == model["prediction"], model["name"]
        assert _changed_statuses(owner, recorded) == {}
    assert platform.stop() == 0


def _changed_statuses(owner: httpx.Client, recorded: stored.Recorded) -> dict[str, int]:
    """Of what the gateway serves beside predictions; the metadata of tensors has become richer."""
    before = {
        address: response["status"]
        for address, response in recorded.responses["owner"].items()
        if address.startswith(BY_THE_GATEWAY)
    }
    assert before
    now = {address: owner.get(address).status_code for address in before}
    return {address: status for address, status in now.items() if status != before[address]}
