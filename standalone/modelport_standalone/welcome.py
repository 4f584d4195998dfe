"""What a person reads after the start."""

import json

from modelport_standalone.accounts import Admin
from modelport_standalone.data_dir import DataDir
from modelport_standalone.demo import ROW, Demo

_DEFAULT_URL = "http://127.0.0.1:8000"


def welcome(url: str, admin: Admin, data: DataDir, demo: tuple[Demo, str] | None) -> str:
    """`demo`: with the API key that may ask it."""
    return "\n".join(
        [
            "",
            f"Modelport is up at {url}  (Ctrl-C stops it)",
            "",
            *(_demo_lines(url, *demo) if demo else []),
            f"  API and docs   {url}/docs",
            f"  Admin          {admin.email}, {_password(admin)}{data.admin}",
            f"  Your data      {data.root}",
            "",
            "Next, in another terminal:",
            f'  {_address(url)}modelport upload my.joblib --name "My model"',
            "",
        ]
    )


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
