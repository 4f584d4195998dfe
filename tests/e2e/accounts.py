"""Users who use the platform through its ingress: over REST, and with the command line as they type it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import joblib

PASSWORD = "Sensible-Passphrase-7"
_COMMAND = Path(sys.executable).with_name("modelport")


@dataclass(frozen=True)
class Person:
    """A registered user; `home` is where the command line keeps their session."""

    url: str
    email: str
    token: str
    home: Path

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)

    def cli(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """Return what `modelport …` printed. Raises with its own words when it fails, unless `check` is
        off.
        """
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "MODELPORT_URL": self.url}
        done = subprocess.run(
            [_COMMAND, *arguments], input=stdin, env=environment, capture_output=True, text=True, timeout=600
        )
        if check and done.returncode:
            raise AssertionError(f"modelport {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def upload(self, path: Path, *arguments: str) -> dict[str, Any]:
        """Upload with the command line, which waits until the version serves or has failed."""
        answer: dict[str, Any] = json.loads(self.cli("upload", str(path), "--json", *arguments))
        return answer

    def model(self, model_id: str) -> dict[str, Any]:
        with self.http() as client:
            answer: dict[str, Any] = client.get(f"/api/v1/models/{model_id}").raise_for_status().json()
        return answer

    def delete_models(self) -> None:
        """Their pods would have no room for those of other tests."""
        with self.http() as client:
            for each in client.get("/api/v1/models").raise_for_status().json()["items"]:
                self.cli("delete", each["id"], "--yes")

    def predict(self, model_id: str, row: Any, **headers: str) -> httpx.Response:
        with self.http() as client:
            return client.post(f"/predict/{model_id}", json={"input": row}, headers=headers)


def register(url: str, home: Path) -> Person:
    """A new person with an account, logged in with both."""
    email = f"{uuid4().hex}@example.com"
    with httpx.Client(base_url=url, timeout=60) as client:
        account = {"email": email, "password": PASSWORD}
        client.post("/api/v1/auth/register", json=account).raise_for_status()
        session = client.post("/api/v1/auth/login", json=account).raise_for_status().json()
    person = Person(url, email, session["access_token"], home)
    person.cli("login", email, "--password-stdin", stdin=PASSWORD)
    return person


def save(model: Any, path: Path) -> Path:
    joblib.dump(model, path)
    return path
