"""The runtime's settings, and what it reports of a wrong variable."""

from typing import Any

import pytest
from modelport_runtime.settings import SettingsError, from_environment

GIVEN = {
    "MODELPORT_RUNTIME_MODEL": "iris",
    "MODELPORT_RUNTIME_VERSION": "v1",
    "MODELPORT_RUNTIME_FRAMEWORK": "sklearn",
    "MODELPORT_RUNTIME_ARTIFACT": "/modelport/artifact/model",
    "MODELPORT_RUNTIME_ARTIFACT_SHA256": "sha256:" + "A" * 64,
}


def test_what_is_not_set_has_its_default() -> None:
    settings = from_environment(GIVEN)

    assert settings.artifact_sha256 == "a" * 64
    assert settings.memory_bytes == 2 * 1024**3
    assert not settings.allow_unsandboxed


@pytest.mark.parametrize("name", GIVEN)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        from_environment({key: value for key, value in GIVEN.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FRAMEWORK", "fortran"),
        ("ARTIFACT_SHA256", "abc"),
        ("LISTEN", "8080x"),
        ("LISTEN", "unix:relative"),
        ("MEMORY_BYTES", "2GiB"),
        ("LOAD_TIMEOUT_SECONDS", "0"),
        ("ALLOW_UNSANDBOXED", "yes"),
        ("ACCELERATION", "on"),
        ("RECHECK_EVERY", "-1"),
        ("RECHECK_EVERY", "never"),
        ("SAMPLE", "{"),
        ("SAMPLE", "[1]"),
        ("SAMPLE", '{"input": "' + "x" * 70_000 + '"}'),
    ],
)
def test_a_wrong_variable_is_named_with_what_it_must_be(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"MODELPORT_RUNTIME_{name} is .*must"):
        from_environment(GIVEN | {f"MODELPORT_RUNTIME_{name}": value})


def test_zero_means_no_recheck() -> None:
    settings = from_environment(GIVEN | {"MODELPORT_RUNTIME_RECHECK_EVERY": "0"})

    assert (settings.acceleration, settings.recheck_every) == ("auto", 0)


def test_a_sample_is_read() -> None:
    sample: dict[str, Any] | None = from_environment(
        GIVEN | {"MODELPORT_RUNTIME_SAMPLE": '{"input": [1, 2]}'}
    ).sample

    assert sample == {"input": [1, 2]}
