"""Where credentials come from, and how a session is renewed."""

import json
import multiprocessing
import stat
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from modelport import Modelport, ModelportError, Unauthorized, credentials
from modelport.credentials import Credentials

from tests.client.unit.answers import USER, tokens
from tests.client.unit.platform import Answer, Asked, Platform, problem

ME, REFRESH = "GET /api/v1/auth/me", "POST /api/v1/auth/refresh"


class RotatingSession:
    """The platform's side: each refresh token works once, only the newest access token works."""

    def __init__(self, platform: Platform) -> None:
        self.newest = 1
        self.reused = False
        self._lock = threading.Lock()
        platform.on(ME, self._me)
        platform.on(REFRESH, self.refresh)

    def _me(self, asked: Asked) -> Answer:
        good = asked.token == f"access-{self.newest}"
        return Answer(200, USER) if good else problem(401, "The token has expired.")

    def refresh(self, asked: Asked) -> Answer:
        with self._lock:
            if asked.json["refresh_token"] != f"refresh-{self.newest}":
                self.reused = True
                return problem(401, "The refresh token was used before.")
            time.sleep(0.05)  # Long enough that others arrive meanwhile.
            self.newest += 1
            return Answer(200, tokens(self.newest))


def keep_session(url: str, expires_at: float) -> None:
    credentials.save(
        url, Credentials(access_token="access-1", refresh_token="refresh-1", expires_at=expires_at)
    )


def own_email(url: str) -> str:
    with Modelport(url) as client:
        return client.me().email


def test_the_given_key_comes_before_the_environment_and_that_before_the_file(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.on(ME, Answer(200, USER))
    credentials.save(platform.url, Credentials(api_key="of the file"))
    own_email(platform.url)
    monkeypatch.setenv("MODELPORT_API_KEY", "of the environment")
    own_email(platform.url)
    with Modelport(platform.url, "given") as client:
        client.me()
    assert [asked.token for asked in platform.asked] == ["of the file", "of the environment", "given"]


def test_a_key_is_never_sent_to_another_platform(platform: Platform) -> None:
    credentials.save("http://elsewhere.example", Credentials(api_key="secret"))
    platform.on(ME, problem(401, "This call needs a credential."))
    with pytest.raises(Unauthorized, match="modelport login"):
        own_email(platform.url)
    assert "Authorization" not in platform.asked[0].headers


@pytest.mark.parametrize(
    "other", ["http://LOCALHOST:8000/", "http://127.0.0.1:8000/", "http://localhost:8000"]
)
def test_this_machine_has_one_entry_whatever_it_is_called(other: str) -> None:
    credentials.save("http://127.0.0.1:8000", Credentials(api_key="k"))
    assert credentials.load(other) == Credentials(api_key="k")
    credentials.forget(other)
    assert credentials.load("http://127.0.0.1:8000") is None


def test_the_file_is_the_users_alone_and_holds_one_entry_a_platform(own_home: Path) -> None:
    credentials.save("http://127.0.0.1:8000", Credentials(api_key="one"))
    credentials.save("https://models.example", Credentials(api_key="two"))
    path = own_home / "config" / "modelport" / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {
        "profiles": {
            "http://127.0.0.1:8000": {"api_key": "one"},
            "https://models.example": {"api_key": "two"},
        }
    }
    assert sorted(each.name for each in path.parent.iterdir()) == ["credentials.json", "credentials.lock"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"profiles": 3}'])
def test_a_damaged_file_is_named_and_left_alone(own_home: Path, text: str) -> None:
    path = credentials.path()
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(ModelportError, match=r"credentials\.json is damaged"):
        credentials.load("http://127.0.0.1:8000")
    with pytest.raises(ModelportError, match="damaged"):
        credentials.save("http://127.0.0.1:8000", Credentials(api_key="k"))
    assert path.read_text() == text


def test_secrets_are_not_in_a_repr() -> None:
    assert "secret" not in repr(Credentials(api_key="secret", access_token="secret", refresh_token="secret"))


@pytest.mark.parametrize("expires_in", [10, 1800])
def test_a_token_that_ended_is_renewed_and_kept(platform: Platform, expires_in: float) -> None:
    session = RotatingSession(platform)
    keep_session(platform.url, time.time() + expires_in)
    if expires_in > 100:
        session.newest = 0  # Known by the platform's 401 only, e.g. after its keys were changed.
        platform.on(REFRESH, lambda _: _renew_again(session))
    assert own_email(platform.url) == USER["email"]
    kept = credentials.load(platform.url)
    assert kept is not None
    assert kept.access_token == f"access-{session.newest}"
    assert kept.expires_at > time.time() + 1000


def _renew_again(session: RotatingSession) -> Answer:
    session.newest = 7
    return Answer(200, tokens(7))


def test_threads_of_one_client_use_a_refresh_token_once(platform: Platform) -> None:
    session = RotatingSession(platform)
    platform.on("POST /api/v1/auth/login", Answer(200, tokens(1, expires_in=1)))
    with Modelport(platform.url) as client, ThreadPoolExecutor(8) as pool:
        client.login("ada@example.com", "pw")
        users = list(pool.map(lambda _: client.me(), range(16)))
    assert len(users) == 16
    assert (session.newest, session.reused) == (2, False)


def test_processes_use_a_refresh_token_once(platform: Platform) -> None:
    session = RotatingSession(platform)
    keep_session(platform.url, time.time())
    # Spawned: a fork of a process with threads may hang. Not a Pool: it ends its processes by signal.
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(own_email, [platform.url] * 8)) == [USER["email"]] * 8
    assert (session.newest, session.reused) == (2, False)


def test_a_session_that_is_over_is_forgotten_and_says_what_to_do(platform: Platform) -> None:
    platform.on(REFRESH, problem(401, "The refresh token is revoked."))
    keep_session(platform.url, time.time())
    with pytest.raises(Unauthorized, match="session has ended") as error:
        own_email(platform.url)
    assert "modelport login" in str(error.value)
    assert credentials.load(platform.url) is None


def test_a_platform_that_is_away_ends_no_session(platform: Platform) -> None:
    platform.on(REFRESH, problem(500, "Broken."))
    keep_session(platform.url, time.time())
    with pytest.raises(ModelportError, match="Broken"):
        own_email(platform.url)
    assert credentials.load(platform.url) is not None


def test_a_login_in_a_program_is_kept_in_memory_only(platform: Platform) -> None:
    RotatingSession(platform)
    platform.on("POST /api/v1/auth/login", Answer(200, tokens()))
    with Modelport(platform.url) as client:
        client.login("ada@example.com", "pw")
        assert client.me().id == "u1"
    assert platform.asked[0].json == {"email": "ada@example.com", "password": "pw"}
    assert credentials.load(platform.url) is None


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    platform.on(ME, Answer(200, USER))
    with Modelport(platform.url, "k") as client:
        assert client.me().id == "u1"
