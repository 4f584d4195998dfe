"""From `kubectl apply` of an MLModel to its first response: `make bench-apply` (needs a cluster; 4 minutes).

Twenty models, one after the other, each called through the ingress every 20 ms until it returns 200.
"""

import statistics
import tempfile
import time
from pathlib import Path

import httpx

from tests.cluster.finding import find_or_start
from tests.e2e import images
from tests.e2e.accounts import save
from tests.e2e.artifact_server import File, mlmodel, serving
from tests.e2e.release import Platform
from tests.e2e.running import running
from tests.support.models import iris_logistic_named

RUNS = 20
_GIVE_UP_SECONDS = 60.0


def seconds_to_answer(platform: Platform, file: File, name: str) -> float:
    manifest = mlmodel(name, file)
    begin = time.monotonic()
    platform.models.run("apply", "-f", "-", input=manifest)
    with httpx.Client(base_url=platform.url) as client:
        while client.post(f"/predict/{name}", json={"input": [5.1, 3.5, 1.4, 0.2]}).status_code != 200:
            if time.monotonic() - begin > _GIVE_UP_SECONDS:
                raise TimeoutError(platform.models.run("get", "mlm", name, "-o", "wide"))
            time.sleep(0.02)
    return time.monotonic() - begin


def main() -> None:
    cluster = find_or_start()
    loaded = images.load_into(cluster)
    with tempfile.TemporaryDirectory() as name, running(cluster, loaded) as platform:
        path = save(iris_logistic_named().model, Path(name) / "iris.joblib")
        with serving(platform, path) as file:
            taken = []
            for number in range(RUNS):
                taken.append(seconds_to_answer(platform, file, f"timed-{number}"))
                platform.models.run("delete", "mlm", f"timed-{number}", "--wait=true")
    print(f"{RUNS} models: p50 {statistics.median(taken):.2f} s, slowest {max(taken):.2f} s")


if __name__ == "__main__":
    main()
