"""Cut debug information off the shared libraries under FOLDER, for build stages that have no `strip`.

The loader reads what the program headers name, and debug sections lie behind all of that. Only libraries with
debug information are touched. Usage: strip_debug.py FOLDER
"""

import struct
import sys
from pathlib import Path

_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")


def strip(library: Path) -> int:
    """Return the number of bytes saved."""
    content = library.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01" or b"\0.debug_info\0" not in content:
        return 0
    headers_at = struct.unpack_from("<Q", content, 32)[0]
    size, count = struct.unpack_from("<HH", content, 54)
    headers = [_PROGRAM_HEADER.unpack_from(content, headers_at + size * index) for index in range(count)]
    end = max(offset + length for _, _, offset, _, _, length, _, _ in headers)
    kept = bytearray(content[:end])
    # No section table any more: its offset, and the three fields that describe it.
    struct.pack_into("<Q", kept, 40, 0)
    struct.pack_into("<HHH", kept, 58, 0, 0, 0)
    library.write_bytes(kept)
    return len(content) - len(kept)


if __name__ == "__main__":
    saved = sum(strip(library) for library in Path(sys.argv[1]).rglob("*.so*") if library.is_file())
    print(f"{saved / 1e6:.1f} MB of debug information removed")
