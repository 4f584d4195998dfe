"""Puts the core's questions to the runtimes, all at once."""

import asyncio
from collections.abc import Mapping, Sequence

from modelport_crds.reasons import Reason

from modelport_operator.core.checkups import Checkup, slowest
from modelport_operator.core.probe_results import ProbeResult, RuntimeStatus, SampleRefused
from modelport_operator.core.probes import ProbeRequest, sample_body
from modelport_operator.shell.runtimes import Runtimes

# A version that was never asked anything must not be routed to.
_NO_SAMPLE = SampleRefused(
    Reason.SAMPLE_INVALID, "The version came without a sample, and its runtime could not make one."
)


async def probe_all(runtimes: Runtimes, questions: Sequence[ProbeRequest]) -> dict[str, ProbeResult]:
    """Give each version's answer, by its name."""
    answers = await asyncio.gather(*(_ask(runtimes, question) for question in questions))
    return {question.version.name: answer for question, answer in zip(questions, answers, strict=True)}


async def check_all(runtimes: Runtimes, checkups: Sequence[Checkup]) -> Mapping[str, RuntimeStatus]:
    """Give the slowest runtime's status of each version, by its name; nothing where none was reached."""
    found = await asyncio.gather(*(_check(runtimes, checkup) for checkup in checkups))
    told = zip(checkups, found, strict=True)
    return {checkup.version: status for checkup, status in told if status is not None}


async def _check(runtimes: Runtimes, checkup: Checkup) -> RuntimeStatus | None:
    return slowest(await asyncio.gather(*map(runtimes.status, checkup.addresses)))


async def _ask(runtimes: Runtimes, question: ProbeRequest) -> ProbeResult:
    status = await runtimes.status(question.address)
    if status is None or status.state != "ready" or not question.sample:
        return ProbeResult(status=status)
    body = sample_body(question.version, status)
    if body is None:
        return ProbeResult(status=status, sample=_NO_SAMPLE)
    return ProbeResult(status=status, sample=await runtimes.predict(question.address, body))
