"""What helm says after an installation."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.chart.unit.chart import CHART, KUBE_VERSION, run_helm

# Helm may have to be built first.
pytestmark = pytest.mark.timeout(600)
INGRESS = ("ingress.enabled=true", "ingress.host=models.example.com")
OPENSHIFT = ("--api-versions", "security.openshift.io/v1")
ROUTE = ("httpRoute.enabled=true", "httpRoute.parentRefs[0].name=public")


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """The chart with its notes as an object: helm shows them only after it has installed into a cluster."""
    copy = tmp_path / "modelport"
    shutil.copytree(CHART, copy)
    shutil.move(copy / "templates" / "NOTES.txt", copy / "notes")
    (copy / "templates" / "notes.yaml").write_text('text: {{ tpl (.Files.Get "notes") . | quote }}\n')
    return copy


@pytest.mark.parametrize(
    ("settings", "warns"),
    [
        ((), False),
        (INGRESS, True),
        (ROUTE, True),
        ((*INGRESS, "settings.trustedProxies=10.244.0.0/16"), False),
    ],
)
def test_an_ingress_without_trusted_proxies_is_warned_of(
    chart: Path, settings: tuple[str, ...], warns: bool
) -> None:
    notes = _notes(chart, *(word for each in settings for word in ("--set", each)))
    assert ("settings.trustedProxies=" in notes) == warns
    assert "rollout status" in notes


@pytest.mark.parametrize(
    ("options", "warns"),
    [
        ((), False),
        (OPENSHIFT, True),
        ((*OPENSHIFT, "--values", str(CHART / "values.openshift.yaml")), False),
    ],
)
def test_openshift_is_warned_of_ids_that_it_would_refuse(
    chart: Path, options: tuple[str, ...], warns: bool
) -> None:
    assert ("values.openshift.yaml" in _notes(chart, *options)) == warns


def _notes(chart: Path, *options: str) -> str:
    answer = run_helm(
        *("template", "modelport", str(chart), "--kube-version", KUBE_VERSION),
        *("--show-only", "templates/notes.yaml", *options),
    )
    assert answer.returncode == 0, answer.stderr
    text: str = yaml.safe_load(answer.stdout)["text"]
    return text
