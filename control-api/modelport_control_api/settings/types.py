"""How settings of several values are written: as people say them, not as JSON."""

from typing import Annotated, Any

from modelport_http.client_address import Network, parse_networks
from modelport_store.store import Limit
from pydantic import BeforeValidator
from pydantic_settings import NoDecode


def _parse_limit(value: Any) -> Any:
    return Limit.parse(value) if isinstance(value, str) else value


def _parse_networks(value: Any) -> Any:
    return tuple(parse_networks(value)) if isinstance(value, str) else value


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


LimitSetting = Annotated[Limit, NoDecode, BeforeValidator(_parse_limit)]
NetworksSetting = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_parse_networks)]
ListSetting = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
