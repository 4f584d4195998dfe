"""A bar while a file is sent, a spinner with the present reason while its model gets ready: on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from modelport.job import Job
from modelport.models import Model, Version
from modelport.uploads import OnProgress


@contextmanager
def upload_bar(file_name: str) -> Iterator[OnProgress]:
    """Bytes sent of all bytes, as the callable is given them. Nothing is shown off a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(f"Sending {escape(file_name)}", total=None)

        def show(sent: int, size: int) -> None:
            progress.update(task, completed=sent, total=size)

        yield show


@contextmanager
def waiting_spinner() -> Iterator[Callable[[Model | Version], None]]:
    """Off a terminal it is one line for each new reason: logs of a CI job show what it waits for."""
    console = Console(stderr=True, highlight=False)
    shown = ""
    with console.status("Waiting") as spinner:

        def show(found: Model | Version) -> None:
            nonlocal shown
            text = _describe(found)
            if text != shown and found.status == "pending":
                shown = text
                spinner.update(escape(text))
                if not console.is_terminal:
                    console.print(text, markup=False)

        yield show


def _describe(found: Model | Version) -> str:
    return ": ".join(part for part in ("Waiting", found.reason, found.message) if part)


@contextmanager
def job_bar() -> Iterator[Callable[[Job], None]]:
    """Rows done of all rows, once it is known how many there are."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("Waiting", total=None)

        def show(job: Job) -> None:
            waits = job.state == "queued" or job.waiting_for
            description = escape(job.waiting_for or "Waiting") if waits else "Predicting"
            progress.update(task, completed=job.rows_done, total=job.rows_total, description=description)

        yield show
