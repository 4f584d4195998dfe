"""A model that switches the alarm around its load off and hangs: the startup probe is the second line."""

import pickle
import time
from pathlib import Path

from tests.runtime.integration.hostile.harness import Runs
from tests.support.platform_process import PlatformProcess

DISARMS = "import signal, time; signal.setitimer(signal.ITIMER_REAL, 0); time.sleep(3600)"


def test_a_load_without_its_alarm_ends_as_a_timeout_all_the_same(tmp_path: Path) -> None:
    platform = PlatformProcess(tmp_path, MODELPORT_LOAD_TIMEOUT_SECONDS="3").start()
    try:
        with platform.register_user() as user:
            file = pickle.dumps(Runs(exec, DISARMS))
            began = time.monotonic()
            uploaded = user.post("/api/v1/models/upload", files={"file": file}, data={"name": "hangs"})
            model_id = uploaded.raise_for_status().json()["id"]
            model = user.get(f"/api/v1/models/{model_id}", params={"wait": 60}).json()
            took = time.monotonic() - began

        assert (model["status"], model["reason"]) == ("failed", "LoadTimeout"), model
        assert "over 3 s" in model["message"]
        # The limit, its slack, and as much again for a busy machine.
        assert took < 30
        assert str(platform.data) not in str(model)
    finally:
        platform.stop()
