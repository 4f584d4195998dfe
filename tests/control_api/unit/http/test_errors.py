"""An error of the platform says itself how it is answered."""

import importlib
import pkgutil
from collections.abc import Iterator

import modelport_control_api
from modelport_control_api.accounts.auth.errors import PasswordTooWeak, WrongEmailOrPassword
from modelport_control_api.batch.errors import TooManyJobs
from modelport_control_api.errors import DomainError, InvalidFields
from modelport_control_api.sniff.errors import CorruptArtifact


def test_the_field_that_is_to_blame_is_named() -> None:
    error = CorruptArtifact("The file breaks off.")
    assert (error.status, error.reason, error.detail) == (422, "CorruptArtifact", "The file breaks off.")
    assert error.errors == [{"field": "file", "message": "The file breaks off."}]


def test_when_to_try_again_is_said() -> None:
    assert TooManyJobs("Twenty jobs are in progress.").headers == {"Retry-After": "30"}


def test_a_failed_authentication_has_a_www_authenticate_header() -> None:
    assert WrongEmailOrPassword().headers == {"WWW-Authenticate": 'Bearer realm="modelport"'}


def test_all_broken_rules_of_one_field_are_reported() -> None:
    error = PasswordTooWeak(["must be longer", "must not repeat one character"])
    assert isinstance(error, InvalidFields)
    assert error.status == 422
    assert error.detail == "password must be longer; password must not repeat one character."
    assert [entry["message"] for entry in error.errors] == ["must be longer", "must not repeat one character"]


def test_each_kind_has_a_status_of_errors() -> None:
    for module in pkgutil.walk_packages(modelport_control_api.__path__, "modelport_control_api."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    kinds = list(_leaves(DomainError))
    assert len(kinds) > 30
    assert {kind.__name__ for kind in kinds if not 400 <= getattr(kind, "status", 0) < 600} == set()


def _leaves(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for below in kind.__subclasses__():
        yield from _leaves(below) if below.__subclasses__() else (below,)
