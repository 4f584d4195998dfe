"""Classifiers of texts in folders of Transformers, which the platform has no library for, answer as its own
pipeline did.

`tests/fixtures/transformers/generate.py` trained them and stored what the pipeline answered.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_control_api.models.folder_uploads import model_pieces
from modelport_control_api.sniff.folders.finding import find as find_folder
from modelport_environments.catalogue import find
from modelport_formats.packed import unpacked
from modelport_formats.packed.zips import unpack
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.other_libraries import predict_in
from tests.support.platform_process import PlatformProcess, wait_until_ready

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]
SAVED = Path(__file__).parents[3] / "fixtures" / "transformers"
ANSWERS: dict[str, Any] = json.loads((SAVED / "answers.json").read_text(encoding="utf-8"))
NAMES = [name for name in ANSWERS if name != "rows"]


@pytest.fixture(scope="module")
def python() -> Path:
    """The environment's, made by this process, whose uv knows this machine's index."""
    return EnvironmentStore(default_folder()).prepare(find("transformers-5.24"))


def changed(name: str, config: dict[str, Any] | None = None, without: str = "", to: bytes = b"") -> bytes:
    """Return an archive with other words in its config, or with another file in one's place."""
    made = io.BytesIO()
    with zipfile.ZipFile(SAVED / name) as old, zipfile.ZipFile(made, "w") as new:
        for each in old.namelist():
            content = old.read(each)
            if each == "config.json" and config is not None:
                content = json.dumps({**json.loads(content), **config}).encode()
            if each != without or to:
                new.writestr(each, to if each == without else content)
    return made.getvalue()


ODD = {
    "another architecture": changed("bert.zip", {"model_type": "distilbert"}),
    "no such model": changed("bert.zip", {"model_type": "nothing"}),
    "odd sizes": changed("bert.zip", {"hidden_size": 32}),
    "cut weights": changed("bert.zip", without="model.safetensors", to=b"\x08\0\0\0\0\0\0\0{}      "),
    "no tokenizer": changed("bert.zip", without="tokenizer.json", to=b"{}"),
    "labels of one name": changed("bert.zip", {"id2label": {"0": "a", "1": "a", "2": "b"}}),
}


@pytest.fixture(scope="module")
def served(python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Folder → what the runtime computes, and its signature; why it is refused."""
    folder = tmp_path_factory.mktemp("transformers")
    archives = {name: (SAVED / name).read_bytes() for name in NAMES} | ODD
    for name, content in archives.items():
        sent = folder / "sent"
        sent.write_bytes(content)
        found = find_folder(sent)
        assert found is not None
        path = folder / name
        path.write_bytes(b"".join(model_pieces(sent, found)))
        unpack(path, unpacked(path))
    rows = [{"text": text} for text in ANSWERS["rows"]]
    asked = ["prediction", "probabilities"]
    answers = predict_in(python, "transformers", dict.fromkeys(archives, rows), folder, outputs=asked)
    return answers.found


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_answers_as_the_librarys_pipeline(served: dict[str, Any], name: str) -> None:
    """Texts of all lengths in one batch, one that is cut and one of no letters among them."""
    found = served[name]
    for label, scores, told in zip(found["predictions"], found["probabilities"], ANSWERS[name], strict=True):
        assert scores == pytest.approx(told, abs=1e-6)
        several = name.startswith("distilbert")
        best = [each for each in scores if told[each] > 0.5] if several else max(told, key=told.__getitem__)
        assert label == best


def test_a_signature_is_one_text_and_the_models_labels(served: dict[str, Any]) -> None:
    signature = served["bert.zip"]["signature"]
    ((name, kind),) = [(each["name"], each["kind"]) for each in signature["columns"]]
    assert (name, kind, signature["task"]) == ("text", "string", "classifier")
    assert signature["classes"] == ["fruit", "metal", "river"]
    assert served["distilbert.tar.gz"]["signature"]["classes"] is None


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("another architecture", "CorruptArtifact", "weights lack"),
        ("no such model", "CorruptArtifact", "cannot read the folder"),
        ("odd sizes", "CorruptArtifact", "cannot read the folder"),
        ("cut weights", "CorruptArtifact", ""),
        ("no tokenizer", "CorruptArtifact", "cannot read the folder"),
        ("labels of one name", "UnsupportedFormat", "one name"),
    ],
)
def test_what_cannot_be_read_is_refused(served: dict[str, Any], name: str, reason: str, said: str) -> None:
    assert served[name].get("reason") == reason, served[name]
    assert said in served[name]["message"]


def test_a_platform_without_transformers_serves_it(platform: PlatformProcess, python: Path) -> None:
    with platform.register_user() as client:
        models = {name: upload(client, name) for name in ("bert.zip", "distilbert.tar.gz")}
        for name, model_id in models.items():
            wait_until_ready(client, model_id)
            (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
            assert (version["framework"], version["environment"]) == ("transformers", "transformers-5.24")
            assert version["sandbox"]["level"] == 2
            body = {"inputs": [{"text": text} for text in ANSWERS["rows"]], "return": ["probabilities"]}
            found = client.post(f"/predict/{model_id}", json=body).raise_for_status().json()
            for scores, told in zip(found["probabilities"], ANSWERS[name], strict=True):
                assert scores == pytest.approx(told, abs=1e-6)
            log = client.get(f"/api/v1/models/{model_id}/versions/v1/logs").text
            assert "system_call_refused" not in log
        for wrong, said in [({"text": 7}, "must be"), ({"text": None}, "null"), ({"words": "x"}, "text")]:
            response = client.post(f"/predict/{models['bert.zip']}", json={"input": wrong})
            assert response.status_code == 422, response.text
            assert said in response.text


def upload(client: httpx.Client, name: str) -> str:
    content = (SAVED / name).read_bytes()
    response = client.post("/api/v1/models/upload", files={"file": (name, content)}, data={"name": name})
    return str(response.raise_for_status().json()["id"])
