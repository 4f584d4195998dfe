"""What is disturbed: an uploaded model with two replicas under load, through the ingress."""

import itertools
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.accounts import Person, register, save
from tests.e2e.kubectl import Kubectl
from tests.support.models import IRIS_FIELDS, iris_logistic_named
from tests.support.open_loop import UNLIMITED, OpenLoop
from tests.support.waiting import eventually

RATE = 100.0


@dataclass(frozen=True)
class Harness:
    cluster: Any
    platform: Any
    person: Person
    model_id: str
    file: Path

    @property
    def models(self) -> Kubectl:
        kubectl: Kubectl = self.platform.models
        return kubectl

    @property
    def release(self) -> Kubectl:
        kubectl: Kubectl = self.platform.release
        return kubectl

    @asynccontextmanager
    async def under_load(self, rate: float = RATE) -> AsyncIterator[OpenLoop]:
        """100 requests a second, no two rows alike, so that nearly all of them reach the model."""
        url = f"{self.platform.url}/predict/{self.model_id}"
        headers = {"Authorization": f"Bearer {self.person.token}"}
        async with OpenLoop(url, _bodies(20_000), headers, rate=rate) as loop:
            yield loop

    def settle(self) -> None:
        """Wait until everything runs as asked for: one disturbance must not meet the end of another."""
        for kind in ("deployment", "statefulset"):
            names = self.release.run("get", kind, "-o", "name").split()
            for name in names:
                self.release.run("rollout", "status", name, "--timeout=600s", timeout=630)
        eventually(self._two_replicas_serve, seconds=720)

    def _two_replicas_serve(self) -> bool:
        status = self.models.json("get", "mlm", self.model_id).get("status", {})
        serving = {each["version"] for each in status.get("traffic", []) if each["weight"]}
        replicas = [each["replicas"] for each in status.get("versions", []) if each["name"] in serving]
        return bool(replicas) and min(replicas) >= 2


def _bodies(count: int) -> list[bytes]:
    generator = random.Random(7)
    return [
        json.dumps({"input": {name: round(generator.uniform(0.1, 8.0), 6) for name in IRIS_FIELDS}}).encode()
        for _ in itertools.repeat(None, count)
    ]


def build_harness(cluster: Any, platform: Any, folder: Path) -> Harness:
    person = register(platform.url, folder)
    file = save(iris_logistic_named().model, folder / "iris.joblib")
    model_id = person.upload(file, "--name", "disturbed")["id"]
    person.http().patch(f"/api/v1/models/{model_id}", json=UNLIMITED).raise_for_status()
    harness = Harness(cluster, platform, person, model_id, file)
    harness.models.run(
        "patch",
        "mlm",
        model_id,
        "--type=merge",
        "-p",
        '{"spec":{"scaling":{"minReplicas":2,"maxReplicas":4}}}',
    )
    harness.settle()
    return harness
