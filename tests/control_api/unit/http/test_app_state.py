"""Endpoints find services by their type."""

import pytest
from modelport_control_api.http.context import AppState


class Store:
    pass


class LocalStore(Store):
    pass


def test_a_service_is_found_by_the_requested_type() -> None:
    local = LocalStore()
    assert AppState("something else", local).get(Store) is local


def test_what_was_not_built_is_named() -> None:
    with pytest.raises(LookupError, match="no Store was built"):
        AppState().get(Store)
