"""Parts share no code with the runtime, so the frameworks are listed in several: in each the same ones."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import modelport_crds.mlmodel
import modelport_operator.settings
import modelport_runtime.settings
import pytest
import yaml
from modelport_environments.catalogue import PLATFORM_FRAMEWORKS
from modelport_environments.choice import environment_of
from modelport_runtime.core.backends.registry import FRAMEWORKS

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "add-a-framework.md").read_text()
NAMES = {framework.name for framework in FRAMEWORKS}
MANIFEST = "crds/mlmodel.yaml"
CHART = "helm/modelport/templates/operator/deployment.yaml"


def _of_manifest() -> Iterable[str]:
    (version,) = yaml.safe_load((ROOT / MANIFEST).read_text())["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    names: list[str] = spec["properties"]["versions"]["items"]["properties"]["framework"]["enum"]
    return names


def _of_chart() -> Iterable[str]:
    (images,) = re.findall(r"\$images := dict (.*)", (ROOT / CHART).read_text())
    return re.findall(r'"(\w+)" [$(]', images)


LISTS = {
    "model-runtime/modelport_runtime/settings.py": get_args(modelport_runtime.settings.Framework),
    "crds/modelport_crds/mlmodel.py": get_args(modelport_crds.mlmodel.Framework),
    MANIFEST: _of_manifest(),
    "operator/modelport_operator/settings.py": [
        *modelport_operator.settings._RUNTIME_IMAGES,
        *modelport_operator.settings.ENVIRONMENTS,
    ],
}
TEXTS = [
    ("docs/api.md", r"^`model_type` is (.*?);"),
    ("docs/contracts.md", r"`MODELPORT_RUNTIME_FRAMEWORK` \| (.*?) \|"),
    ("docs/settings.md", r"`MODELPORT_RUNTIME_FRAMEWORK` \|.*\| (.*):"),
    ("client/modelport/cli/models.py", r'"--type",\s+help="([^;]*);'),
]


@pytest.mark.parametrize("place", LISTS)
def test_the_same_frameworks_are_listed_in(place: str) -> None:
    assert set(LISTS[place]) == NAMES
    assert f"`{place}`" in PAGE


@pytest.mark.parametrize(("place", "pattern"), TEXTS)
def test_all_frameworks_are_named_in(place: str, pattern: str) -> None:
    (sentence,) = re.findall(pattern, (ROOT / place).read_text(), re.MULTILINE)
    assert set(re.findall(r"\w+", sentence)) - {"or"} == NAMES
    assert f"`{place}`" in PAGE


def test_each_is_served_by_the_platforms_libraries_or_has_an_environment() -> None:
    own = {name: environment for name in NAMES if (environment := environment_of(name)) is not None}
    assert own == modelport_operator.settings.ENVIRONMENTS


def test_frameworks_of_the_platforms_libraries_have_images_where_the_others_are_listed() -> None:
    page = (ROOT / "docs/contracts.md").read_text()
    (listed,) = re.findall(r"`MODELPORT_OPERATOR_RUNTIME_IMAGES` \| `\{(.*?)\}`", page)
    assert set(re.findall(r"\w+", listed)) == set(_of_chart()) == PLATFORM_FRAMEWORKS
    assert f"`{CHART}`" in PAGE


def test_the_comparison_counts_them() -> None:
    # An ensemble is of frameworks, and none itself.
    assert f"| frameworks | {len(NAMES - {'ensemble'})} today |" in (ROOT / "README.md").read_text()


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.\w+)`", PAGE)
    assert len(named) > 10
    assert [path for path in named if "NAME" not in path and not (ROOT / path).exists()] == []
