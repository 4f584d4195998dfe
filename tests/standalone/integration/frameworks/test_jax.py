"""Functions of `jax.export`, which the platform has no library for: each file computes what JAX itself did.

`tests/fixtures/jax/generate.py` exported them and stored what JAX computed.
"""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.other_libraries import predict_in
from tests.support.platform_process import PlatformProcess, wait_until_ready

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]
SAVED = Path(__file__).parents[3] / "fixtures" / "jax"
ANSWERS: dict[str, dict[str, Any]] = json.loads((SAVED / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def python() -> Path:
    """The environment's, made by this process, whose uv knows this machine's index."""
    return EnvironmentStore(default_folder()).prepare(find("jax-0.10"))


@pytest.fixture(scope="module")
def served(python: Path) -> dict[str, Any]:
    """Function → what the runtime computes for its rows, and its signature."""
    rows = {name: answer["rows"] for name, answer in ANSWERS.items()}
    rows |= {"fixed": ANSWERS["network"]["rows"], "factored": [], "elsewhere": []}
    files = {f"{name}.jaxexport": each for name, each in rows.items()}
    # As many at a time as a batch may have, and not a power of two.
    answers = predict_in(python, "jax", files, SAVED, outputs=())
    return {name.removesuffix(".jaxexport"): found for name, found in answers.found.items()}


def flat(values: Any) -> list[float]:
    if isinstance(values, dict | list):
        each = values.values() if isinstance(values, dict) else values
        return [number for value in each for number in flat(value)]
    return [values]


@pytest.mark.parametrize(
    ("name", "rounding"), [("network", 1e-6), ("named", 1e-6), ("two", 1e-6), ("wide", 1e-12)]
)
def test_a_file_computes_what_jax_did(served: dict[str, Any], name: str, rounding: float) -> None:
    told = ANSWERS[name]["prediction"]
    assert len(served[name]["predictions"]) == len(told) == 5
    assert flat(served[name]["predictions"]) == pytest.approx(flat(told), rel=rounding, abs=rounding)


def test_a_fixed_number_of_rows_is_filled_up(served: dict[str, Any]) -> None:
    """Five rows, four at a time."""
    told = ANSWERS["network"]["prediction"]
    assert flat(served["fixed"]["predictions"]) == pytest.approx(flat(told), rel=1e-5)


def test_a_signature_is_that_of_the_function(served: dict[str, Any]) -> None:
    signatures = {name: found["signature"] for name, found in served.items() if "signature" in found}
    (rows,) = signatures["network"]["tensors_in"]
    assert (rows["datatype"], rows["shape"]) == ("FP32", [None, 4])
    assert signatures["wide"]["tensors_in"][0]["datatype"] == "FP64"
    named = {each["name"]: (each["kind"], each["shape"]) for each in signatures["named"]["columns"]}
    assert named == {"kind": ("integer", None), "measures": ("tensor", [3])}
    assert signatures["named"]["outputs"] == ["prediction", "sum", "twice"]
    assert [each["name"] for each in signatures["two"]["columns"]] == ["input_0", "input_1"]


@pytest.mark.parametrize(
    ("name", "said"), [("factored", "lapack_sgeqrf_ffi"), ("elsewhere", 'platforms=("cpu",)')]
)
def test_what_cannot_run_here_is_refused(served: dict[str, Any], name: str, said: str) -> None:
    assert served[name]["reason"] == "UnsupportedFormat", served[name]
    assert said in served[name]["message"]


def upload(client: httpx.Client, name: str) -> str:
    content = (SAVED / f"{name}.jaxexport").read_bytes()
    response = client.post("/api/v1/models/upload", files={"file": content}, data={"name": name})
    return str(response.raise_for_status().json()["id"])


def test_a_platform_without_jax_serves_it(platform: PlatformProcess, python: Path) -> None:
    with platform.register_user() as client:
        models = {name: upload(client, name) for name in ("network", "named")}
        for name, model_id in models.items():
            wait_until_ready(client, model_id)
            (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
            assert (version["framework"], version["environment"]) == ("jax", "jax-0.10")
            assert version["sandbox"]["level"] == 2
            response = client.post(f"/predict/{model_id}", json={"inputs": ANSWERS[name]["rows"] * 20})
            found = response.raise_for_status().json()["predictions"]
            assert flat(found) == pytest.approx(flat(ANSWERS[name]["prediction"] * 20), rel=1e-5, abs=1e-6)
            log = client.get(f"/api/v1/models/{model_id}/versions/v1/logs").text
            assert "system_call_refused" not in log
        for wrong, said in [
            ([1, 2], "has 2 values, but the model takes 4"),
            ([1, 2, 3, "4"], "must be a number"),
            ([1, 2, 3, None], "must not be null"),
        ]:
            response = client.post(f"/predict/{models['network']}", json={"input": wrong})
            assert response.status_code == 422, response.text
            assert said in response.text
