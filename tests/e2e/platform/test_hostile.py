"""What a hostile model finds in its pod: nothing of the platform, nobody to talk to, nothing to change."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest

from tests.e2e.accounts import Person, register

pytestmark = pytest.mark.e2e

# Runs when the file is read, in the model's process, and makes a model that predicts what it found.
PROBE = """
import os, json, socket
def tried(what):
    try:
        return repr(what())[:60]
    except Exception as error:
        return type(error).__name__
def connect(host, port):
    return tried(lambda: socket.create_connection((host, port), 2))
words = ("TOKEN", "SECRET", "PASSWORD", "REDIS", "DATABASE", "KEY")
hosts = [name for name in os.environ if name.endswith("_SERVICE_HOST")]
found = {
    "secrets": sorted(name for name in os.environ if any(word in name for word in words)),
    "services": sorted(name for name in hosts if not name.startswith("KUBERNETES")),
    "account": tried(lambda: open("/var/run/secrets/kubernetes.io/serviceaccount/token").read()),
    "api": connect(os.environ.get("KUBERNETES_SERVICE_HOST", "10.96.0.1"), 443),
    "redis": connect("modelport-redis.modelport.svc", 6379),
    "root": tried(lambda: open("/made", "w")),
    "tmp": tried(lambda: open("/tmp/made", "w")),
    "artifact": tried(lambda: open("/modelport/artifact/model", "ab")),
    "uid": os.getuid(),
    "program": tried(lambda: os.posix_spawn("/bin/true", ["true"], {})),
    "fork": tried(os.fork),
}
class Model:
    n_features_in_ = 1
    def predict(self, rows):
        return [json.dumps(found)] * len(rows)
model = Model()
"""


class Hostile:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return eval, (f"(made := {{}}, exec({PROBE!r}, made), made['model'])[2]",)


@pytest.fixture(scope="module")
def found(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("hostile")
    person: Person = register(platform.url, folder)
    path: Path = folder / "hostile.joblib"
    joblib.dump(Hostile(), path)
    model_id = person.upload(path, "--name", "hostile", "--type", "sklearn", "--sample", "[1.0]")["id"]
    yield json.loads(person.predict(model_id, [1.0]).json()["prediction"])
    person.cli("delete", model_id, "--yes")


def test_it_holds_no_secret_and_no_account(found: dict[str, Any]) -> None:
    assert found["secrets"] == []
    assert found["services"] == []
    assert found["account"] in ("FileNotFoundError", "PermissionError")


@pytest.mark.parametrize("target", ["api", "redis"])
def test_it_reaches_nobody(found: dict[str, Any], target: str) -> None:
    assert found[target] in ("PermissionError", "gaierror")


@pytest.mark.parametrize("what", ["root", "tmp", "artifact", "program", "fork"])
def test_it_changes_and_starts_nothing(found: dict[str, Any], what: str) -> None:
    assert found[what] in ("PermissionError", "OSError", "FileNotFoundError")


def test_it_is_nobody(found: dict[str, Any]) -> None:
    assert found["uid"] not in (0, os.getuid())
