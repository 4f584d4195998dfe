"""What remains to be done of jobs that have ended. Any worker does it, and several do no harm."""

from datetime import timedelta

from modelport_control_api.batch.storage import expiry
from modelport_control_api.batch.storage.files import BatchFiles
from modelport_control_api.batch.webhooks.delivery import deliver_due
from modelport_control_api.batch.webhooks.sending import Sender
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Database


class Maintenance:
    """`retention`: how long the row of a job stays when its files are gone."""

    def __init__(self, database: Database, files: BatchFiles, sender: Sender, retention: timedelta) -> None:
        self._database = database
        self._files = files
        self._sender = sender
        self._retention = retention

    async def deliver(self) -> None:
        """Send the webhooks that are due."""
        while await deliver_due(self._database, self._sender, utc_now()):
            pass

    async def expire(self) -> None:
        """Remove the files of jobs whose time is over, and the rows of those that were so long ago."""
        while await expiry.expire_due(self._database, self._files, utc_now()):
            pass
        while await expiry.remove_old(self._database, utc_now(), self._retention):
            pass

    async def sweep(self) -> None:
        """Remove the files of jobs that are none."""
        await expiry.sweep(self._database, self._files, utc_now())
