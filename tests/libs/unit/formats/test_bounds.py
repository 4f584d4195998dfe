"""What a file may take to be looked at: memory, bytes and opcodes. All inputs are made here, and harmless."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
from modelport_formats import archives, pickles
from modelport_formats.compression import Decompressor
from modelport_formats.errors import DamagedFile, FormatError, UnknownFormat
from modelport_formats.identify import identify
from modelport_formats.signatures import Compression, Format
from modelport_formats.windows import windows

from tests.parts import ROOT

GIBIBYTE = 1 << 30
CONTENT = b"nothing but a text, and a short one"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def lzma_that_wants(dictionary: int) -> bytes:
    """The header alone says so: what is in it fits in any dictionary."""
    whole = lzma.compress(CONTENT, format=lzma.FORMAT_ALONE, preset=0)
    return whole[:1] + struct.pack("<I", dictionary) + whole[5:]


def test_lzma_that_wants_much_memory_is_read_by_nobody(path: Path) -> None:
    path.write_bytes(lzma_that_wants(GIBIBYTE))
    with pytest.raises(UnknownFormat, match=r"lzma, and unpacking it takes more than 128 MiB"):
        identify(path)
    assert list(windows(path)) == []
    path.write_bytes(lzma_that_wants(1 << 16))
    assert list(windows(path)) == [CONTENT]


def zip_that_wants(dictionary: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("schema.json", CONTENT)
    content = bytearray(buffer.getvalue())
    # The local header, the name, two bytes of version, two of length, one of properties.
    struct.pack_into("<I", content, 30 + len("schema.json") + 5, dictionary)
    return bytes(content)


def test_a_zip_member_that_wants_much_memory_is_read_by_nobody(path: Path) -> None:
    path.write_bytes(zip_that_wants(GIBIBYTE))
    with pytest.raises(UnknownFormat, match=r"unpacking schema\.json takes more than 64 MiB"):
        identify(path)
    assert list(windows(path)) == []
    path.write_bytes(zip_that_wants(1 << 16))
    assert list(windows(path)) == [CONTENT]


def plain_zip(members: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", CONTENT)
        for number in range(members):
            archive.writestr(f"member {number}", b"")
    return buffer.getvalue()


def with_zip64_records(content: bytes) -> bytes:
    """The same archive, whose usual record says that its directory is empty."""
    at = content.rindex(b"PK\x05\x06")
    count, size, start = struct.unpack_from("<HII", content, at + 10)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    usual = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, 0, 0xFFFFFFFF, 0)
    return content[:at] + record + locator + usual


@pytest.mark.parametrize("written", [bytes, with_zip64_records], ids=["usual", "zip64"])
def test_a_directory_is_listed_only_if_it_is_small(
    written: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_MAX_READ_BYTES", 1 << 17)
    few, many = (io.BytesIO(written(plain_zip(members))) for members in (10, 4000))
    assert archives.schema(few, 100) == CONTENT
    with pytest.raises(UnknownFormat, match="more entries than any model"):
        archives.schema(many, 100)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_schema_may_be_longer_than_a_directory(compression: int) -> None:
    # Of a forest of 600 trees it is; random bytes stay as long when they are compressed.
    content, file = os.urandom(archives._MAX_READ_BYTES + 5), io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("schema.json", content)
    assert archives.schema(file, 4 * len(content)) == content
    assert archives.schema(file, len(content) - 7) == content[:-7]


def test_empty_blocks_are_not_read_to_the_end() -> None:
    empty = b"\0\0\0\xff\xff"
    file = io.BytesIO(b"\x78\x01" + empty * 4_000_000)
    with pytest.raises(DamagedFile, match="holds hardly anything"):
        Decompressor(file, Compression.ZLIB).read(100)
    assert file.tell() < 9 << 20


def test_large_blocks_that_do_not_shrink_are_read() -> None:
    noise = b"".join(zlib.crc32(number.to_bytes(4, "big")).to_bytes(4, "big") for number in range(1 << 20))
    whole = lz4.frame.compress(noise, block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    assert Decompressor(io.BytesIO(whole), Compression.LZ4).read_all(len(noise) + 1) == noise


def far_apart(content: bytes) -> bytes:
    """Two halves, and between them more blocks that give nothing than are read at once."""
    stream = zlib.compressobj()
    first = stream.compress(content[:1750]) + stream.flush(zlib.Z_FULL_FLUSH)
    return first + b"\0\0\0\xff\xff" * 20_000 + stream.compress(content[1750:]) + stream.flush()


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("compression", "compress"),
    [
        (Compression.ZLIB, zlib.compress),
        (Compression.ZLIB, far_apart),
        (Compression.GZIP, gzip.compress),
        (Compression.BZIP2, bz2.compress),
        (Compression.LZ4, lz4.frame.compress),
        (Compression.XZ, lzma.compress),
    ],
)
def test_a_read_returns_no_more_than_was_requested(
    compression: Compression, compress: Callable[[bytes], bytes], size: int
) -> None:
    reader = Decompressor(io.BytesIO(compress(CONTENT * 100)), compression)
    pieces = list(iter(lambda: reader.read(size), b""))
    assert b"".join(pieces) == CONTENT * 100
    assert max(map(len, pieces)) <= size
    assert not reader.cut_short


def test_opcodes_are_read_up_to_a_bound() -> None:
    started = time.process_time()
    assert list(pickles.references(b"\x80\x04" + b"(" * 20_000_000)) == []
    assert time.process_time() - started < 2


class Ärger:  # noqa: PLC2401  # libraries of other languages have such names
    class Inner:
        pass


def test_names_are_read_through_the_memo_and_in_any_alphabet() -> None:
    content = pickle.dumps([Ärger, Ärger.Inner, Ärger])
    assert list(pickles.references(content)) == [(__name__, "Ärger"), (__name__, "Ärger.Inner")]


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_class_may_have_any_name(protocol: int, path: Path) -> None:
    path.write_bytes(pickle.dumps(Ärger(), protocol))
    assert identify(path).format is Format.PICKLE


def test_a_name_that_is_no_string_is_none() -> None:
    # Numbers where STACK_GLOBAL takes its module and name, after strings that it does not take.
    with pytest.raises(pickles.NotAPickle):
        list(pickles.references(b"\x80\x04\x8c\x02os\x8c\x06systemK\x01K\x02\x93."))


@pytest.mark.parametrize(
    "text", [b"x y\n1 2\n", b"x,y\n", b"BZ is a brand", b"BZh is none", b"{}", b"tree\n"]
)
def test_a_text_that_begins_like_a_known_format_is_not_damaged(text: bytes, path: Path) -> None:
    path.write_bytes(text)
    with pytest.raises(UnknownFormat):
        identify(path)


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04", b"\x08", b"\x80\x04", b"\x04\x22\x4d\x18", b"\x5d\x00", b"BZh9"]
)
def test_any_beginning_alone_is_refused(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(FormatError):
        identify(path)


def test_it_needs_the_standard_library_alone() -> None:
    code = "import modelport_formats.identify"
    subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(ROOT / "libs")}, check=True)
