"""values.yaml, its schema and its comments say the same; the schema refuses what would fail later."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.chart.unit.chart import CHART, ROOT

TEXT = (CHART / "values.yaml").read_text()
VALUES = yaml.safe_load(TEXT)
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
# Given by Helm itself.
_NOT_OURS = {"global"}
_KEY = re.compile(r"^( *)([A-Za-z_]\w*):")


def value_paths(values: Any, prefix: str = "") -> Iterator[str]:
    """Every key, but not those within a value that a person may fill as they like."""
    for key, value in values.items():
        path = f"{prefix}{key}"
        yield path
        if isinstance(value, dict) and "properties" in _schema_at(path) and not _is_free(path):
            yield from value_paths(value, f"{path}.")


def schema_paths(schema: Any, prefix: str = "") -> Iterator[str]:
    for key, value in schema.get("properties", {}).items():
        path = f"{prefix}{key}"
        if path in _NOT_OURS:
            continue
        yield path
        if not _is_free(path):
            yield from schema_paths(value, f"{path}.")


def _is_free(path: str) -> bool:
    return path.endswith((".resources", ".labels"))


def _schema_at(path: str) -> Any:
    found = SCHEMA
    for key in path.split("."):
        found = found.get("properties", {}).get(key, {})
    return found


def comments() -> dict[str, str]:
    """The one line above each key, by its path."""
    found: dict[str, str] = {}
    path: list[str] = []
    above = ""
    for line in TEXT.splitlines():
        if line.lstrip().startswith("#"):
            above = f"{above} {line.strip().removeprefix('#').strip()}".strip()
            continue
        if key := _KEY.match(line):
            path = [*path[: len(key[1]) // 2], key[2]]
            found[".".join(path)] = above
        above = ""
    return found


def test_every_value_is_in_the_schema_and_the_other_way_round() -> None:
    assert set(value_paths(VALUES)) == set(schema_paths(SCHEMA))


def test_every_value_has_its_line_and_the_schema_repeats_it() -> None:
    said = comments()
    leaves = {path for path in value_paths(VALUES) if "properties" not in _schema_at(path) or _is_free(path)}
    assert not [path for path in leaves if not said.get(path)]
    differ = {path: _schema_at(path).get("description") for path in leaves}
    assert differ == {path: said[path] for path in leaves}


def test_nothing_that_the_schema_does_not_know_is_taken() -> None:
    def open_objects(schema: Any, path: str) -> Iterator[str]:
        if "properties" in schema and schema.get("additionalProperties") is not False:
            yield path
        for key, value in schema.get("properties", {}).items():
            yield from open_objects(value, f"{path}.{key}")

    assert list(open_objects(SCHEMA, "")) == []


def test_the_defaults_are_valid() -> None:
    jsonschema_rs.validator_for(SCHEMA).validate(VALUES)


@pytest.mark.parametrize(
    "values",
    [
        {"gatway": {}},
        {"gateway": {"replicas": 0}},
        {"gateway": {"image": {"digest": "sha256:short"}}},
        {"image": {"pullPolicy": "Sometimes"}},
        {"runtime": {"environments": {"image": {"repository": "one-for-all"}}}},
        # A digest is of one image.
        {"runtime": {"environments": {"image": {"digest": f"sha256:{'a' * 64}"}}}},
        {"artifacts": {"url": "gs://bucket"}},
        {"settings": {"limits": {"predict": "100 a minute"}}},
        {"settings": {"limits": {"predict": "0/minute"}}},
        {"settings": {"recheckEvery": -1}},
        {"postgresql": {"external": {"url": "mysql://host/name"}}},
        {"postgresql": {"runAsUser": 0}},
        {"redis": {"external": {"url": "host:6379"}}},
        {"publicUrl": "models.example.com"},
        {"watchNamespaces": ["a", "a"]},
        {"admin": {"email": "nobody"}},
    ],
)
def test_a_value_that_would_fail_later_is_refused_at_once(values: Any) -> None:
    assert not jsonschema_rs.validator_for(SCHEMA).is_valid(values)


def test_what_is_set_for_ones_own_machine_is_known_to_the_chart() -> None:
    own = yaml.safe_load((ROOT / "helm" / "kind" / "values.yaml").read_text())
    jsonschema_rs.validator_for(SCHEMA).validate(own)
    skaffold = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
    [release] = skaffold["deploy"]["helm"]["releases"]
    assert set(release["setValueTemplates"]) <= set(value_paths(VALUES))
    built = {each["image"]: ROOT / each["docker"]["dockerfile"] for each in skaffold["build"]["artifacts"]}
    assert all(dockerfile.is_file() for dockerfile in built.values())
    repositories = {VALUES[part]["image"]["repository"] for part in ("controlApi", "gateway", "operator")}
    repositories |= {
        each["image"]["repository"]
        for each in VALUES["runtime"].values()
        if isinstance(each, dict) and "image" in each
    }
    # Eight images, of which nobody at work needs more than one.
    repositories.remove(VALUES["runtime"]["environments"]["image"]["repository"])
    assert set(built) == repositories
