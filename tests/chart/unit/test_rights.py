"""The rights that the chart gives are those that docs/contracts.md lists, each with its reason."""

import re

import pytest

from tests.chart.unit.chart import ROOT, Object, of_kind, render

# Helm may have to be built first.
pytestmark = pytest.mark.timeout(600)

Right = tuple[str, str, str]  # group, resource, verb
_ROW = re.compile(
    r"^\| (?:(?P<who>gateway|control API) \| )?(?P<where>[^|]+) \| (?P<what>[^|]+) \| (?P<verbs>[a-z, ]+) \|"
)


def documented() -> dict[str, set[Right]]:
    """By part: the rights of the rows of the RBAC tables; the operator's name no part."""
    found: dict[str, set[Right]] = {"gateway": set(), "control-api": set(), "operator": set()}
    text = (ROOT / "docs" / "contracts.md").read_text()
    for table in re.findall(r"^RBAC(?:.+\n)+\n((?:\|.+\n)+)", text, re.M):
        for line in table.splitlines()[2:]:
            row = _ROW.match(line)
            assert row, line
            part = (row["who"] or "operator").replace(" API", "-api")
            found[part] |= {
                (*each, verb) for each in _resources(row["what"]) for verb in row["verbs"].split(", ")
            }
    return found


def _resources(cell: str) -> list[tuple[str, str]]:
    pairs = []
    for group_part in cell.split(";"):
        group, resources = group_part.split(" / ", maxsplit=1)
        name = group.strip().strip("`").replace("core", "")
        pairs += [(name, resource) for resource in re.findall(r"`([^`]+)`", resources)]
    return pairs


def given(objects: list[Object]) -> dict[str, set[Right]]:
    found: dict[str, set[Right]] = {}
    for role in of_kind(objects, "Role").values():
        part = role["metadata"]["labels"]["app.kubernetes.io/component"]
        found.setdefault(part, set()).update(
            (group, resource, verb)
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        )
    return found


@pytest.mark.parametrize("part", ["gateway", "control-api", "operator"])
def test_a_part_may_do_what_is_documented_and_no_more(part: str) -> None:
    assert documented()[part]
    assert given(render())[part] == documented()[part]


def test_the_operator_may_look_at_the_secrets_that_are_listed_and_at_no_other() -> None:
    roles = of_kind(render("runtime.artifactCredentialsSecrets={team-a,team-b}"), "Role").values()
    rules = [rule for role in roles for rule in role["rules"] if "secrets" in rule["resources"]]
    assert rules == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["team-a", "team-b"], "verbs": ["get"]}
    ]
