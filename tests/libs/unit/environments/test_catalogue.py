"""The locks of the environments are whole, and say what their names say."""

import re

import pytest
from modelport_crds.names import ENVIRONMENT_NAME
from modelport_environments.catalogue import ENVIRONMENTS, Environment, find
from modelport_environments.errors import UnknownEnvironment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EACH = pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())


def locked(environment: Environment) -> dict[str, str]:
    lines = environment.lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    found = [re.fullmatch(r"([\w.-]+)==(\S+) ((?: *--hash=sha256:[0-9a-f]{64})+)", line) for line in lines]
    assert all(found), "each line is a package, its version, and the hashes of its files"
    return {canonicalize_name(match[1]): match[2] for match in found if match}


# What an index calls a framework's library, where that has another name.
PACKAGES = {
    "sklearn": "scikit-learn",
    "tensorflow": "tensorflow-cpu",
    "xgboost": "xgboost-cpu",
    "autogluon": "autogluon-tabular",
}


@EACH
def test_a_lock_has_what_its_environment_requires(environment: Environment) -> None:
    versions = locked(environment)
    for text in environment.requirements:
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), text


@EACH
def test_a_name_says_the_version_and_may_be_in_an_images_name(environment: Environment) -> None:
    assert re.fullmatch(ENVIRONMENT_NAME, environment.name)
    library, _, release = environment.name.rpartition("-")
    assert locked(environment)[PACKAGES.get(library, library)].startswith(f"{release}.")


@EACH
def test_a_lock_has_what_the_runtime_itself_imports(environment: Environment) -> None:
    imported = {"httptools", "joblib", "lz4", "msgspec", "numpy", "orjson", "prometheus-client", "uvicorn"}
    assert imported <= locked(environment).keys()


def test_each_is_another_by_its_digest() -> None:
    assert len({environment.digest() for environment in ENVIRONMENTS.values()}) == len(ENVIRONMENTS)


def test_who_names_none_is_told_which_there_are() -> None:
    with pytest.raises(UnknownEnvironment, match=r"'sklearn-0\.9' is not .*sklearn-1\.1, sklearn-1\.2, "):
        find("sklearn-0.9")
