"""After the start: admin, API keys and demo, and what a person is told of them."""

import asyncio
import time

import httpx
from modelport.errors import ModelportError
from modelport_control_api.accounts.api_keys.schemas import Scope

from modelport_standalone import accounts, demo
from modelport_standalone.data_dir import DataDir
from modelport_standalone.demo import Demo, DemoFailed
from modelport_standalone.fronts import Fronts
from modelport_standalone.options import Options
from modelport_standalone.saying import say
from modelport_standalone.welcome import welcome

_EVERYTHING: list[Scope] = ["predict", "models:read", "models:write", "analytics:read"]


async def greet(options: Options, data: DataDir, fronts: Fronts, url: str) -> None:
    """Raises `CannotStart`."""
    services = fronts.control_plane.accounts
    admin = await asyncio.to_thread(accounts.open_admin, services, data)
    key = await asyncio.to_thread(accounts.open_key, services, data, "cli", _EVERYTHING)
    try:
        await asyncio.to_thread(accounts.log_cli_in, url, key)
    except (ModelportError, OSError) as error:
        say(f"The modelport command is not logged in: {error}")
    opened = await _open_demo(data, fronts, key, url) if options.demo else None
    log = "here" if options.log_to_stderr else str(data.log)
    say(welcome(url, admin, data, opened, seconds=time.monotonic() - options.asked_at, log=log))


async def _open_demo(data: DataDir, fronts: Fronts, admin_key: str, url: str) -> tuple[Demo, str] | None:
    services = fronts.control_plane.accounts
    key = await asyncio.to_thread(accounts.open_key, services, data, "demo", ["predict"])
    # In process, so no answer can fail to come.
    transport = httpx.ASGITransport(fronts.app)
    async with httpx.AsyncClient(transport=transport, base_url=url, timeout=httpx.Timeout(None)) as api:
        try:
            return await demo.open_demo(api, data, admin_key, key, say), key
        except DemoFailed as error:
            say(str(error))
            return None
