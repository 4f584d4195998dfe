"""Have every model published again: for a cluster that has lost them, or whose changes are to be undone."""

from modelport_control_api import outbox
from modelport_control_api.process.commands.database import opened_database
from modelport_control_api.registry import repository


def republish() -> str:
    with opened_database() as database, database.transaction() as session:
        models = repository.all_ids(session)
        for model_id in sorted(models):
            outbox.record_change(session, model_id)
    return f"{len(models)} models will be published within seconds, as the database has them."
