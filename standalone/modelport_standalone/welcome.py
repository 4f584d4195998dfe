"""What a person reads after the start."""

import json
import os
import shutil
import sys
from pathlib import Path

from modelport_standalone.accounts import Admin
from modelport_standalone.data_dir import DataDir
from modelport_standalone.demo import ROW, Demo

_DEFAULT_URL = "http://127.0.0.1:8000"


def welcome(
    url: str, admin: Admin, data: DataDir, demo: tuple[Demo, str] | None, *, seconds: float, log: str
) -> str:
    """`demo`: with the API key that may ask it. `seconds`: how long the start took."""
    return "\n".join(
        [
            "",
            f"Modelport is up at {url}  ({seconds:.1f} s; Ctrl-C stops it)",
            "",
            *(_demo_lines(url, *demo) if demo else []),
            f"  In the browser {url}/ui/",
            f"  API and docs   {url}/docs",
            f"  Admin          {admin.email}, {_password(admin)}{data.admin}",
            f"  Your data      {data.root}",
            f"  Log            {log}",
            "",
            "Next, in another terminal:",
            f'  {_address(url)}{command()} upload my.joblib --name "My model"',
            "",
        ]
    )


def command() -> str:
    """As it can be typed in the folder where the platform was started."""
    if shutil.which("modelport"):
        return "modelport"
    own = Path(sys.argv[0]).absolute()
    return os.path.relpath(own) if own.is_relative_to(Path.cwd()) else str(own)


def _demo_lines(url: str, demo: Demo, key: str) -> list[str]:
    insecure = "-k " if url.startswith("https:") else ""
    return [
        f"Ask the demo model (it says {demo.prediction}):",
        "",
        f'curl {insecure}-X POST {url}/predict/{demo.model_id} -H "X-API-Key: {key}" '
        f"-H \"Content-Type: application/json\" -d '{json.dumps({'input': ROW})}'",
        "",
    ]


def _password(admin: Admin) -> str:
    return f"password {admin.password} (shown this once), kept in " if admin.is_new else "password in "


def _address(url: str) -> str:
    """The CLI knows the default address."""
    return "" if url == _DEFAULT_URL else f"MODELPORT_URL={url} "
