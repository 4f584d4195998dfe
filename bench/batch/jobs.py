"""`make bench-batch`: jobs over files on one machine, and what callers notice of them.

`throughput`: a job of a million rows beside `model.predict` of the very same chunks in one process.
`latency`: callers of the same version at a fixed rate, without and with a job.
`kills`: the worker is killed at random moments of one job, whose results must be those of an undisturbed one.
Figures are of one run on one machine: ratios count, not seconds.
"""

import argparse
import asyncio
import csv
import io
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from modelport_control_api.batch.storage.files import open_batch_files

from bench.batch import model_files
from bench.models.model import Model
from bench.servers.signed_in import SignedIn
from tests.support.batch_workers import kill_worker
from tests.support.open_loop import OpenLoop, Report
from tests.support.platform_process import PlatformProcess

_CSV = {"Content-Type": "text/csv"}
_RATE = 100.0
_SECONDS = 20.0
_KILLS = 20
# So many that no worker that is killed comes to the end of cutting them.
_KILLED_ROWS = 1_000_000
_BAD_EVERY = 100


@dataclass(frozen=True)
class Platform(SignedIn):
    """On all cores, unlike that of the other benches: a worker, its pods and callers share them."""

    process: PlatformProcess


def submit(platform: Platform, model_id: str, content: bytes) -> str:
    response = platform.client.post(f"/api/v1/predict/{model_id}/batch", content=content, headers=_CSV)
    job_id: str = response.raise_for_status().json()["id"]
    return job_id


def wait(platform: Platform, job_id: str) -> dict[str, Any]:
    while True:
        job: dict[str, Any] = platform.client.get(f"/api/v1/jobs/{job_id}", params={"wait": 60}).json()
        if job["state"] not in ("queued", "running"):
            if job["state"] != "succeeded":
                raise RuntimeError(f"the job is {job}")
            return job


def results(platform: Platform, job_id: str) -> list[dict[str, str]]:
    text = platform.client.get(f"/api/v1/jobs/{job_id}/results").raise_for_status().text
    return list(csv.DictReader(io.StringIO(text)))


def throughput(platform: Platform, model: Model, rows: int) -> None:
    model_id = platform.upload(model)
    # So that the pod is there, as it is for every job but the first.
    wait(platform, submit(platform, model_id, model_files.csv_of(model, 5000)))
    job_id = submit(platform, model_id, model_files.csv_of(model, rows))
    job = wait(platform, job_id)
    took = model_files.seconds_between(job["started_at"], job["finished_at"])
    files = open_batch_files(str(platform.process.data / "artifacts"))
    predicting, with_reading = asyncio.run(model_files.predict_chunks(model, files, job_id))
    print(
        f"{model.name}: {rows:,} rows in {took:.1f} s as a job; model.predict of the same chunks "
        f"{predicting:.1f} s ({100 * predicting / took:.0f} %), with their reading {with_reading:.1f} s "
        f"({100 * with_reading / took:.0f} %)",
        flush=True,
    )


async def _latency(platform: Platform, model: Model, model_id: str) -> Report:
    source = model.rows()
    bodies = [model_files.one_row(model, next(source)) for _ in range(2000)]
    url = f"{platform.process.url}/predict/{model_id}"
    async with OpenLoop(url, bodies, {**platform.headers, "Cache-Control": "no-cache"}, rate=_RATE) as loop:
        await asyncio.sleep(_SECONDS)
        return await loop.finish()


def latency(platform: Platform, model: Model, rows: int) -> None:
    model_id = platform.upload(model)
    wait(platform, submit(platform, model_id, model_files.csv_of(model, 5000)))
    content = model_files.csv_of(model, rows)
    for turn in range(3):
        alone = asyncio.run(_latency(platform, model, model_id))
        job_id = submit(platform, model_id, content)
        beside = asyncio.run(_latency(platform, model, model_id))
        state = platform.client.get(f"/api/v1/jobs/{job_id}").json()
        if alone.failed or beside.failed:
            raise RuntimeError(f"callers were answered {alone.statuses}, {beside.statuses}")
        before, during = (1000 * each.latency(99) for each in (alone, beside))
        print(
            f"turn {turn}: p99 {before:.1f} ms without, {during:.1f} ms with a job ({during / before:.2f}×); "
            f"p50 {1000 * alone.latency(50):.1f} and {1000 * beside.latency(50):.1f} ms; the job is "
            f"{state['state']}, {state['rows_done']:,} rows",
            flush=True,
        )
        platform.client.delete(f"/api/v1/jobs/{job_id}")
        time.sleep(3)


def kills(platform: Platform, model: Model) -> None:
    model_id = platform.upload(model)
    content = model_files.csv_of(model, _KILLED_ROWS, bad_every=_BAD_EVERY)
    undisturbed = submit(platform, model_id, content)
    wait(platform, undisturbed)
    killed = submit(platform, model_id, content)
    moments = random.Random(7)
    done = 0
    while done < _KILLS:
        kill_worker(platform.process.process.pid, moments)
        done += 1
    if platform.client.get(f"/api/v1/jobs/{killed}").json()["state"] != "running":
        raise RuntimeError("the job ended before the last kill")
    job = wait(platform, killed)
    expected, found = results(platform, undisturbed), results(platform, killed)
    if [int(row["row"]) for row in found] != list(range(_KILLED_ROWS)) or found != expected:
        raise RuntimeError("the results are not those of the undisturbed job")
    print(
        f"{done} kills: {job['rows_done']:,} rows, {job['rows_failed']:,} bad: the same results", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="throughput,latency,kills")
    parser.add_argument("--rows", type=int, default=1_000_000)
    chosen = parser.parse_args()
    wanted = chosen.only.split(",")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        models = model_files.train(folder)
        # As many jobs as are wanted here; short leases, which those who kill wait for.
        settings = {"MODELPORT_LIMIT_BATCH": "1000/minute", "MODELPORT_CONTROL_API_BATCH_LEASE_SECONDS": "3"}
        process = PlatformProcess(folder, **settings).start()
        try:
            with process.register_user() as client:
                client.timeout = httpx.Timeout(300)
                measure(Platform(client, process), models, wanted, chosen.rows)
        finally:
            process.stop()


def measure(platform: Platform, models: list[Model], wanted: list[str], rows: int) -> None:
    if "throughput" in wanted:
        for model in models:
            throughput(platform, model, rows)
    if "latency" in wanted:
        latency(platform, models[-1], rows)
    if "kills" in wanted:
        kills(platform, models[0])


if __name__ == "__main__":
    main()
