"""Users who change their models at random, and know what the platform has confirmed to them."""

import hashlib
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tests.standalone.integration.crashes.accounts import Account, telling_model

_MOST_VERSIONS = 2
_LONGEST_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class State:
    """A model as its author knows it: version → tag, version → percent; `last` versions were ever made."""

    tags: dict[str, str] = field(default_factory=dict)
    traffic: dict[str, int] = field(default_factory=dict)
    previous: dict[str, int] | None = None
    last: int = 0

    def with_version(self, tag: str) -> "State":
        name = f"v{self.last + 1}"
        return replace(self, tags={**self.tags, name: tag}, last=self.last + 1).moved_to({name: 100})

    def moved_to(self, traffic: dict[str, int]) -> "State":
        if traffic == self.traffic:
            return self
        return replace(self, traffic=traffic, previous=self.traffic or None)

    def without(self, name: str) -> "State":
        tags = {other: tag for other, tag in self.tags.items() if other != name}
        previous = None if name in (self.previous or {}) else self.previous
        return replace(self, tags=tags, previous=previous)

    @property
    def view(self) -> tuple[dict[str, str], dict[str, int]]:
        """What the API shows of it: version → sha256, version → percent."""
        return {name: sha256_of(tag) for name, tag in self.tags.items()}, self.traffic


class Author:
    """One model at a time. `possible`: two states while a change got no response. None: no model."""

    def __init__(self, name: str, account: Account, chance: random.Random) -> None:
        self.name = name
        self.account = account
        self.possible: list[State | None] = [None]
        self.model_id: str | None = None
        self.deleted: list[str] = []
        self.changes = 0
        self.wrong: list[str] = []
        self._chance = chance
        self._made = 0

    def work(self, url: str, stop: threading.Event) -> None:
        """Change models until stopped or until the platform is gone."""
        with self.account.client(url) as client:
            while not stop.wait(self._chance.uniform(0, _LONGEST_PAUSE_SECONDS)):
                try:
                    self._change(client)
                except httpx.TransportError:
                    return

    def settle(self, shown: list[dict[str, Any]]) -> State | None:
        """Find out from the author's models which of the possible states came true."""
        mine = [model for model in shown if model["name"] == self._tag]
        others = [model["id"] for model in shown if model not in mine]
        assert not others, f"{self.name}: deleted, or never confirmed to be there: {others}"
        state = self._match(mine[0] if mine else None)
        self.model_id = mine[0]["id"] if mine else None
        self.possible = [state]
        return state

    @property
    def _tag(self) -> str:
        return f"{self.name}-{self._made}"

    def _match(self, model: dict[str, Any] | None) -> State | None:
        if model is None:
            assert None in self.possible, f"{self.name}: lost {self.model_id}, expected {self.possible}"
            return None
        view = {each["name"]: each["sha256"] for each in model["versions"]}, model["wanted_traffic"]
        for state in self.possible:
            if state is not None and state.view == view:
                return state
        raise AssertionError(f"{self.name}: found {view}, expected one of {self.possible}")

    def _change(self, client: httpx.Client) -> None:
        (state,) = self.possible
        if state is None:
            self._upload(client)
            return
        changes: list[Callable[[httpx.Client, State], None]] = [self._set_traffic, self._roll_back]
        if len(state.tags) < _MOST_VERSIONS:
            changes += [self._add_version] * 2
        else:
            changes += [self._delete_version, self._delete]
        self._chance.choice(changes)(client, state)

    def _upload(self, client: httpx.Client) -> None:
        self._made += 1
        file, after = telling_model(self._tag), State().with_version(self._tag)
        response = self._send(
            client, "POST", "/upload", None, after, files={"file": file}, data={"name": self._tag}
        )
        self.model_id = response["id"] if response else None

    def _add_version(self, client: httpx.Client, state: State) -> None:
        tag = f"{self._tag}-{state.last + 1}"
        after = state.with_version(tag)
        # By force: by their classes one knows the models, and so nobody's callers would get the next one.
        body = {"files": {"file": telling_model(tag)}, "data": {"force": "true"}}
        self._send(client, "POST", f"/{self.model_id}/versions", state, after, **body)

    def _set_traffic(self, client: httpx.Client, state: State) -> None:
        names = self._chance.sample(list(state.tags), k=min(2, len(state.tags)))
        traffic = dict(zip(names, (70, 30) if len(names) == 2 else (100,), strict=True))
        path = f"/{self.model_id}/traffic?force=true"
        self._send(client, "PUT", path, state, state.moved_to(traffic), json=traffic)

    def _roll_back(self, client: httpx.Client, state: State) -> None:
        after = state.moved_to(state.previous) if state.previous else state
        self._send(client, "POST", f"/{self.model_id}/rollback", state, after)

    def _delete_version(self, client: httpx.Client, state: State) -> None:
        for idle in state.tags.keys() - state.traffic.keys():
            self._send(client, "DELETE", f"/{self.model_id}/versions/{idle}", state, state.without(idle))

    def _delete(self, client: httpx.Client, state: State) -> None:
        gone = self.model_id
        assert gone is not None
        if self._send(client, "DELETE", f"/{gone}", state, None) is not None:
            self.deleted.append(gone)

    def _send(
        self,
        client: httpx.Client,
        method: str,
        path: str,
        before: State | None,
        after: State | None,
        **body: Any,
    ) -> Any:
        """Return the response's JSON, None if the platform refused a change that it may refuse (409)."""
        self.possible = [before, after]
        response = client.request(method, f"/api/v1/models{path}", **body)
        self.changes += 1
        if response.is_success:
            self.possible = [after]
            return response.json() if response.content else {}
        self.possible = [before]
        # Traffic to a version that has not answered yet, nothing to roll back to, a version in use.
        if response.status_code != 409:
            self.wrong.append(f"{method} {path}: {response.status_code} {response.text}")
        return None


def sha256_of(tag: str) -> str:
    return hashlib.sha256(telling_model(tag)).hexdigest()
