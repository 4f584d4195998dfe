"""Every call of /openapi.json, asked what nobody would write by hand: no 5xx, and only what is documented."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.control_api.integration.api.conftest import upload_iris
from tests.support.nightly import at_night
from tests.support.platform_process import PlatformProcess

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Each of them takes as long as a password's hash, on purpose.
SLOW = {f"/api/v1/auth/{call}" for call in ("register", "login", "token", "me/delete")}
EXAMPLES, EXAMPLES_OF_SLOW, EXAMPLES_OF_NOBODY = at_night((4, 1, 1), (15, 3, 2))


@dataclass(frozen=True)
class Real:
    """What exists, by path parameter: without it almost every case would end as a 404."""

    changeable: Mapping[str, str]
    predictable: Mapping[str, str]

    def ids_for(self, operation: APIOperation) -> Mapping[str, str]:
        if operation.method == "delete":
            return {}
        return self.changeable if operation.path.startswith("/api/v1/models") else self.predictable


@pytest.fixture(scope="module")
def operations(platform: PlatformProcess) -> list[APIOperation]:
    schema = schemathesis.openapi.from_url(f"{platform.url}/openapi.json", timeout=90)
    return [result.ok() for result in schema.get_all_operations()]


@pytest.fixture(scope="module")
def real(ann: httpx.Client, iris_id: str) -> Real:
    key = ann.post("/api/v1/api-keys", json={"name": "to be rotated"}).raise_for_status().json()
    return Real(
        changeable={"model_id": upload_iris(ann)["id"], "version": "v1"},
        predictable={"model_id": iris_id, "version": "v1", "key_id": key["id"]},
    )


def send(
    operation: APIOperation,
    headers: Mapping[str, str],
    ids: Mapping[str, str],
    mode: GenerationMode,
    count: int,
) -> None:
    """The same cases in every run."""

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        case.path_parameters.update({name: ids[name] for name in case.path_parameters if name in ids})
        for name in ("Authorization", "X-API-Key"):
            case.headers.pop(name, None)
        case.call_and_validate(headers=dict(headers), checks=CHECKS, timeout=60)

    check()


def count_of(operation: APIOperation, ids: Mapping[str, str]) -> int:
    if operation.path in SLOW:
        return EXAMPLES_OF_SLOW
    free = [part for part in operation.path_parameters if part.name not in ids]
    # With nothing but a path that exists, all cases are one request.
    return EXAMPLES if free or operation.body or operation.query or operation.headers else 1


def modes_of(operation: APIOperation) -> list[GenerationMode]:
    """Nothing can be wrong with a request that consists of a path, nor, by the document, with a CSV file."""
    has_input = any(body.media_type != "text/csv" for body in operation.body) or bool(operation.query)
    return list(GenerationMode) if has_input else [GenerationMode.POSITIVE]


@pytest.mark.timeout(900)
def test_every_call_responds_to_its_user_as_documented(
    operations: list[APIOperation], ann: httpx.Client, real: Real, subtests: pytest.Subtests
) -> None:
    headers = {"Authorization": ann.headers["Authorization"]}
    for operation in operations:
        ids = real.ids_for(operation)
        for mode in modes_of(operation):
            with subtests.test(operation.label, mode=mode):
                send(operation, headers, ids, mode, count_of(operation, ids))


@pytest.mark.timeout(900)
def test_every_call_responds_without_credentials_as_documented(
    operations: list[APIOperation], subtests: pytest.Subtests
) -> None:
    for operation in operations:
        if operation.path not in SLOW:
            with subtests.test(operation.label):
                send(operation, {}, {}, GenerationMode.POSITIVE, EXAMPLES_OF_NOBODY)
