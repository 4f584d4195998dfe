"""What is now to be said of one version."""

import hashlib

from modelport_crds.mlmodel import MLModel, ModelVersion, SampleAnswer, VersionStatus
from modelport_crds.reasons import EXPLANATIONS, Reason
from msgspec.structs import replace

from modelport_operator.core.observe import VersionObserved
from modelport_operator.core.words import RuntimeWord, SampleReply

# Enough to compare and to show; a sample's answer may be a whole transformed image.
_ANSWER_CHARACTERS_KEPT = 4096


def needs_word(known: VersionStatus | None, template: str) -> bool:
    """Ask the runtime only until this very template has answered or failed: then its status says it all."""
    return known is None or known.template != template or not (known.answered or known.failed)


def decide_version(
    model: MLModel, version: ModelVersion, template: str, observed: VersionObserved
) -> VersionStatus:
    """`template` is the digest of the version's pod template as it should be now."""
    known = model.status.version(version.name)
    status = _counted(_begun(known, version, template), observed)
    if known is not None and known.failed and known.template == template:
        return replace(known, replicas=observed.ready_pods, ready=False)
    if needs_word(known, template):
        return _judge_first_answer(status, known, template, observed)
    return _judge_running(status, observed)


def _begun(known: VersionStatus | None, version: ModelVersion, template: str) -> VersionStatus:
    if known is None or (known.failed and known.template != template):
        return VersionStatus(name=version.name, digest=f"sha256:{version.artifact.sha256}", template=template)
    return known


def _counted(status: VersionStatus, observed: VersionObserved) -> VersionStatus:
    return replace(status, replicas=observed.ready_pods, restarts=observed.restarts)


def _judge_first_answer(
    status: VersionStatus, known: VersionStatus | None, template: str, observed: VersionObserved
) -> VersionStatus:
    served_before = known is not None and known.answered
    failure = _failure(observed)
    if failure is not None:
        # A version that has answered under another template keeps its pods of that template.
        return _not_ready(status, *failure, failed=not served_before, observed=observed)
    word, reply = observed.word, observed.reply
    if word is not None and reply is not None and reply.status == 200:
        return _answered(status, template, word, reply, observed)
    trouble = observed.trouble
    message = trouble.message if trouble else EXPLANATIONS[Reason.PROGRESSING].meaning
    reason = trouble.reason if trouble else Reason.PROGRESSING
    return _not_ready(status, reason, message, failed=False, observed=observed)


def _failure(observed: VersionObserved) -> tuple[str, str] | None:
    word, reply, trouble = observed.word, observed.reply, observed.trouble
    if word is not None and word.state == "failed":
        return word.reason, word.message
    if reply is not None and reply.status != 200:
        return reply.reason, reply.message
    if trouble is not None and trouble.final and word is None:
        return trouble.reason, trouble.message
    return None


def _not_ready(
    status: VersionStatus, reason: str, message: str, *, failed: bool, observed: VersionObserved
) -> VersionStatus:
    ready = status.answered and observed.ready_pods > 0
    sandbox = observed.word.sandbox if observed.word else status.sandbox
    libraries = observed.word.libraries if observed.word else status.libraries
    return replace(
        status,
        reason=str(reason),
        message=message,
        failed=failed,
        ready=ready,
        sandbox=sandbox,
        libraries=libraries,
    )


def _answered(
    status: VersionStatus, template: str, word: RuntimeWord, reply: SampleReply, observed: VersionObserved
) -> VersionStatus:
    return replace(
        status,
        answered=True,
        failed=False,
        ready=observed.ready_pods > 0,
        template=template,
        reason=Reason.SERVING,
        message=" ".join(word.differences),
        signature=word.signature,
        libraries=word.libraries,
        sandbox=word.sandbox,
        sample_answer=_kept(reply.body),
    )


def _judge_running(status: VersionStatus, observed: VersionObserved) -> VersionStatus:
    if observed.ready_pods > 0:
        message = status.message if status.reason == Reason.SERVING else ""
        return replace(status, ready=True, reason=Reason.SERVING, message=message)
    trouble = observed.trouble
    reason = trouble.reason if trouble else Reason.PROGRESSING
    message = trouble.message if trouble else "The version is starting again."
    return replace(status, ready=False, reason=reason, message=message)


def _kept(body: str) -> SampleAnswer:
    digest = hashlib.sha256(body.encode()).hexdigest()
    return SampleAnswer(body=body[:_ANSWER_CHARACTERS_KEPT], sha256=digest)
