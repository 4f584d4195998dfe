"""batch, jobs: predictions over files."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from modelport.cli import completion
from modelport.cli.options import (
    DEFAULT_URL,
    AsJson,
    ModelId,
    PinnedVersion,
    Url,
    Yes,
    check_folder,
)
from modelport.cli.output import counted, moment_text, note, print_json, print_line, print_listed
from modelport.cli.progress import job_bar, upload_bar
from modelport.cli.typed import typed
from modelport.client import Modelport
from modelport.job import Job

app = typer.Typer(help="Batch jobs: list, show, fetch, delete.", no_args_is_help=True)

RowsFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, readable=True, help=".csv, .jsonl, .parquet or .json."
    ),
]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.", autocompletion=completion.job_ids)]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Where the results go; its ending says how: .csv, .jsonl, .parquet."),
]
_FORMATS: dict[str, Any] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


def add_to(root: typer.Typer) -> None:
    """Register `batch` on the app, and the other commands as the group `jobs`."""
    root.command()(batch)
    root.add_typer(app, name="jobs")


def batch(
    model_id: ModelId,
    file: RowsFile,
    *,
    output: Output = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the end; implied by --output.")
    ] = False,
    version: PinnedVersion = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", "-p", help="Also each class's probability.")
    ] = False,
    return_: Annotated[
        list[str] | None,
        typer.Option(
            "--return",
            metavar="NAME",
            help="What to give beside the prediction: probabilities or contributions. Repeat it for both.",
        ),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="A column to stand beside the results; repeatable. '*': all. If left out, all but inputs."
        ),
    ] = None,
    webhook: Annotated[str | None, typer.Option(help="A URL that is notified of the end.")] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Predict a whole file: modelport batch iris-7kq2p rows.csv --output results.csv"""
    chosen = _format_of(output)
    with Modelport(url) as client:
        bar = nullcontext() if as_json else upload_bar(file.name)
        with bar as on_progress:
            job = client.batch(
                model_id,
                file,
                version=version,
                output=chosen,
                key_columns=key,
                probabilities=probabilities,
                return_=return_,
                webhook_url=webhook,
                on_progress=on_progress,
            )
        secret = job.webhook_secret
        if secret and not as_json:
            note(f"Messages are signed with {secret}: it is shown this once.")
        if wait or output:
            job = _wait(client, job.id, quiet=as_json)
        if output:
            client.save_results(job.id, output, output=chosen)
    _print(job, as_json, secret=secret)


@app.command("list")
def list_jobs(
    model: Annotated[str | None, typer.Option(help="Of this model only.")] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Your jobs, newest first."""
    with Modelport(url) as client:
        found = client.jobs(model_id=model)
    columns = ("JOB", "MODEL", "VERSION", "STATE", "DONE", "FAILED", "ROWS", "CREATED")
    nothing = f"No jobs yet: {typed('batch MODEL FILE', url)} starts one."
    print_listed(found, columns, _row, as_json=as_json, nothing=nothing)


def _row(job: Job) -> tuple[str, ...]:
    return (
        job.id,
        job.model_id,
        job.version,
        job.state,
        f"{job.rows_done:,}",
        f"{job.rows_failed:,}",
        "–" if job.rows_total is None else f"{job.rows_total:,}",
        moment_text(job.created_at),
    )


@app.command()
def show(
    job_id: JobId,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """How far a job is."""
    with Modelport(url) as client:
        job = _wait(client, job_id, quiet=as_json) if wait else client.job(job_id)
    _print(job, as_json)


@app.command()
def fetch(
    job_id: JobId,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the results go.")],
    *,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also what a cancelled or failed job did.")
    ] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Save a job's results."""
    with Modelport(url) as client:
        client.save_results(job_id, output, output=_format_of(output), partial=partial)


@app.command()
def retry(
    job_id: JobId,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="Only the rows without a prediction.")] = False,
    output: Output = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the end; implied by --output.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Try a job's rows again, as a new job."""
    chosen = _format_of(output)
    with Modelport(url) as client:
        job = client.retry_job(job_id, rows="failed" if failed else "all")
        secret = job.webhook_secret
        if wait or output:
            job = _wait(client, job.id, quiet=as_json)
        if output:
            client.save_results(job.id, output, output=chosen)
    _print(job, as_json, secret=secret)


@app.command()
def delete(job_id: JobId, yes: Yes = False, url: Url = DEFAULT_URL) -> None:
    """Cancel a job that has not ended; remove one that has, with its results."""
    if not yes:
        typer.confirm(f"Cancel or remove {job_id}?", abort=True, err=True)
    with Modelport(url) as client:
        client.delete_job(job_id)


def _wait(client: Modelport, job_id: str, *, quiet: bool) -> Job:
    if quiet:
        return client.wait_for_job(job_id)
    with job_bar() as show_progress:
        return client.wait_for_job(job_id, on_status=show_progress)


def _print(job: Job, as_json: bool, *, secret: str | None = None) -> None:
    if as_json:
        print_json({**job.raw, "webhook_secret": secret} if secret else job.raw)
        return
    failed = f", {job.rows_failed:,} of them without a prediction" if job.rows_failed else ""
    print_line(f"{job.id}  {job.state}  {_rows_text(job)}{failed}")
    if text := job.message or job.waiting_for:
        note(text)


def _rows_text(job: Job) -> str:
    """`20 of 30 rows`; `20 rows` while nobody knows how many there are."""
    if job.rows_total is None:
        return counted(job.rows_done, "row")
    return f"{job.rows_done:,} of {counted(job.rows_total, 'row')}"


def _format_of(output: Path | None) -> Any:
    if output is None:
        return None
    check_folder(output)
    chosen = _FORMATS.get(output.suffix.lower())
    if chosen is None:
        raise typer.BadParameter(f"{output}: its name must end in .csv, .jsonl or .parquet.")
    return chosen
