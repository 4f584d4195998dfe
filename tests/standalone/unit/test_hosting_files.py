"""compose.yaml, render.yaml and railway.json fit the image and the settings that they name."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from modelport_control_api.settings import Settings as ControlApiSettings
from modelport_http.settings import Settings as EdgeSettings
from pydantic_settings import BaseSettings

_ROOT = Path(__file__).parents[3]
_READY = "/readyz"


def _load(name: str) -> Any:
    return yaml.safe_load((_ROOT / name).read_text())


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = _load("compose.yaml")["services"]
    return found


def test_compose_has_the_platform_with_postgresql_and_redis(services: dict[str, Any]) -> None:
    platform = services["modelport"]
    assert services.keys() == {"passwords", "postgres", "redis", "modelport"}
    assert (_ROOT / platform["build"]["dockerfile"]).is_file()
    for needed in ("postgres", "redis"):
        assert platform["depends_on"][needed] == {"condition": "service_healthy"}
        assert "healthcheck" in services[needed]
    assert "data:/data" in platform["volumes"]
    assert any(_READY in each for each in platform["healthcheck"]["test"])


def test_compose_opens_nothing_to_others(services: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"modelport": ["127.0.0.1:${PORT:-8000}:8000"]}
    assert services["modelport"]["cap_drop"] == ["ALL"]


def test_all_volumes_are_named_once_and_used(services: dict[str, Any]) -> None:
    mounted = {each.split(":")[0] for service in services.values() for each in service.get("volumes", [])}
    assert _load("compose.yaml")["volumes"].keys() == mounted


def test_no_file_holds_a_secret() -> None:
    for name in ("compose.yaml", "render.yaml", "railway.json"):
        text = (_ROOT / name).read_text()
        # `user:password@host` in an address, or a password as a value.
        assert not re.search(r"://[^/\s]*:[^/\s]*@", text), name
        assert not re.search(r"PASSWORD(?!_FILE)\w*\s*[:=]\s*\S", text), name


def test_render_builds_the_image_and_gives_it_a_disk_where_its_data_are() -> None:
    web, key_value = _load("render.yaml")["services"]
    (database,) = _load("render.yaml")["databases"]
    assert (_ROOT / web["dockerfilePath"]).is_file()
    assert (web["disk"]["mountPath"], web["healthCheckPath"]) == ("/data", _READY)
    given = {each["key"]: each for each in web["envVars"]}
    assert given["MODELPORT_CONTROL_API_DATABASE_URL"]["fromDatabase"]["name"] == database["name"]
    assert given["MODELPORT_REDIS_URL"]["fromService"]["name"] == key_value["name"]
    # An empty list is nobody outside of the private network; none at all is everybody.
    assert database["ipAllowList"] == key_value["ipAllowList"] == []


def test_railway_builds_the_image_and_asks_for_a_volume_where_its_data_are() -> None:
    config = json.loads((_ROOT / "railway.json").read_text())
    assert (_ROOT / config["build"]["dockerfilePath"]).is_file()
    assert (config["deploy"]["requiredMountPath"], config["deploy"]["healthcheckPath"]) == ("/data", _READY)


def test_every_variable_that_is_set_is_one_that_is_read(services: dict[str, Any]) -> None:
    known = _variables(ControlApiSettings) | _variables(EdgeSettings)
    named = {each["key"] for each in _load("render.yaml")["services"][0]["envVars"]}
    named |= services["modelport"]["environment"].keys()
    named |= set(re.findall(r"^set_or_unset (\w+)", (_ROOT / "images/start.sh").read_text(), re.M))
    assert len(named) >= 4
    assert named <= known


def _variables(settings: type[BaseSettings]) -> set[str]:
    prefix = settings.model_config["env_prefix"]
    return {
        str(field.validation_alias or f"{prefix}{name}".upper())
        for name, field in settings.model_fields.items()
    }
