"""The HTTP server: whom it answers, by which name, and with how much patience."""

import socket
from typing import Any

from modelport_http.connections.allowed_hosts import Hosts, HostsMiddleware, is_loopback
from modelport_http.connections.per_address import Crowd
from modelport_http.connections.timeouts import Silence
from modelport_http.fast_path.protocol import Handler, Headers
from modelport_http.server import Server
from modelport_http.serving import build_config
from modelport_http.settings import Settings as EdgeSettings
from starlette.types import ASGIApp

from modelport_standalone.fronts import Fronts
from modelport_standalone.options import Options

# Together with the runtimes' own stop it stays within five seconds.
_DRAIN_SECONDS = 2


def build_server(options: Options, fronts: Fronts, listener: socket.socket) -> Server:
    doors, settings = EdgeSettings(), fronts.control_plane.context.settings
    app: ASGIApp = fronts.app
    handler: Handler = fronts.fast_path
    # Elsewhere its names are the network's business, unless they are listed.
    if is_loopback(listener.getsockname()[0]) or doors.allowed_hosts:
        hosts = Hosts((options.host, *doors.allowed_hosts), settings.public_url)
        app, handler = HostsMiddleware(app, hosts), WellCalled(handler, hosts)
    crowd = Crowd(doors.connections_per_address, settings.trusted_proxies)
    tls: dict[str, Any] = {"ssl_certfile": options.tls_cert, "ssl_keyfile": options.tls_key}
    config = build_config(app, drain=_DRAIN_SECONDS, handler=handler, crowd=crowd, **tls)
    return Server(config, Silence(doors.patience))


class WellCalled:
    """The fast path, for requests by an allowed name; others go the long way, and are refused there."""

    def __init__(self, inner: Handler, hosts: Hosts) -> None:
        self._takes = inner.takes
        self._allow = hosts.allow
        self.begin = inner.begin

    def takes(self, target: bytes, headers: Headers) -> bool:
        return self._allow(headers) and self._takes(target, headers)
