"""What `helm test` runs: log in, upload a model, predict through the gateway, delete it.

With the standard library and the runtime image's own packages only.
"""

import io
import json
import os
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

CONTROL_API, GATEWAY = os.environ["CONTROL_API"], os.environ["GATEWAY"]
ROW = [5.1, 3.5, 1.4, 0.2]


def call(method: str, url: str, body: bytes | None = None, **headers: str) -> Any:
    request = urllib.request.Request(url, body, {"Accept": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {url}: {error.code} {error.read().decode()}") from error


def call_json(method: str, url: str, body: Any, **headers: str) -> Any:
    return call(method, url, json.dumps(body).encode(), **{"Content-Type": "application/json", **headers})


def upload(token: dict[str, str]) -> Any:
    iris = load_iris()
    file = io.BytesIO()
    joblib.dump(LogisticRegression(max_iter=1000).fit(iris.data, iris.target), file)
    edge = uuid.uuid4().hex
    body = (
        (
            f'--{edge}\r\nContent-Disposition: form-data; name="name"\r\n\r\nhelm-test\r\n'
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="iris.joblib"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        + file.getvalue()
        + f"\r\n--{edge}--\r\n".encode()
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    return call("POST", f"{CONTROL_API}/api/v1/models/upload", body, **token, **kind)


def wait_until_ready(url: str, token: dict[str, str]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        model = call("GET", f"{url}?wait=30", **token)
        if model["status"] == "ready":
            return
        if model["status"] == "failed":
            break
    raise SystemExit(f"The model is {model['status']}: {model['reason']}: {model['message']}")


def log_in() -> dict[str, str]:
    account = {"email": os.environ["EMAIL"], "password": os.environ["PASSWORD"]}
    pair = call_json("POST", f"{CONTROL_API}/api/v1/auth/login", account)
    return {"Authorization": f"Bearer {pair['access_token']}"}


def main() -> None:
    token = log_in()
    print("logged in", flush=True)
    model = upload(token)
    url = f"{CONTROL_API}/api/v1/models/{model['id']}"
    try:
        print(f"uploaded {model['id']}", flush=True)
        wait_until_ready(url, token)
        response = call_json("POST", f"{GATEWAY}/predict/{model['id']}", {"input": ROW}, **token)
        if response["prediction"] != 0:
            raise SystemExit(f"The model should have predicted 0: {response}")
        print(f"predicted {response}", flush=True)
    finally:
        call("DELETE", url, **token)
    print("deleted", flush=True)


main()
