"""Messages that receivers have yet to get, written in the transaction of what they report."""

import json
from datetime import datetime

from sqlalchemy.orm import Session

from modelport_control_api.batch.render import render_job
from modelport_control_api.registry.tables import BatchJob, WebhookDelivery


def announce(session: Session, job: BatchJob, now: datetime) -> None:
    """Notify the user who requested it of the job's end."""
    if job.webhook_url is None:
        return
    message = {
        "type": f"job.{job.state}",
        "timestamp": now.isoformat(),
        "data": render_job(job, now).model_dump(mode="json"),
    }
    session.add(WebhookDelivery(job_id=job.id, body=json.dumps(message), next_try_at=now))
