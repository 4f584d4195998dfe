"""PyTorch's archives are told apart by their members, and what is no network is refused with what to do."""

import struct
import zipfile
from pathlib import Path

import pytest
from modelport_formats.errors import DamagedFile, UnknownFormat
from modelport_formats.frameworks import torch_files
from modelport_formats.identify import identify
from modelport_formats.scan import scan
from modelport_formats.signatures import Format

FILES = Path(__file__).parents[3] / "fixtures" / "torch"


def archive(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dynamic.pt2", torch_files.Kind.EXPORTED),
        ("fixed.pt2", torch_files.Kind.EXPORTED),
        ("two.pt2", torch_files.Kind.EXPORTED),
        ("script.pt", torch_files.Kind.SCRIPT),
    ],
)
def test_what_can_be_served_is_recognized(name: str, kind: torch_files.Kind) -> None:
    assert identify(FILES / name).format is Format.TORCH
    assert torch_files.kind_at(FILES / name) is kind


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("state_dict.pt", "a state_dict or tensors"),
        ("whole.pt", r"names __main__\.Mlp"),
        ("legacy.pt", r"of a PyTorch before 1\.6"),
        ("weights.safetensors", "safetensors"),
    ],
)
def test_weights_without_a_network_are_refused_with_three_lines(name: str, words: str) -> None:
    with pytest.raises(UnknownFormat, match=words) as refusal:
        identify(FILES / name)
    assert len(str(refusal.value).splitlines()) == 4
    assert str(refusal.value).endswith('torch.export.save(program, "model.pt2")')


def test_a_pickle_of_a_network_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "model"
    module = b"torch.nn.modules.container"
    path.write_bytes(b"\x80\x04\x8c" + bytes([len(module)]) + module + b"\x8c\x0aSequential\x93.")
    with pytest.raises(UnknownFormat, match=r"PyTorch's torch\.nn\.modules\.container\.Sequential"):
        identify(path)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"archive_format": b"pt3"}, "format 'pt3', not pt2"),
        ({"archive_format": b"pt2"}, "with 0 exported programs"),
        ({"archive_format": b"pt2", "models/a.json": b"{}", "models/b.json": b"{}"}, "with 2 exported"),
        ({"archive_format": b"pt2", "data/aotinductor/model/a.so": b""}, "compiled code"),
        ({"serialized_exported_program.json": b"{}"}, "before 2.8"),
    ],
)
def test_archives_of_other_kinds_are_refused(tmp_path: Path, members: dict[str, bytes], words: str) -> None:
    below = {f"model/{name}": content for name, content in members.items()}
    for path in (archive(tmp_path / "a", members), archive(tmp_path / "b", below)):
        if "serialized" in next(iter(members)) and path.name == "b":
            continue
        with pytest.raises(UnknownFormat, match=words):
            identify(path)


def test_what_unpacks_to_much_more_is_refused(tmp_path: Path) -> None:
    bomb = {"m/archive_format": b"pt2", "m/models/model.json": bytes(300 << 20)}
    with pytest.raises(UnknownFormat, match=r"of 0 MiB that unpacks to 300 MiB"):
        identify(archive(tmp_path / "model", bomb, zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("name", ["dynamic.pt2", "script.pt"])
@pytest.mark.parametrize("kept", [0.99, 0.5, 0.01])
def test_a_part_of_a_file_is_damaged(tmp_path: Path, name: str, kept: float) -> None:
    whole = (FILES / name).read_bytes()
    path = tmp_path / "model"
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(DamagedFile, match="cut short"):
        identify(path)


def test_a_damaged_pickle_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match=r"data\.pkl is damaged"):
        identify(archive(tmp_path / "model", {"m/data.pkl": b"\x80\x02c\xff"}))


def test_the_version_is_that_of_what_exported_it() -> None:
    assert scan(FILES / "dynamic.pt2").versions == {"torch": "2.15.0"}
    assert scan(FILES / "script.pt").versions == {}


def test_a_pickle_is_not_taken_for_safetensors() -> None:
    header = struct.pack("<Q", 200_000_000_000) + b'{"w"'
    torch_files.refuse_weights(header)
    torch_files.refuse_weights(b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00")
