"""The control API with no cluster: its own apps, database, Redis consumers and logs.

Run: ``python -m bench.servers.control_process PORT DATABASE_URL REDIS_URL FOLDER``; PORT is the internal
app's.
"""

import sys
from pathlib import Path

import uvloop
from modelport_control_api.process import app
from modelport_control_api.process.serve import Listeners, serve
from modelport_control_api.settings import Settings
from modelport_control_api.signing_keys import rotation
from modelport_http.serving import Stop
from modelport_process import logging
from modelport_process.start import bind
from modelport_store.memory_store import MemoryStore
from pydantic import SecretStr

from tests.support.control_api import IdleCluster


async def main(port: int, database_url: str, redis_url: str, folder: Path) -> None:
    rotation.create_first(folder / "signing-keys")
    settings = Settings(
        database_url=SecretStr(database_url),
        signing_keys_dir=folder / "signing-keys",
        artifacts_url=str(folder / "artifacts"),
    )
    plane = app.build(settings, store=MemoryStore(), cluster=IdleCluster(), redis_url=SecretStr(redis_url))
    listeners = Listeners(bind("PORT", "127.0.0.1:0"), bind("PORT", f"127.0.0.1:{port}"))
    await serve(plane, listeners, Stop(0, 1))


if __name__ == "__main__":
    logging.configure("control-api")
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])))
