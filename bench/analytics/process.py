"""The control API over a database that is there already: arguments DATABASE_URL FOLDER SOCKET."""

import asyncio
import socket
import sys
from pathlib import Path

from modelport_http.serving import Served, Stop, serve
from modelport_process.start import spared

from tests.support.control_api import build_control_plane


async def main(database_url: str, folder: str, address: str) -> None:
    plane = build_control_plane(database_url, Path(folder))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    async with plane.running():
        with spared():
            await serve([Served(plane.public, listener)], Stop(0, 5), on_stop=plane.context.stopping.set)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
