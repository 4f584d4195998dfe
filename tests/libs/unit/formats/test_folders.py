"""Keras files and archives of folders are recognized by names in them; what is hostile is refused unread."""

import gzip
import io
import resource
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from modelport_formats.errors import DamagedFile, FormatError, UnknownFormat
from modelport_formats.folders import MAX_MEMBERS, members
from modelport_formats.identify import format_of, identify
from modelport_formats.scan import scan
from modelport_formats.signatures import Format

SAVED = Path(__file__).parents[3] / "fixtures" / "tensorflow"
GRAPH = "model/saved_model.pb"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("flowers.keras", Format.KERAS),
        ("lambda.keras", Format.KERAS),
        ("linear.h5", Format.KERAS_HDF5),
        ("counter.zip", Format.SAVED_MODEL),
        ("counter.tar.gz", Format.SAVED_MODEL),
    ],
)
def test_what_keras_and_tensorflow_save_is_recognized(name: str, expected: Format) -> None:
    assert identify(SAVED / name).format == expected
    assert format_of(SAVED / name) == expected


def test_a_plain_tar_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(gzip.decompress((SAVED / "counter.tar.gz").read_bytes()))
    assert identify(path).format == format_of(path) == Format.SAVED_MODEL


@pytest.mark.parametrize("name", ["flowers.keras", "linear.h5"])
def test_the_version_of_keras_is_read(name: str) -> None:
    assert scan(SAVED / name).versions == {"keras": "3.15.1"}


def test_both_kinds_of_archive_give_the_same_files() -> None:
    def unpacked(name: str) -> dict[str, bytes]:
        with (SAVED / name).open("rb") as file:
            size = (SAVED / name).stat().st_size
            return {each.name: b"".join(each.pieces()) for each in members(file, size)}

    assert unpacked("counter.zip") == unpacked("counter.tar.gz")


def test_weights_alone_are_no_model() -> None:
    with pytest.raises(UnknownFormat, match=r"weights alone .* model\.save\('model\.keras'\)"):
        identify(SAVED / "linear.weights.h5")


@pytest.mark.parametrize("name", ["flowers.keras", "linear.h5", "counter.zip", "counter.tar.gz"])
def test_a_cut_file_is_named_as_that(tmp_path: Path, name: str) -> None:
    content = (SAVED / name).read_bytes()
    path = tmp_path / "upload"
    for part in (0.5, 0.9):
        path.write_bytes(content[: int(len(content) * part)])
        with pytest.raises(DamagedFile):
            identify(path)


def in_zip(*names: str, mode: int = stat.S_IFREG) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, b"x")
    return written.getvalue()


def in_tar(*names: str, kind: bytes = tarfile.REGTYPE, mode: str = "w:gz") -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=mode) as archive:  # type: ignore[call-overload]  # mode is a name
        for name in names:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mtime = kind, "/etc/passwd" if kind != tarfile.REGTYPE else "", 1.5
            info.size = 1 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"x") if info.size else None)
    return written.getvalue()


def huge_tar() -> bytes:
    """A gigabyte of zeros, in a megabyte."""
    info = tarfile.TarInfo(GRAPH)
    info.size = 1 << 30
    return gzip.compress(info.tobuf() + bytes(1 << 26), 1) + b""


def endless_headers() -> bytes:
    """Extended headers that say nothing, each of a gigabyte."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    return gzip.compress(info.tobuf() * 1000)


@pytest.mark.parametrize("pack", [in_zip, in_tar])
@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["../out", GRAPH], "leads out of its folder"),
        (["/etc/passwd", GRAPH], "leads out of its folder"),
        (["model/../../out", GRAPH], "leads out of its folder"),
        ([GRAPH, GRAPH], "twice"),
        (["a/saved_model.pb", "b/saved_model.pb"], "several models"),
        (["/".join("d" * 40), GRAPH], "more than 32 folders"),
        ([*map(str, range(MAX_MEMBERS)), GRAPH], "more than 10000 files"),
    ],
    ids=lambda value: value[0][:12] if isinstance(value, list) else None,
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_leads_out_or_is_too_much_is_refused(
    tmp_path: Path, pack: Callable[..., bytes], names: list[str], reason: str
) -> None:
    refused(tmp_path, pack(*names), reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (in_zip(GRAPH, mode=stat.S_IFLNK), "a link or a device"),
        (in_tar(GRAPH, kind=tarfile.SYMTYPE), "a link or a device"),
        (in_tar(GRAPH, kind=tarfile.LNKTYPE), "a link or a device"),
        (in_tar(GRAPH, kind=tarfile.CHRTYPE), "a link or a device"),
        (in_tar("readme.txt", mode="w"), "no model that Modelport knows"),
        (huge_tar(), "unpacks to more than"),
        (endless_headers(), "64 KiB"),
    ],
    ids=["zip link", "link", "hard link", "device", "no model", "bomb", "headers"],
)
def test_links_devices_and_bombs_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    refused(tmp_path, content, reason)


def refused(folder: Path, content: bytes, reason: str) -> None:
    path = folder / "upload"
    path.write_bytes(content)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(FormatError, match=reason):
        identify(path)
    assert time.process_time() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_a_compressed_pickle_is_still_one(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(gzip.compress(b"\x80\x04csklearn.x\nY\n."))
    assert format_of(path) == Format.PICKLE


def test_long_and_foreign_names_are_read(tmp_path: Path) -> None:
    names = [f"modèle/{'long' * 60}", "modèle/saved_model.pb"]
    for written in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        path = tmp_path / "upload"
        with tarfile.open(path, "w:gz", format=written) as archive:
            for name in names:
                archive.addfile(tarfile.TarInfo(name), io.BytesIO())
        with path.open("rb") as file:
            assert [each.name for each in members(file, path.stat().st_size)] == names
