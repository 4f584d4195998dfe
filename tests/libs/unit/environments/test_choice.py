"""The file decides where it runs, if nobody says."""

import json

import pytest
from modelport_environments.catalogue import PLATFORM_FRAMEWORKS
from modelport_environments.choice import OF_SKLEARN, OWN_ONLY, choose, environment_of

LISTS: dict[str, list[str]] = json.loads(OWN_ONLY.read_text(encoding="utf-8"))
SERVED_BY_ALL = ("sklearn.linear_model._logistic", "LogisticRegression")


def test_the_lists_are_of_environments_that_there_are() -> None:
    assert set(LISTS) == set(OF_SKLEARN)


@pytest.mark.parametrize("name", [name for name, classes in LISTS.items() if classes])
def test_what_only_its_own_version_serves_runs_there(name: str) -> None:
    versions = {"scikit-learn": f"{name.removeprefix('sklearn-')}.3"}
    own = ("sklearn.somewhere._private", LISTS[name][0])
    assert choose(versions, [SERVED_BY_ALL, own]) == name
    assert choose(versions, [SERVED_BY_ALL]) is None
    # A class of the user's, which is only called so.
    assert choose(versions, [("theirs.models", LISTS[name][0])]) is None


@pytest.mark.parametrize("version", ["", "0.24.2", "1.9.1", "2.0", "nonsense"])
def test_of_a_version_without_an_environment_the_platform_serves_what_it_can(version: str) -> None:
    assert choose({"scikit-learn": version}, [("sklearn.x", LISTS["sklearn-1.2"][0])]) is None


def test_a_framework_has_an_environment_unless_the_platform_serves_it() -> None:
    assert {environment_of(framework) for framework in PLATFORM_FRAMEWORKS} == {None}
    assert environment_of("catboost") == "catboost-1.2"
    assert environment_of("tensorflow") == "tensorflow-2.21"


@pytest.mark.parametrize(
    ("found", "environment"),
    [
        ({}, "statsmodels-0.15"),
        ({"statsmodels": "0.14 or older"}, "statsmodels-0.14"),
        ({"statsmodels": "0.15 or later"}, "statsmodels-0.15"),
        ({"statsmodels": "9.9"}, "statsmodels-0.15"),
        ({"catboost": "0.14"}, "statsmodels-0.15"),
    ],
)
def test_of_a_frameworks_environments_a_file_gets_its_own_releases_or_the_newest(
    found: dict[str, str], environment: str
) -> None:
    assert environment_of("statsmodels", found) == environment
