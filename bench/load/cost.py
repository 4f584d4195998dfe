"""What requests cost a server process."""

from bench.load import wrk
from bench.load.prepared import Numbers, Prepared
from bench.servers import processes, starting
from bench.servers.starting import Server


def microseconds_a_request(
    server: Server, asked: Prepared, numbers: Numbers, *, connections: int, seconds: float
) -> float:
    """CPU of the process while wrk loads it for so long from another core."""
    before = processes.cpu_seconds([server.pid])
    seen = wrk.run(
        server.address, asked, numbers, connections=connections, seconds=seconds, core=starting.LOAD_CORE
    )
    return (processes.cpu_seconds([server.pid]) - before) / seen.requests * 1e6
