"""A model's own requirements: what is taken, what is locked of it, and what a lock and its list may hold."""

import asyncio
import json
from pathlib import Path

import jsonschema_rs
import pytest
from modelport_environments.errors import InvalidLock, InvalidRequirements, ResolverAway
from modelport_environments.locked import Locked, digest_of, own_name, read_lock, write_lock
from modelport_environments.requirements import MAX_BYTES, MAX_REQUIREMENTS, parse
from modelport_environments.resolving import Resolver
from modelport_environments.sbom import build_sbom

from tests.support.wheels import index_of, make_wheel

# The parts of CycloneDX 1.6 that are used, in the words of its JSON schema (bom-1.6.schema.json).
CYCLONEDX = {
    "type": "object",
    "required": ["bomFormat", "specVersion"],
    "additionalProperties": False,
    "properties": {
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.6"},
        "version": {"type": "integer", "minimum": 1},
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "component": {"$ref": "#/definitions/component"},
                "properties": {"type": "array", "items": {"$ref": "#/definitions/property"}},
            },
        },
        "components": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/definitions/component"}},
    },
    "definitions": {
        "component": {
            "type": "object",
            "required": ["type", "name"],
            "additionalProperties": False,
            "properties": {
                "type": {"enum": ["application", "library"]},
                "bom-ref": {"type": "string", "minLength": 1},
                "name": {"type": "string"},
                "version": {"type": "string", "maxLength": 1024},
                "purl": {"type": "string", "pattern": "^pkg:pypi/[a-z0-9-]+@"},
                "hashes": {"type": "array", "items": {"$ref": "#/definitions/hash"}},
            },
        },
        "property": {
            "type": "object",
            "required": ["name"],
            "additionalProperties": False,
            "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
        },
        "hash": {
            "type": "object",
            "required": ["alg", "content"],
            "additionalProperties": False,
            "properties": {"alg": {"const": "SHA-256"}, "content": {"pattern": "^[a-fA-F0-9]{64}$"}},
        },
    },
}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that uv takes for its index."""
    folder = tmp_path / "index"
    make_wheel(folder, "numpy", "1.20.3")
    make_wheel(folder, "numpy", "1.26.4")
    make_wheel(folder, "joblib", "1.4.0")
    make_wheel(folder, "scikit-learn", "1.2.2", needs=("numpy>=1.17", "joblib"))
    make_wheel(folder, "of-old", "1.0", needs=("numpy<1.22",))
    (folder / "only_source-1.0.tar.gz").write_bytes(b"")
    for name, value in index_of(folder).items():
        monkeypatch.setenv(name, value)
    return folder


def test_names_versions_extras_and_markers_are_taken() -> None:
    text = (
        "\ufeff# what it was trained with\r\n"
        "scikit-learn == 1.2.2  # exactly\r\n"
        "\r\n"
        "pandas[excel]>=1.5,\\\r\n   <2\r\n"
        "tomli; python_version < '3.11'\r\n"
    )
    assert parse(text) == (
        "scikit-learn==1.2.2",
        "pandas[excel]<2,>=1.5",
        'tomli; python_version < "3.11"',
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("-e .", "options are not taken"),
        ("-r other.txt", "options are not taken"),
        ("--pre", "options are not taken"),
        ("numpy --no-deps", "options are not taken"),
        ("numpy @ https://elsewhere.example/numpy.whl", "addresses and paths are not taken"),
        ("numpy @ file:///etc/passwd", "addresses and paths are not taken"),
        ("./numpy.whl", "is no name with versions"),
        ("git+https://elsewhere.example/repository", "is no name with versions"),
        ("numpy=1.26", "is no name with versions"),
        ("$HOME", "is no name with versions"),
    ],
)
def test_all_else_is_refused_with_its_line(line: str, why: str) -> None:
    with pytest.raises(InvalidRequirements, match="in line 2") as refused:
        parse(f"scipy\n{line}\n")
    assert why in str(refused.value)
    assert line in str(refused.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "name no package"),
        ("# nothing\n\n", "name no package"),
        ("numpy\n" * (MAX_REQUIREMENTS + 1), f"more than {MAX_REQUIREMENTS} lines"),
        ("#" * (MAX_BYTES + 1), "more than 32 KiB"),
    ],
)
def test_nothing_and_too_much_are_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidRequirements, match=why):
        parse(text)


def test_what_is_locked_meets_the_user_and_the_runtime(index: Path) -> None:
    lock = asyncio.run(Resolver().lock(["scikit-learn"]))
    packages = read_lock(lock)
    assert list(map(str, packages)) == ["joblib==1.4.0", "numpy==1.26.4", "scikit-learn==1.2.2"]
    assert all(len(each.hashes) == 1 for each in packages)
    # The same packages are the same environment, whatever was asked for.
    again = asyncio.run(Resolver().lock(["numpy", "scikit-learn==1.2.2"]))
    assert own_name(digest_of(again)) == own_name(digest_of(lock))
    assert own_name(digest_of(lock)).startswith("own-")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("nowhere", "nowhere was not found"),
        ("of-old", r"of-old depend on numpy<1\.22.*The runtime itself needs numpy>=1\.23"),
        ("only-source", "only-source"),
        ("scikit-learn==9", "scikit-learn==9"),
    ],
)
def test_what_cannot_be_met_is_refused_in_the_resolvers_words(index: Path, wanted: str, words: str) -> None:
    with pytest.raises(InvalidRequirements, match=f"cannot be met: .*{words}"):
        asyncio.run(Resolver().lock([wanted]))


def test_a_resolver_that_takes_too_long_is_ended(index: Path) -> None:
    with pytest.raises(ResolverAway, match="within 0 seconds"):
        asyncio.run(Resolver(seconds=0.0).lock(["scikit-learn"]))


SIZES = """\
[[packages]]
name = "torch"
version = "2.0"
wheels = [{ url = "https://example.com/torch.whl", size = 900_000_000, hashes = {} }]
[[packages]]
name = "numpy"
version = "1.26.4"
wheels = [{ url = "https://example.com/numpy.whl", size = 20_000_000, hashes = {} }]
[[packages]]
name = "unsaid"
version = "1.0"
wheels = [{ path = "unsaid.whl", hashes = {} }]
"""


@pytest.fixture
def sized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A resolver that says how large the packages are; a folder of wheels does not."""
    sizes, program = tmp_path / "sizes", tmp_path / "uv"
    sizes.write_text(SIZES)
    lock = f"torch==2.0 --hash=sha256:{'0' * 64}"
    program.write_text(f'#!/bin/sh\ncase "$*" in *pylock*) cat {sizes};; *) echo "{lock}";; esac\n')
    program.chmod(0o755)
    monkeypatch.setattr("modelport_environments.resolving.find_uv", lambda: str(program))
    return sizes


def test_what_is_too_large_is_refused_before_it_is_fetched(sized: Path) -> None:
    words = r"too large: 0\.86 GiB to fetch \(torch 0\.84, numpy 0\.02, unsaid 0\.00\).* may have 0\.75 GiB"
    with pytest.raises(InvalidRequirements, match=words):
        asyncio.run(Resolver(max_bytes=3 << 28).lock(["torch"]))
    assert "torch==2.0" in asyncio.run(Resolver(max_bytes=1 << 30).lock(["torch"]))


@pytest.mark.parametrize("said", ["", "packages = 3", "[[packages]]\nname = 'a'", "no toml ["])
def test_an_index_that_does_not_say_how_large_it_is_hinders_nobody(sized: Path, said: str) -> None:
    sized.write_text(said)
    assert "torch==2.0" in asyncio.run(Resolver(max_bytes=1).lock(["torch"]))


def test_sizes_are_those_that_the_real_resolver_says(index: Path) -> None:
    """Of a folder of wheels it says none, which is no error."""
    assert "numpy==1.26.4" in asyncio.run(Resolver(max_bytes=0).lock(["numpy"]))


def test_the_resolver_learns_no_secret_of_ours(
    index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "uv"
    program.write_text(f"#!/bin/sh\nenv > {seen}\necho enough >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("MODELPORT_CONTROL_API_INTERNAL_KEY", "hush-4711")
    monkeypatch.setattr("modelport_environments.resolving.find_uv", lambda: str(program))
    with pytest.raises(InvalidRequirements, match="enough"):
        asyncio.run(Resolver().lock(["numpy"]))
    assert "PATH" in seen.read_text()
    assert "hush-4711" not in seen.read_text()


LOCK = "a-b==1.0+cpu \\\n    --hash=sha256:" + "0" * 64 + " \\\n    --hash=sha256:" + "1" * 64 + "\n"


def test_a_lock_is_read_and_written_alike() -> None:
    assert read_lock(LOCK) == (Locked("a-b", "1.0+cpu", ("0" * 64, "1" * 64)),)
    assert write_lock(read_lock(LOCK)) == LOCK


@pytest.mark.parametrize(
    "line",
    [
        "a==1.0",
        "a>=1.0 --hash=sha256:" + "0" * 64,
        "a==1.0 --hash=md5:" + "0" * 32,
        "a==1.0 --hash=sha256:" + "0" * 64 + " --pre",
        "-r other.txt",
        "a @ https://elsewhere.example/a.whl --hash=sha256:" + "0" * 64,
        "../a==1.0 --hash=sha256:" + "0" * 64,
    ],
)
def test_a_lock_holds_versions_with_hashes_and_nothing_else(line: str) -> None:
    with pytest.raises(InvalidLock, match="is no version of a package with hashes"):
        read_lock(LOCK + line)


def test_the_list_of_what_is_in_it_is_cyclonedx() -> None:
    document = build_sbom("iris-v1", read_lock(LOCK))
    jsonschema_rs.validate(CYCLONEDX, json.loads(json.dumps(document)))
    (component,) = document["components"]
    assert component["purl"] == "pkg:pypi/a-b@1.0%2Bcpu"
    assert [each["content"] for each in component["hashes"]] == ["0" * 64, "1" * 64]
