"""The platform's port, taken before anything else is touched."""

import errno
import socket
import ssl

from modelport_process.start import CannotStart, give_up_on_deaf_peers

from modelport_standalone.options import Options

_BACKLOG = 2048


def bind(options: Options) -> socket.socket:
    """Raises `CannotStart`."""
    try:
        family = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        # Now, not when the server starts: two platforms could otherwise both believe that the port is theirs.
        listener.listen(_BACKLOG)
        give_up_on_deaf_peers(listener)
    except OSError as error:
        raise CannotStart(_explain(options, error)) from error
    return listener


def check_tls(options: Options) -> None:
    """Raises `CannotStart` if certificate and key do not make a server."""
    if options.tls_cert is None and options.tls_key is None:
        return
    if options.tls_cert is None or options.tls_key is None:
        raise CannotStart("--tls-cert and --tls-key belong together: give both.")
    for path in (options.tls_cert, options.tls_key):
        if not path.is_file():
            raise CannotStart(f"There is no TLS file {path}: check --tls-cert and --tls-key.")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(options.tls_cert, options.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise CannotStart(
            f"{options.tls_cert} and {options.tls_key} are no certificate and its key ({error})."
        ) from error


def _explain(options: Options, error: OSError) -> str:
    where = f"{options.host}:{options.port}"
    if error.errno == errno.EADDRINUSE:
        return f"The address {where} is in use: stop what uses it, or choose another with --port."
    return f"The address {where} cannot be used ({error.strerror}): choose another with --host and --port."
