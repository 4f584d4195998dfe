"""Memory of a runtime, by process, and its time from process start to ready."""

import statistics
import time
from pathlib import Path

from bench.models.model import Model
from bench.predictions.measuring import Measuring
from bench.servers import processes, starting

_STARTS = 5
_SETTINGS = {
    "accelerated": {},
    "accelerated, original dropped": {"recheck_every": "0"},
    "acceleration off": {"acceleration": "off"},
}


def memory(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """Facts `<model>, <setting>, PSS MiB` and `<model>, start to ready, s` (median of five starts)."""
    facts: dict[str, float | str | None] = {}
    for model in models.values():
        for title, settings in _SETTINGS.items():
            with starting.runtime(model.path, folder, **settings) as server:
                _settle(server, dropped="recheck_every" in settings)
                pids = processes.tree(server.pid)
                each = [processes.pss_mib([pid]) or 0 for pid in pids]
                facts[f"{model.name}, {title}, PSS MiB"] = sum(each)
                parts = " + ".join(f"{part:.0f}" for part in each)
                engine = server.get("/status").get("engine", "native")
                print(f"{model.name}, {title}: {sum(each):.0f} MiB ({parts}), engine {engine}", flush=True)
    iris = models["iris"]
    starts = [_seconds_to_ready(iris, folder) for _ in range(_STARTS)]
    facts["iris, start to ready, s"] = statistics.median(starts)
    print(f"iris, start to ready: {[round(each, 2) for each in starts]} s", flush=True)
    measuring.facts["memory"] = facts


def _settle(server: starting.Server, *, dropped: bool) -> None:
    """Wait until a model that will be dropped has been; others keep what they have when ready."""
    deadline = time.monotonic() + (10 if dropped else 1)
    while time.monotonic() < deadline and len(processes.tree(server.pid)) > 1:
        time.sleep(0.1)


def _seconds_to_ready(model: Model, folder: Path) -> float:
    begin = time.monotonic()
    with starting.runtime(model.path, folder):
        return time.monotonic() - begin
