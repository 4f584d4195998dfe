"""crds/mlmodel.yaml and its typed Python view say the same, and the schema refuses what it should."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import yaml
from modelport_crds import names
from modelport_crds.mlmodel import (
    AccelerationProof,
    Compatibility,
    MLModelSpec,
    MLModelStatus,
    SignatureChange,
    from_object,
    to_object,
)

from tests.support.builders import a_model

CRD = yaml.safe_load((Path(__file__).parents[4] / "crds" / "mlmodel.yaml").read_text())
VERSION = CRD["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]
_CONSTRAINTS = ("minimum", "maximum", "pattern", "enum")


def _facts_of_yaml(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, _facts(schema, set(schema.get("required", ())))
    for name, field in schema.get("properties", {}).items():
        yield from _facts_of_yaml(field, f"{path}.{name}")
    if "items" in schema:
        yield from _facts_of_yaml(schema["items"], f"{path}[]")


def _facts_of_types(
    schema: dict[str, Any], defs: dict[str, Any], path: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    schema = _resolved(schema, defs)
    yield path, _facts(schema, set(schema.get("required", ())))
    for name, field in schema.get("properties", {}).items():
        yield from _facts_of_types(field, defs, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield from _facts_of_types(schema["items"], defs, f"{path}[]")


def _resolved(schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """Without references and without null: absent and null are one to Kubernetes."""
    given = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf")}
    if "anyOf" in schema:
        schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
    target = defs[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    return {**target, **given}


def _facts(schema: dict[str, Any], required: set[str]) -> dict[str, Any]:
    facts = {key: schema[key] for key in _CONSTRAINTS if key in schema}
    if "enum" in facts:
        facts["enum"] = sorted(facts["enum"])
    # An empty default of a list or an object is how Python writes "absent". Spelled out it says no more. An
    # object with a rule needs that: the API server checks the rule against the bare default.
    spelled_out = {
        name: field["default"] for name, field in schema.get("properties", {}).items() if "default" in field
    }
    if schema.get("default") not in (None, {}, [], (), spelled_out):
        default = schema["default"]
        facts["default"] = list(default) if isinstance(default, tuple) else default
    return {"fields": sorted(schema.get("properties", ())), "required": sorted(required), **facts}


@pytest.mark.parametrize(("part", "type_"), [("spec", MLModelSpec), ("status", MLModelStatus)])
def test_the_types_and_the_yaml_agree_on_fields_ranges_enums_and_defaults(part: str, type_: type) -> None:
    schema = msgspec.json.schema(type_)
    defs = schema.get("$defs", {})
    of_types = dict(_facts_of_types(schema, defs))
    of_yaml = dict(_facts_of_yaml(SCHEMA["properties"][part]))
    assert sorted(of_types) == sorted(of_yaml)
    assert of_types == of_yaml


def test_the_yaml_and_the_names_agree() -> None:
    spec = CRD["spec"]
    assert (spec["group"], VERSION["name"], spec["names"]["kind"], spec["names"]["plural"]) == (
        names.GROUP,
        names.VERSION,
        names.KIND,
        names.PLURAL,
    )
    assert CRD["metadata"]["name"] == f"{names.PLURAL}.{names.GROUP}"
    assert spec["names"]["shortNames"] == ["mlm"]


def test_kubectl_get_shows_readiness_traffic_and_the_url() -> None:
    columns = [column["name"] for column in VERSION["additionalPrinterColumns"] if not column.get("priority")]
    assert columns == ["Ready", "Reason", "Version", "Traffic", "Replicas", "Rollout", "URL", "Age"]


def test_every_rule_says_what_is_wrong() -> None:
    rules = list(_rules(SCHEMA))
    assert len(rules) == 11
    assert all(rule["message"] for rule in rules)


def _rules(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from schema.get("x-kubernetes-validations", ())
    for field in schema.get("properties", {}).values():
        yield from _rules(field)
    if "items" in schema:
        yield from _rules(schema["items"])


def test_strings_in_rules_and_lists_under_rules_are_bounded() -> None:
    """The API server estimates a rule's cost from the bounds, and refuses a CRD without them."""
    version = SCHEMA["properties"]["spec"]["properties"]["versions"]
    assert version["maxItems"] == 50
    artifact = version["items"]["properties"]["artifact"]["properties"]
    assert all(
        "maxLength" in field
        for field in (artifact["uri"], artifact["sha256"], version["items"]["properties"]["name"])
    )


def _manifest(**spec: Any) -> dict[str, Any]:
    manifest = a_model().manifest()
    return {**manifest, "spec": {**manifest["spec"], **spec}}


def _version(**changes: Any) -> dict[str, Any]:
    return {**a_model().manifest()["spec"]["versions"][0], **changes}


def test_a_model_as_users_write_it_fits_the_schema_and_the_types() -> None:
    manifest = _manifest(cache={}, rateLimit={"requests": 5}, scaling={"maxReplicas": 3})
    jsonschema_rs.validate(SCHEMA, manifest)
    model = from_object(manifest)
    assert model.spec.cache is not None
    assert model.spec.cache.ttl_seconds == 3600
    assert model.spec.scaling.min_replicas == 1


BAD_SPECS: dict[str, dict[str, Any]] = {
    "no version": {"versions": []},
    "a version's name": {"versions": [_version(name="latest")]},
    "a framework": {"versions": [_version(framework="fortran")]},
    "a digest": {"versions": [_version(artifact={"uri": "x", "sha256": "ABC"})]},
    "a version to be compatible with": {
        "traffic": [{"version": "v1", "weight": 100, "compatibleWith": "latest"}]
    },
    "a weight": {"traffic": [{"version": "v1", "weight": 101}]},
    "too many replicas": {"scaling": {"maxReplicas": 1001}},
    "no replicas at most": {"scaling": {"maxReplicas": 0}},
    "a batch of none": {"batching": {"maxBatchSize": 0}},
    "a cache of no time": {"cache": {"ttlSeconds": 0}},
    "a limit of none": {"rateLimit": {"requests": 0}},
    "a limit without requests": {"rateLimit": {}},
    "a timeout of an hour": {"timeoutSeconds": 3600},
    "an access": {"access": "everyone"},
    "an acceleration": {"acceleration": "on"},
    "a stickiness": {"sticky": "address"},
    "a stickiness of nothing": {"sticky": None},
    "a history of nothing": {"history": {"percent": 0}},
    "a history without a share": {"history": {"redactFields": ["name"]}},
    "an acceleration that YAML took for false": {"acceleration": False},
}


@pytest.mark.parametrize("spec", BAD_SPECS.values(), ids=BAD_SPECS.keys())
def test_the_schema_refuses(spec: dict[str, Any]) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(SCHEMA, _manifest(**spec))


@pytest.mark.parametrize("sticky", ["caller", "session"])
def test_a_split_sticks_to_what_the_model_asks_for(sticky: str) -> None:
    manifest = _manifest(sticky=sticky)
    jsonschema_rs.validate(SCHEMA, manifest)
    model = from_object(manifest)
    assert model.spec.sticky == to_object(model)["spec"]["sticky"] == sticky


def test_a_model_that_asks_for_no_stickiness_has_none() -> None:
    model = from_object(_manifest())
    assert model.spec.sticky is None
    assert "sticky" not in to_object(model)["spec"]


def test_the_log_of_a_failed_version_is_text_and_may_be_left_out() -> None:
    failed = {"name": "v1", "failed": True, "lastLog": "Traceback\nValueError: no"}
    manifest = {**a_model().manifest(), "status": {"versions": [failed, {"name": "v2"}]}}
    jsonschema_rs.validate(SCHEMA, manifest)
    logs = [version.last_log for version in from_object(manifest).status.versions]
    assert logs == ["Traceback\nValueError: no", ""]
    failed["lastLog"] = ["Traceback"]  # type: ignore[assignment]
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(SCHEMA, manifest)


def test_a_version_reports_its_engine_and_the_proof_once_they_are_known() -> None:
    proof = {"rowsCompared": 1024, "largestDifference": 1e-9, "detail": "equal"}
    versions: list[dict[str, Any]] = [
        {"name": "v1", "engine": "numpy", "acceleration": proof},
        {"name": "v2"},
    ]
    manifest = {**a_model().manifest(), "status": {"versions": versions}}
    jsonschema_rs.validate(SCHEMA, manifest)
    model = from_object(manifest)
    known, new = model.status.versions
    assert known.engine == "numpy"
    assert known.acceleration == AccelerationProof(
        rows_compared=1024, largest_difference=1e-9, detail="equal"
    )
    assert (new.engine, new.acceleration) == (None, None)
    assert to_object(model)["status"]["versions"] == versions
    versions[1]["engine"] = "onnx"
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(SCHEMA, manifest)


def test_a_share_names_the_version_that_it_must_be_compatible_with_and_the_status_what_differs() -> None:
    traffic = [{"version": "v1", "weight": 100, "compatibleWith": "v7"}]
    change = {"what": "input_type", "name": "age", "before": "number", "after": "text"}
    found = {"version": "v7", "changes": [change, {"what": "labels"}], "more": 2}
    versions = [{"name": "v1", "compatibility": found}, {"name": "v2"}]
    manifest: dict[str, Any] = {**_manifest(traffic=traffic), "status": {"versions": versions}}
    jsonschema_rs.validate(SCHEMA, manifest)
    model = from_object(manifest)
    assert model.spec.traffic[0].compatible_with == "v7"
    first, second = model.status.versions
    assert first.compatibility == Compatibility(
        version="v7",
        changes=(
            SignatureChange(what="input_type", name="age", before="number", after="text"),
            SignatureChange(what="labels"),
        ),
        more=2,
    )
    assert second.compatibility is None
    written = to_object(model)
    assert (written["spec"]["traffic"], written["status"]["versions"]) == (traffic, versions)


def test_an_object_written_and_read_again_is_the_same_plain_data() -> None:
    model = a_model().versions("v1", "v2").traffic(v1=90, v2=10).build()
    written = to_object(model)
    assert from_object(written) == model
    assert from_object(written).public_id == "iris"
    assert isinstance(written["spec"]["versions"], list)
