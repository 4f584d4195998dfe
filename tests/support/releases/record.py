"""Run by the interpreter of the build that is recorded: `python record.py FOLDER [DATABASE_URL]`.

Starts that build's `modelport up` on FOLDER/data, uses it through its REST API as users do, and writes what
each GET returned to FOLDER/recorded.json. Imports nothing of today's tests but its neighbor `addresses`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

PASSWORD = "Written-Before-7"
_SECONDS = 300
_WINDOW_ROWS = 50
_FLUSHED_SECONDS = 12
_BATCH_PODS_STAY_SECONDS = 75
_HTTP = httpx.Client(timeout=_SECONDS)


def main(folder: Path, database_url: str = "") -> None:
    with _running(folder / "data", database_url) as url:
        author = _Author(url, folder)
        written = author.write()
        author.settle()
    # Read by a second process: what has come to rest.
    with _running(folder / "data", database_url) as url:
        read = _Reader(url, written).read()
    (folder / "recorded.json").write_text(json.dumps({**written, **read}, indent=1))


def serve(data: str, database_url: str) -> int:
    """`modelport up` in this process; on another database than its own SQLite where an address is given."""
    from modelport_standalone.cli import up
    from modelport_standalone.data_dir import DataDir

    if database_url:
        DataDir.database_url = property(lambda _: database_url)  # type: ignore[assignment, method-assign]
    # The batch worker steps back for all others: on a busy machine it would not get to the job.
    os.setpriority = lambda *_: None  # type: ignore[assignment]
    return up(["--data-dir", data, "--port", "0"])


@contextmanager
def _running(data: Path, database_url: str) -> Iterator[str]:
    env = {
        "PATH": os.defpath,
        "HOME": str(data.parent),
        "MODELPORT_GATEWAY_DRIFT_REFRESH_SECONDS": "0.5",
        **{f"MODELPORT_LIMIT_{name}": "1000/minute" for name in ("REGISTER", "LOGIN", "UPLOAD")},
    }
    command = [sys.executable, __file__, "--serve", str(data), database_url]
    with (data.parent / "log").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=env)
        try:
            _until(lambda: "--name" in (data.parent / "log").read_text())
            yield (data.parent / "log").read_text().partition("is up at ")[2].split()[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


class _Author:
    """Everything that a platform may hold, made through its REST API."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._paths = _HTTP.get(f"{url}/openapi.json").raise_for_status().json()
        self._sent = 0
        self._jobs: list[str] = []
        self._predicted: dict[str, Any] = {}

    def write(self) -> dict[str, Any]:
        """Return how each person logs in with the owner's key, what was predicted, and the jobs."""
        admin = json.loads((self._folder / "data" / "admin.json").read_text())
        owner = {"email": "owner@example.com", "password": PASSWORD}
        for email in ("owner@example.com", "other@example.com"):
            body = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"}
            _HTTP.post(f"{self._url}/api/v1/auth/register", json=body).raise_for_status()
        self._owner = _session(self._url, owner)
        self._invite(_session(self._url, admin))
        key = self._post("/api/v1/api-keys", json={"name": "ci", "scopes": ["predict", "models:read"]})["key"]
        self._write_models(key)
        people = {
            "admin": {name: admin[name] for name in ("email", "password")},
            "owner": {**owner, "key": key},
        }
        return {"people": people, "predicted": self._predicted, "jobs": self._jobs}

    def settle(self) -> None:
        """Until all that was sent has been counted, and the reference compared."""

        def counted() -> bool:
            shown = self._owner.get(f"/api/v1/analytics/models/{self._iris}").json()
            drift = self._owner.get(f"/api/v1/models/{self._iris}/versions/v1/drift").json()
            return bool(shown["totals"]["requests"] >= self._sent and drift["state"] in ("ok", "drift"))

        _until(counted)
        # Until then the pods of the job stay, and whether they are there would be a matter of seconds.
        time.sleep(_BATCH_PODS_STAY_SECONDS)

    def _invite(self, admin: httpx.Client) -> None:
        if "/api/v1/admin/invites" in self._paths["paths"]:
            admin.post("/api/v1/admin/invites", json={}).raise_for_status()

    def _write_models(self, key: str) -> None:
        files = _model_files(self._folder)
        self._iris = self._upload(files["iris"], "Iris", reference=files["reference"])
        self._upload_version(self._iris, files["iris2"])
        for name in ("boosted", "light", "graph"):
            model_id = self._upload(files[name], name, description="")
            self._upload_version(model_id, files[name])
        failed = self._upload(files["failed"], "Broken", wanted="failed")
        self._upload(files["iris"], "Gone", then=lambda it: self._call("DELETE", f"/api/v1/models/{it}"))
        self._configure(failed)
        self._use(key)

    def _configure(self, failed: str) -> None:
        settings = {
            "description": "Three kinds of irises.",
            "access": "authenticated",
            "cache_ttl_seconds": 0,
            "rate_limit": {"requests": 5000, "period_seconds": 60},
            "timeout_seconds": 20,
            "history": {"percent": 100, "retention_days": 30, "redact_fields": ["petal_width"]},
            "data_drift": {"window_rows": _WINDOW_ROWS, "alpha": 0.01, "psi_threshold": 0.3},
        }
        self._call("PATCH", f"/api/v1/models/{self._iris}", json=settings)
        self._call("PUT", f"/api/v1/models/{self._iris}/traffic", json={"v1": 80, "v2": 20})
        self._call("PATCH", f"/api/v1/models/{failed}", json={"access": "public", "acceleration": "off"})
        self._wait_for(self._iris, "ready")

    def _use(self, key: str) -> None:
        headers, rows = {"Authorization": f"Bearer {key}"}, _rows()
        drift = f"/api/v1/models/{self._iris}/versions/v1/drift"

        def compared() -> bool:
            for row in rows[:40]:
                address = f"/predict/{self._iris}/versions/v1"
                _HTTP.post(self._url + address, json={"input": row}, headers=headers).raise_for_status()
                self._sent += 1
            time.sleep(1)
            return self._owner.get(drift).json()["state"] in ("ok", "drift")

        _until(compared)
        wrong = _HTTP.post(f"{self._url}/predict/{self._iris}", json={"input": "none"}, headers=headers)
        assert wrong.status_code == 422, wrong.text
        models = self._owner.get("/api/v1/models").json()["items"]
        for model in models:
            if model["status"] == "ready":
                row = rows[0] if model["name"] == "Iris" else list(rows[0].values())
                self._predicted[model["id"]] = self._predict(model, row, headers)
        self._sent += 1
        self._run_job()

    def _predict(self, model: dict[str, Any], row: Any, headers: dict[str, str]) -> dict[str, Any]:
        address = f"/predict/{model['id']}/versions/v1"
        answer = (
            _HTTP.post(self._url + address, json={"input": row}, headers=headers).raise_for_status().json()
        )
        return {"name": model["name"], "address": address, "input": row, "prediction": answer["prediction"]}

    def _run_job(self) -> None:
        names = list(_rows()[0])
        lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in _rows()[:3])]
        csv = "\n".join([*lines, "5.1,nothing,1.4,0.2"])
        path = f"/api/v1/predict/{self._iris}/versions/v1/batch"
        job = self._post(path, content=csv, headers={"Content-Type": "text/csv"})["id"]
        _until(lambda: self._owner.get(f"/api/v1/jobs/{job}", params={"wait": 30}).json()["finished_at"])
        ended = self._owner.get(f"/api/v1/jobs/{job}").json()
        assert (ended["state"], ended["rows_failed"]) == ("succeeded", 1), ended
        self._jobs.append(job)

    def _upload(
        self,
        file: Path,
        name: str,
        *,
        reference: Path | None = None,
        wanted: str = "ready",
        then: Callable[[str], Any] | None = None,
        **fields: str,
    ) -> str:
        files = {"file": file.read_bytes()} | ({"reference": reference.read_bytes()} if reference else {})
        model_id = str(self._post("/api/v1/models/upload", files=files, data={"name": name, **fields})["id"])
        self._wait_for(model_id, wanted)
        if then:
            then(model_id)
        return model_id

    def _upload_version(self, model_id: str, file: Path) -> None:
        self._post(f"/api/v1/models/{model_id}/versions", files={"file": file.read_bytes()})
        versions = f"/api/v1/models/{model_id}/versions/v2"
        _until(lambda: self._owner.get(versions, params={"wait": 30}).json()["status"] == "ready")

    def _wait_for(self, model_id: str, status: str) -> None:
        path = f"/api/v1/models/{model_id}"
        _until(lambda: self._owner.get(path, params={"wait": 30}).json()["status"] == status)

    def _post(self, path: str, **body: Any) -> Any:
        return self._call("POST", path, **body).json()

    def _call(self, method: str, path: str, **body: Any) -> httpx.Response:
        answer = self._owner.request(method, path, **body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer


class _Reader:
    """Reads what was written: first of the gateway, which counts it as usage, then of the control API."""

    def __init__(self, url: str, written: dict[str, Any]) -> None:
        self._sessions = {role: _session(url, person) for role, person in written["people"].items()}
        self._jobs: list[str] = written["jobs"]

    def read(self) -> dict[str, Any]:
        known = self._known(self._sessions["owner"])
        responses: dict[str, Any] = {role: {} for role in self._sessions}
        for of_gateway in (True, False):
            for role, session in self._sessions.items():
                for address in _addresses(session, known):
                    if address.startswith("/v2") is of_gateway:
                        responses[role][address] = _read(session, address)
            time.sleep(_FLUSHED_SECONDS)
        return {"at": datetime.now(UTC).isoformat(), "responses": responses}

    def _known(self, owner: httpx.Client) -> dict[str, list[dict[str, str]]]:
        models = owner.get("/api/v1/models").json()["items"]
        for model in models:
            if model["name"] != "Broken":
                _wait_until_ready(owner, model["id"])
        kept = [
            each["id"]
            for model in models
            for each in owner.get("/api/v1/predictions", params={"model_id": model["id"]}).json()["items"]
        ]
        versions = [
            {"model_id": model["id"], "version": version["name"]}
            for model in models
            for version in model["versions"]
        ]
        return {
            "model_id": [{"model_id": model["id"]} for model in models],
            "version": versions,
            "job_id": [{"job_id": job} for job in self._jobs],
            "prediction_id": [{"prediction_id": each} for each in kept[:3]],
        }


def _wait_until_ready(owner: httpx.Client, model_id: str) -> None:
    path = f"/api/v1/models/{model_id}"

    def ready() -> bool:
        model = owner.get(path, params={"wait": 10}).json()
        return all(version["status"] == "ready" for version in model["versions"])

    _until(ready)


def _session(url: str, person: dict[str, str]) -> httpx.Client:
    body = {name: person[name] for name in ("email", "password")}
    token = _HTTP.post(f"{url}/api/v1/auth/login", json=body).raise_for_status().json()["access_token"]
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS)


def _addresses(session: httpx.Client, known: dict[str, list[dict[str, str]]]) -> list[str]:
    from addresses import addresses  # type: ignore[import-not-found]  # beside this script

    found: list[str] = addresses(session.get("/openapi.json").json(), known)
    return found


def _read(session: httpx.Client, address: str) -> dict[str, Any]:
    """With the second in which it was read, where it takes less than one: by default periods end then."""
    for _ in range(3):
        at = datetime.now(UTC).replace(microsecond=0)
        answer = session.get(address)
        if datetime.now(UTC).replace(microsecond=0) == at:
            break
    is_json = answer.headers.get("content-type", "").startswith(("application/json", "application/problem"))
    body = answer.json() if is_json else answer.text
    return {"at": at.isoformat(), "status": answer.status_code, "body": body}


def _rows() -> list[dict[str, float]]:
    from sklearn.datasets import load_iris

    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    return [dict(zip(names, row, strict=True)) for row in load_iris().data.tolist()[::3]]


def _model_files(folder: Path) -> dict[str, Path]:
    """As small as they get: a fixture holds them."""
    import joblib
    import lightgbm
    import numpy as np
    import pandas as pd
    import xgboost
    from onnx import TensorProto, helper
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    iris = load_iris()
    frame, species = pd.DataFrame(_rows()), iris.target_names[iris.target[::3]]
    files = {name: folder / name for name in ("iris", "iris2", "boosted", "light", "graph", "failed")}
    joblib.dump(LogisticRegression(max_iter=300).fit(frame, species), files["iris"])
    joblib.dump(LogisticRegression(C=0.5, max_iter=300).fit(frame, species), files["iris2"])
    boosted = xgboost.XGBRegressor(n_estimators=1, max_depth=1).fit(iris.data, iris.target)
    boosted.save_model(folder / "boosted.json")
    files["boosted"] = folder / "boosted.json"
    light = {"objective": "regression", "num_leaves": 2, "verbose": -1}
    lightgbm.train(light, lightgbm.Dataset(iris.data, iris.target), 1).save_model(files["light"])
    shape = [None, 4]
    outputs = [helper.make_tensor_value_info("sum", TensorProto.FLOAT, [None, 1])]
    node = helper.make_node("Gemm", ["x", "w"], ["sum"])
    graph = helper.make_graph(
        [node],
        "sum",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        outputs,
        [helper.make_tensor("w", TensorProto.FLOAT, [4, 1], np.ones(4))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    files["graph"].write_bytes(model.SerializeToString())
    joblib.dump(LogisticRegression(), files["failed"])  # not fitted
    files["reference"] = folder / "reference.csv"
    frame.to_csv(files["reference"], index=False)
    return files


def _until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not true():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.3)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        sys.exit(serve(*sys.argv[2:4]))
    main(Path(sys.argv[1]).resolve(), *sys.argv[2:3])
