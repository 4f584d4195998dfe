"""What is wrong at a start is said in one line that names the variable, and never repeats a secret."""

import socket

import pytest
from modelport_http.settings import Settings
from modelport_process.settings import read_settings
from modelport_process.start import CannotStart, bind
from modelport_store.opening import open_store
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Some(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SOME_")

    url: str
    count: int = 1
    shared: int = Field(default=1, validation_alias="ALL_SHARED")


def test_every_variable_that_is_missing_or_wrong_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_COUNT", "hunter2")
    monkeypatch.setenv("ALL_SHARED", "hunter2")
    with pytest.raises(CannotStart) as raised:
        read_settings(Some)
    said = str(raised.value)
    assert "SOME_URL is not set" in said
    assert "SOME_COUNT is wrong" in said
    assert "ALL_SHARED is wrong" in said
    assert "hunter2" not in said
    assert "\n" not in said


def test_a_log_level_is_one_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELPORT_LOG_LEVEL", "debug")
    assert read_settings(Settings).log_level == "DEBUG"
    monkeypatch.setenv("MODELPORT_LOG_LEVEL", "loud")
    with pytest.raises(CannotStart, match="MODELPORT_LOG_LEVEL is wrong: it must be one of DEBUG"):
        read_settings(Settings)


def test_an_address_of_no_redis_is_refused_at_the_start() -> None:
    with pytest.raises(CannotStart, match="MODELPORT_REDIS_URL"):
        open_store(SecretStr("http://example.com"))


@pytest.mark.parametrize("text", ["8080", "host:", ":80", "0.0.0.0:x", "0.0.0.0:99999", "no.such.invalid:80"])
def test_an_address_that_cannot_be_listened_on_is_said_with_its_variable(text: str) -> None:
    with pytest.raises(CannotStart, match=f"SOME_LISTEN={text} cannot be listened on"):
        bind("SOME_LISTEN", text)


def test_a_port_that_is_taken_is_said() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(CannotStart, match="in use"),
    ):
        bind("SOME_LISTEN", f"127.0.0.1:{taken.getsockname()[1]}")


def test_both_families_can_be_listened_on() -> None:
    for text in ("127.0.0.1:0", "[::1]:0"):
        bind("SOME_LISTEN", text).close()
