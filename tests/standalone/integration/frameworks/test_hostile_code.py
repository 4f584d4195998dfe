"""Hostile code beside a file of each framework, in its environment's Python: the kernel refuses it there too.

Frameworks differ in the system calls that they may make, and environments in what they have imported by then.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.runtime.integration.hostile.harness import Harness
from tests.support.hostile_code import ATTEMPTS, FILES, module
from tests.support.own_code import fetched
from tests.support.runtime_fixtures import start_runtime

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's"),
]
FIXTURES = Path(__file__).parents[3] / "fixtures"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    folder = tmp_path / "harness"
    folder.mkdir()
    harness = Harness(folder)
    (folder / "model").touch()
    yield harness
    harness.close()


@pytest.mark.parametrize("environment", FILES)
def test_the_kernel_refuses_what_no_model_needs(environment: str, harness: Harness, tmp_path: Path) -> None:
    python = EnvironmentStore(default_folder()).prepare(find(environment))
    framework, file = FILES[environment]
    files = {"prep.py": module(harness.places), "model": (FIXTURES / file).read_bytes()}
    artifact = fetched(tmp_path, files, entry="prep.py", model="model")

    started = start_runtime(artifact, framework, MODELPORT_RUNTIME_MODEL_PYTHON=str(python))
    try:
        started.wait_until_started()
        status, log = started.status, started.log
    finally:
        started.kill()

    harness.assert_unharmed(log + str(status))
    line = next(line for line in log.splitlines() if line.startswith("OUTCOMES "))
    outcomes = json.loads(line.removeprefix("OUTCOMES "))
    assert {name: found for name, found in outcomes.items() if found != "PermissionError"} == {}
    assert len(outcomes) == len(ATTEMPTS) > 50
    # What it tried and did without is no reason not to serve the model beside it.
    assert (status["state"], status["sandbox"]["level"]) == ("ready", 2), status
