"""What the chart ships beside its templates agrees with the code."""

import json
import re
import tomllib
from itertools import pairwise

import yaml

from tests.chart.unit.chart import CHART, ROOT

_PARTS = ("control-api", "gateway", "operator", "libs", "model-runtime")


def test_its_resource_is_the_platforms() -> None:
    shipped, source = CHART / "files" / "mlmodel.yaml", ROOT / "crds" / "mlmodel.yaml"
    assert shipped.read_bytes() == source.read_bytes(), (
        f"cp {source.relative_to(ROOT)} {shipped.relative_to(ROOT)}"
    )


def test_its_version_is_the_projects() -> None:
    version = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_the_dashboard_queries_only_metrics_that_exist() -> None:
    sources = "".join(path.read_text() for part in _PARTS for path in (ROOT / part).rglob("*.py"))
    dashboard = json.loads((CHART / "files" / "dashboards" / "modelport.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    asked = {name for expression in expressions for name in re.findall(r"\bmodelport_\w+", expression)}
    assert len(asked) > 10
    series = {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked}
    assert not [name for name in series if f'"{name}"' not in sources]


def test_each_right_is_given_with_its_reason() -> None:
    for part in ("control-api", "gateway", "operator"):
        lines = (CHART / "templates" / part / "rbac.yaml").read_text().splitlines()
        for above, line in pairwise(lines):
            if line.lstrip().startswith("- apiGroups:"):
                # One reason may stand for several rules in a row.
                assert above.lstrip().startswith("#") or above.lstrip().startswith("verbs:"), (
                    f"{part}: {line}"
                )
