"""The file decides where it runs, if nobody says."""

import json

import pytest
from modelport_environments.catalogue import ENVIRONMENTS, PLATFORM_FRAMEWORKS
from modelport_environments.choice import OF_SKLEARN, OF_XGBOOST, OWN_ONLY, choose, environment_of

LISTS: dict[str, list[str]] = json.loads(OWN_ONLY.read_text(encoding="utf-8"))
SERVED_BY_ALL = ("sklearn.linear_model._logistic", "LogisticRegression")


def test_the_lists_are_of_environments_that_there_are() -> None:
    assert set(LISTS) == {*OF_SKLEARN, *OF_XGBOOST} <= set(ENVIRONMENTS)


@pytest.mark.parametrize("name", [name for name in OF_SKLEARN if LISTS[name]])
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


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("1.5.2", "xgboost-3.0"),
        ("1.6.2", "xgboost-3.0"),
        ("1.7", "xgboost-3.0"),
        ("2.1.4", "xgboost-3.0"),
        ("3.0.5", "xgboost-3.0"),
        ("3.1.3", "xgboost-3.1"),
    ],
)
def test_a_booster_runs_where_its_trees_are_read(version: str, name: str) -> None:
    versions = {"xgboost": version, "scikit-learn": "1.9.1"}
    assert choose(versions, [SERVED_BY_ALL], frozenset({LISTS[name][-1]})) == name
    assert choose(versions, [SERVED_BY_ALL]) is None


@pytest.mark.parametrize("version", ["", "0.0", "1.4.2", "3.2.0", "4.0"])
def test_a_release_of_xgboost_that_was_compared_nowhere_stays_with_the_platform(version: str) -> None:
    assert choose({"xgboost": version}, [], frozenset(LISTS["xgboost-3.0"])) is None


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
