"""Is usage counted exactly while every part is restarted in turn? `make usage-exact` (5 to 10 minutes).

Two gateways, the control API, PostgreSQL and Redis as processes, a stub for the model. A load generator
counts its responses by model, status and cache state; in the end the ledger must hold the same, to the
request.
"""

import argparse
import asyncio
import json
import math
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.usage.tables import RequestsOfDay, RequestsOfHour, RequestsOfMinute, UsageBatchRow

from bench.servers import starting
from bench.usage.counting_load import Load, Name
from tests.support.gateway_harness import SIGNATURE
from tests.support.postgres_fixtures import PostgresServer
from tests.support.redis_fixtures import RedisServer

_CONNECTIONS = 24
_SERVES_ON_SECONDS = 1.0
_AWAY_SECONDS = 2.0
_SETTLE_SECONDS = 90.0


@dataclass
class Platform:
    """All processes, each of which can be restarted while the others run."""

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    model_port: int = field(default_factory=starting.free_port)
    control_port: int = field(default_factory=starting.free_port)
    gateway_ports: list[int] = field(default_factory=lambda: [starting.free_port(), starting.free_port()])
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        return self.postgres.url("postgres")

    def start(self) -> None:
        self.postgres.start()
        migrate.upgrade(self.database_url)
        self.redis.start()
        routes = [{"name": "iris", "address": f"127.0.0.1:{self.model_port}", "signature": SIGNATURE}]
        (self.folder / "routes.json").write_text(json.dumps(routes))
        self._run("model", "stub_upstream", str(self.model_port))
        self.start_control()
        for number in range(len(self.gateway_ports)):
            self.start_gateway(number)

    def start_control(self) -> None:
        arguments = [str(self.control_port), self.database_url, self.redis.url, str(self.folder)]
        self._run("control", "control_process", *arguments)
        self._wait("control", self.control_port)

    def start_gateway(self, number: int) -> None:
        port = self.gateway_ports[number]
        arguments = [str(port), self.redis.url, str(self.folder / "routes.json"), starting.KEY]
        self._run(f"gateway {number}", "gateway_process", *arguments, str(_SERVES_ON_SECONDS))
        self._wait(f"gateway {number}", port)

    def kill(self, name: str) -> None:
        self._processes[name].kill()
        self._processes[name].wait()

    def terminate(self, name: str) -> None:
        self._processes[name].terminate()
        self._processes[name].wait(60)

    def stop(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self.redis.stop()
        self.postgres.stop()

    def _run(self, name: str, script: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            command = starting.module(script, *arguments)
            self._processes[name] = subprocess.Popen(command, cwd=starting.ROOT, stdout=log, stderr=log)

    def _wait(self, name: str, port: int) -> None:
        path = "/readyz" if name.startswith("gateway") else "/healthz"
        process = self._processes[name]
        try:
            starting.wait_for(starting.Server(process.pid, f"127.0.0.1:{port}"), path, process)
        except TimeoutError as error:
            log = (self.folder / f"{name}.log").read_text()
            raise TimeoutError(f"{name}: {error}\n{log[-2000:]}") from None


def restarts(platform: Platform) -> list[tuple[str, Callable[[], None]]]:
    """What is done to each part; blocking, and back when the part is up again."""

    def gateway(number: int) -> Callable[[], None]:
        def restart() -> None:
            platform.terminate(f"gateway {number}")
            platform.start_gateway(number)

        return restart

    def control() -> None:
        platform.kill("control")
        time.sleep(_AWAY_SECONDS)
        platform.start_control()

    def redis() -> None:
        platform.redis.stop()
        time.sleep(_AWAY_SECONDS)
        platform.redis.start()

    def emptied() -> None:
        with platform.redis.client() as client:
            client.flushall()

    def postgres() -> None:
        platform.postgres.shut_down()
        time.sleep(_AWAY_SECONDS)
        platform.postgres.resume()

    return [
        ("gateway 0: SIGTERM", gateway(0)),
        ("control API: kill -9", control),
        ("Redis: kill -9, nothing kept", redis),
        ("PostgreSQL: restart", postgres),
        ("Redis: FLUSHALL", emptied),
        ("gateway 1: SIGTERM", gateway(1)),
    ]


def requests() -> list[tuple[str, bytes]]:
    """A hundred, in turn: most of them cached rows of two callers, some of every kind of refusal."""
    row = b'{"input": {"a": %d, "b": 2}}'
    good = f"X-API-Key: {starting.KEY}\r\n"
    bad = "X-API-Key: mlp_live_" + "x" * 43 + "\r\n"
    asked = [("iris", _request("iris", good, row % (number % 20))) for number in range(90)]
    asked += [("iris", _request("iris", good + "Cache-Control: no-cache\r\n", row % 1))] * 4
    asked += [("iris", _request("iris", bad, row % 1))]
    asked += [("iris", _request("iris", "", row % 1))] * 2
    asked += [("", _request(f"invented-{number}", good, row % 1)) for number in range(2)]
    return [*asked, ("iris", _request("iris/versions/v9", good, row % 1))]


def _request(path: str, headers: str, body: bytes) -> bytes:
    head = f"POST /predict/{path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def load_and_restart(platform: Platform, load: Load, rounds: int) -> list[tuple[str, int, float]]:
    """Return what was done, after how many requests, and how long it took until the part was back."""
    done: list[tuple[str, int, float]] = []

    async def restart_in_turn() -> None:
        steps = restarts(platform) * rounds
        share = load.wanted // (len(steps) + 2)
        for number, (name, act) in enumerate(steps, 1):
            # Spread over the whole run: on a slow machine too, each has requests of its own.
            load.limit = share * number
            await _wait_for(load, share * number)
            load.limit = share * (number + 1)
            begin = time.monotonic()
            at = load.sent
            await asyncio.to_thread(act)
            done.append((name, at, time.monotonic() - begin))
        load.limit = load.wanted

    await asyncio.gather(load.run(_CONNECTIONS), restart_in_turn())
    return done


async def _wait_for(load: Load, sent: int) -> None:
    while load.sent < sent:  # noqa: ASYNC110 - what is awaited is a fact, which sets no event
        await asyncio.sleep(0.01)


def ledger(database_url: str) -> Counter[Name]:
    """Requests by model, status and cache state. Raises RuntimeError where its own tables disagree."""
    engine = sa.create_engine(
        database_url.replace("postgresql:", "postgresql+psycopg2:"),
        # One snapshot: batches are written meanwhile.
        isolation_level="REPEATABLE READ",
    )
    with engine.connect() as connection:
        sums = {
            connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(table.requests), 0)))
            for table in (RequestsOfMinute, RequestsOfHour, RequestsOfDay, UsageBatchRow)
        }
        columns = (RequestsOfMinute.model_id, RequestsOfMinute.status, RequestsOfMinute.cache)
        rows = connection.execute(
            sa.select(*columns, sa.func.sum(RequestsOfMinute.requests)).group_by(*columns)
        ).all()
    engine.dispose()
    if len(sums) != 1:
        raise RuntimeError(f"minutes, hours, days and batches hold {sums}")
    return Counter({(model, status, cache): int(count) for model, status, cache, count in rows})


def measure(
    wanted: int, rounds: int, folder: Path, per_second: float = math.inf
) -> tuple[Load, list[tuple[str, int, float]], Counter[Name]]:
    """Run all of it. The ledger is what it is when it has not changed for a while, or as was counted."""
    with ExitStack() as stack:
        # Not `folder`: PostgreSQL runs as another user, and a unix socket's path is short.
        sockets = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="usage-", ignore_cleanup_errors=True))
        )
        sockets.chmod(0o755)
        for name in ("pg", "redis"):
            (sockets / name).mkdir()
        platform = Platform(folder, PostgresServer(sockets / "pg"), RedisServer(sockets / "redis"))
        stack.callback(platform.stop)
        platform.start()
        load = Load(platform.gateway_ports, requests(), wanted, per_second)
        done = asyncio.run(load_and_restart(platform, load, rounds))
        deadline = time.monotonic() + _SETTLE_SECONDS
        found = ledger(platform.database_url)
        while found != load.answered and time.monotonic() < deadline:
            time.sleep(0.5)
            found = ledger(platform.database_url)
        return load, done, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2, help="how often every part is restarted")
    parser.add_argument("--logs", type=Path, help="an existing folder that the processes' logs are kept in")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="usage-logs-") as folder:
        begin = time.monotonic()
        load, done, found = measure(chosen.requests, chosen.rounds, Path(folder))
        seconds = time.monotonic() - begin
        if chosen.logs:
            shutil.copytree(folder, chosen.logs, dirs_exist_ok=True)
    for name, at, took in done:
        print(f"after {at:>9,} requests  {name:<30} back after {took:4.1f} s")
    print(f"\n{'model':<8} {'status':<7} {'cache':<7} {'answered':>10} {'in the ledger':>14}")
    for model, status, cache in sorted(load.answered.keys() | found.keys()):
        counted = load.answered[model, status, cache], found[model, status, cache]
        print(f"{model:<8} {status:<7} {cache:<7} {counted[0]:>10,} {counted[1]:>14,}")
    print(f"{'all':<24} {load.answered.total():>10,} {found.total():>14,}")
    print(f"{load.resent} requests were sent again; {seconds:.0f} s in all")
    if found != load.answered:
        raise SystemExit("the ledger does not hold what was answered")


if __name__ == "__main__":
    main()
