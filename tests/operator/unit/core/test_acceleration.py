"""A model's acceleration: what its runtime is given, what it reports, and what is said when that changes."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from modelport_crds.mlmodel import AccelerationProof, MLModelStatus, VersionStatus
from modelport_operator.core.desired import desired_objects
from modelport_operator.core.events import Event, events_of
from modelport_operator.core.observed.probe_results import RuntimeStatus
from modelport_operator.core.specs.deployment import template_digest
from modelport_operator.settings import Settings
from modelport_operator.shell.runtimes import read_status
from pydantic import ValidationError

from tests.operator.unit.harness import Harness, settings
from tests.support.builders import ModelBuilder, a_model, a_pod, a_version

PROVEN = AccelerationProof(rows_compared=1024, largest_difference=1e-9, detail="The kernels equal the model.")
DIFFERS = AccelerationProof(rows_compared=1024, largest_difference=1e-9, detail="A prediction differed.")
NUMPY = RuntimeStatus(state="ready", engine="numpy", acceleration=PROVEN)
NATIVE = RuntimeStatus(state="ready", engine="native", acceleration=DIFFERS)


def _deployment(model: ModelBuilder, given: Settings | None = None) -> Any:
    objects = desired_objects(model.build(), given or settings())
    return next(obj for obj in objects if obj["kind"] == "Deployment")


def _variables(model: ModelBuilder, given: Settings | None = None) -> Mapping[str, str]:
    """What the runtime is given about acceleration."""
    env = _deployment(model, given)["spec"]["template"]["spec"]["containers"][0]["env"]
    names = ("MODELPORT_RUNTIME_ACCELERATION", "MODELPORT_RUNTIME_RECHECK_EVERY")
    return {each["name"]: each["value"] for each in env if each["name"] in names}


def test_usually_a_runtime_gets_no_variables_so_that_an_upgrade_restarts_no_pod() -> None:
    assert _variables(a_model()) == {}
    assert _variables(a_model(), settings(recheck_every=1000)) == {}


def test_off_is_set_as_a_variable_and_is_another_template() -> None:
    off = a_model().with_spec(acceleration="off")
    assert _variables(off) == {"MODELPORT_RUNTIME_ACCELERATION": "off"}
    assert template_digest(_deployment(off)) != template_digest(_deployment(a_model()))


@pytest.mark.parametrize("every", [0, 1, 10_000])
def test_another_recheck_interval_is_set_only_where_anything_is_accelerated(every: int) -> None:
    given = settings(recheck_every=every)
    assert _variables(a_model(), given) == {"MODELPORT_RUNTIME_RECHECK_EVERY": str(every)}
    off = a_model().with_spec(acceleration="off")
    assert "MODELPORT_RUNTIME_RECHECK_EVERY" not in _variables(off, given)


def test_in_an_environment_the_model_ends_once_it_is_proven_unless_another_interval_is_set() -> None:
    apart = a_model().versions(a_version(environment="sklearn-1.2"))
    assert _variables(apart) == {"MODELPORT_RUNTIME_RECHECK_EVERY": "0"}
    assert _variables(apart, settings(recheck_every=7)) == {"MODELPORT_RUNTIME_RECHECK_EVERY": "0"}
    assert _variables(apart, settings(environment_recheck_every=1000)) == {}
    assert _variables(apart, settings(environment_recheck_every=7)) == {
        "MODELPORT_RUNTIME_RECHECK_EVERY": "7"
    }


def test_a_pace_below_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="recheck_every"):
        settings(recheck_every=-1)


def _wire(**acceleration: Any) -> bytes:
    return json.dumps({"state": "ready", "engine": "numpy", "acceleration": acceleration}).encode()


def test_what_a_runtime_says_of_its_engine_is_read() -> None:
    said = read_status(
        _wire(setting="auto", rows_compared=1024, largest_difference=1e-9, detail=PROVEN.detail)
    )
    assert said is not None
    assert (said.engine, said.acceleration) == ("numpy", PROVEN)


def test_a_runtime_of_an_earlier_release_says_nothing_of_it() -> None:
    said = read_status(b'{"state": "ready"}')
    assert said is not None
    assert (said.engine, said.acceleration) == (None, None)


def test_what_a_runtime_says_is_plain_and_short() -> None:
    said = read_status(_wire(detail="\x1b[31m" + "x" * 5000))
    assert said is not None
    assert said.acceleration is not None
    assert said.acceleration.detail.startswith("[31mx")
    assert len(said.acceleration.detail) == 1000


@pytest.mark.parametrize(
    "body",
    [
        _wire(rows_compared=-1),
        _wire(rows_compared=2**60),
        _wire(largest_difference=-1.0),
        b'{"state": "ready", "acceleration": {"largest_difference": 1e999}}',
        b'{"state": "ready", "engine": "magic"}',
    ],
)
def test_numbers_and_engines_that_cannot_be_make_no_status(body: bytes) -> None:
    assert read_status(body) is None


async def _serving(harness: Harness, said: RuntimeStatus = NUMPY) -> None:
    harness.runtimes.statuses["10.0.0.1"] = said
    await harness.submit(a_model())
    await harness.settle()
    await harness.play("v1")
    await harness.settle()


async def test_the_status_names_the_engine_and_the_proof() -> None:
    harness = Harness()
    await _serving(harness)
    assert harness.version("v1")["engine"] == "numpy"
    assert harness.version("v1")["acceleration"] == {
        "rowsCompared": 1024,
        "largestDifference": 1e-9,
        "detail": "The kernels equal the model.",
    }


async def test_a_runtime_that_serves_is_probed_only_when_engines_are_checked() -> None:
    harness = Harness()
    await _serving(harness)
    harness.runtimes.statuses_asked.clear()
    await harness.reconcile()
    assert harness.runtimes.statuses_asked == []
    await harness.reconcile(check_engines=True)
    assert harness.runtimes.statuses_asked == ["10.0.0.1:8080"]


async def test_a_check_that_finds_nothing_new_writes_nothing_and_requests_no_other_pass() -> None:
    harness = Harness()
    await _serving(harness)
    harness.kube.calls.clear()
    assert await harness.reconcile(check_engines=True) is None
    assert harness.kube.calls == []
    assert len(harness.runtimes.asked) == 1


async def test_a_runtime_that_went_back_to_its_model_shows_and_serves_on() -> None:
    harness = Harness()
    await _serving(harness)
    harness.runtimes.statuses["10.0.0.1"] = NATIVE
    await harness.reconcile(check_engines=True)
    version = harness.version("v1")
    assert (version["engine"], version["ready"]) == ("native", True)
    assert version["acceleration"]["detail"] == "A prediction differed."  # type: ignore[index]
    assert harness.traffic() == {"v1": 100}


async def test_one_of_two_pods_that_went_back_is_the_one_to_tell_of() -> None:
    harness = Harness()
    await _serving(harness)
    harness.runtimes.statuses["10.0.0.2"] = NATIVE
    second = a_pod().of("iris", "v1").called("iris-v1-1").ready()
    second = second.of_template(await harness.template("v1"))
    built = second.owned_by((await harness.deployment("v1"))["metadata"]["uid"]).build()
    built["status"]["podIP"] = "10.0.0.2"
    harness.kube.put(built)
    await harness.reconcile(check_engines=True)
    assert sorted(harness.runtimes.statuses_asked[-2:]) == ["10.0.0.1:8080", "10.0.0.2:8080"]
    assert harness.version("v1")["engine"] == "native"
    harness.runtimes.statuses["10.0.0.2"] = NUMPY
    await harness.reconcile(check_engines=True)
    assert harness.version("v1")["engine"] == "numpy"


@pytest.mark.parametrize("said", [None, RuntimeStatus(state="loading"), RuntimeStatus(state="failed")])
async def test_a_runtime_without_a_ready_status_changes_nothing(said: RuntimeStatus | None) -> None:
    harness = Harness()
    await _serving(harness)
    harness.runtimes.statuses["10.0.0.1"] = said
    harness.kube.calls.clear()
    assert await harness.reconcile(check_engines=True) is None
    assert harness.kube.calls == []


async def test_off_serves_from_the_old_pod_until_the_new_one_has_predicted_natively() -> None:
    harness = Harness()
    await _serving(harness)
    await harness.submit(a_model().with_spec(acceleration="off"))
    await harness.reconcile(check_engines=True)
    assert harness.traffic() == {"v1": 100}
    assert harness.version("v1")["engine"] == "numpy"
    harness.runtimes.statuses["10.0.0.2"] = RuntimeStatus(
        state="ready", engine="native", acceleration=AccelerationProof(detail="Acceleration is switched off.")
    )
    await harness.play("v1", address="10.0.0.2")
    await harness.settle()
    assert harness.version("v1")["engine"] == "native"
    assert harness.version("v1")["acceleration"] == {"detail": "Acceleration is switched off."}
    assert harness.traffic() == {"v1": 100}


def _status(engine: Any, proof: AccelerationProof, template: str = "one") -> MLModelStatus:
    version = VersionStatus(
        name="v1", reason="Serving", ready=True, template=template, engine=engine, acceleration=proof
    )
    return MLModelStatus(versions=(version,))


def test_a_return_to_the_model_is_a_warning_with_what_differed() -> None:
    assert events_of(_status("numpy", PROVEN), _status("native", DIFFERS)) == (
        Event(
            "Warning", "AccelerationEnded", "v1 answers from the model itself again. A prediction differed."
        ),
    )


def test_a_switch_to_off_and_a_new_acceleration_are_no_warning() -> None:
    assert events_of(_status("numpy", PROVEN), _status("native", DIFFERS, template="two")) == ()
    assert events_of(_status("native", DIFFERS), _status("numpy", PROVEN)) == ()
