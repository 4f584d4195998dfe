"""What a person reads of the platform after its start: accounts, keys and demo."""

import asyncio
import json
import time

import httpx
from modelport.cli.typed import command
from modelport.errors import ModelportError
from modelport_control_api.accounts.api_keys.schemas import Scope

from modelport_standalone import accounts, demo
from modelport_standalone.accounts import Admin
from modelport_standalone.apps import Apps
from modelport_standalone.data_dir import DataDir
from modelport_standalone.demo import ROW, Demo, DemoFailed
from modelport_standalone.options import Options, say

_DEFAULT_URL = "http://127.0.0.1:8000"


def format_banner(
    url: str, admin: Admin, data: DataDir, demo: tuple[Demo, str] | None, *, seconds: float, log: str
) -> str:
    """`demo`: with the API key that may call it. `seconds`: how long the start took."""
    return "\n".join(
        [
            "",
            f"Modelport is up at {url}  ({seconds:.1f} s; Ctrl-C stops it)",
            "",
            *(_demo_lines(url, *demo) if demo else []),
            f"  In the browser {url}/ui/",
            f"  API and docs   {url}/docs",
            f"  Admin          {admin.email}{_password(admin, data)}",
            f"  Your data      {data.root}",
            f"  Log            {log}",
            "",
            "Next, in another terminal:",
            f'  {_address(url)}{command()} upload my.joblib --name "My model"',
            "",
        ]
    )


def _demo_lines(url: str, demo: Demo, key: str) -> list[str]:
    insecure = "-k " if url.startswith("https:") else ""
    return [
        f"Call the demo model (it predicts {demo.prediction}):",
        "",
        f'curl {insecure}-X POST {url}/predict/{demo.model_id} -H "X-API-Key: {key}" '
        f"-H \"Content-Type: application/json\" -d '{json.dumps({'input': ROW})}'",
        "",
    ]


def _password(admin: Admin, data: DataDir) -> str:
    if admin.password is None:
        return ""
    shown = f"password {admin.password} (shown this once), kept in" if admin.is_new else "password in"
    return f", {shown} {data.admin}"


def _address(url: str) -> str:
    """The CLI knows the default address."""
    return "" if url == _DEFAULT_URL else f"MODELPORT_URL={url} "


_EVERYTHING: list[Scope] = ["predict", "models:read", "models:write", "analytics:read"]


async def print_banner(options: Options, data: DataDir, apps: Apps, url: str) -> None:
    """Raises `CannotStart`."""
    services = apps.control_plane.accounts
    admin = await asyncio.to_thread(accounts.open_admin, services, data)
    key = await asyncio.to_thread(accounts.open_key, services, data, "cli", _EVERYTHING)
    try:
        await asyncio.to_thread(accounts.log_cli_in, url, key)
    except (ModelportError, OSError) as error:
        say(f"The modelport command is not logged in: {error}")
    opened = await _open_demo(data, apps, key, url) if options.demo else None
    log = "here" if options.log_to_stderr else str(data.log)
    say(format_banner(url, admin, data, opened, seconds=time.monotonic() - options.started_at, log=log))


async def _open_demo(data: DataDir, apps: Apps, admin_key: str, url: str) -> tuple[Demo, str] | None:
    services = apps.control_plane.accounts
    key = await asyncio.to_thread(accounts.open_key, services, data, "demo", ["predict"])
    # In process, so no response can fail to come.
    transport = httpx.ASGITransport(apps.app)
    async with httpx.AsyncClient(transport=transport, base_url=url, timeout=httpx.Timeout(None)) as api:
        try:
            return await demo.open_demo(api, data, admin_key, key, say), key
        except DemoFailed as error:
            say(str(error))
            return None
