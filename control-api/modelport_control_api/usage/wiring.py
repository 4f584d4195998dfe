"""All of usage that runs beside the calls, built once: the consumers of Redis's streams, and retention."""

import asyncio
from dataclasses import dataclass
from typing import Self

import structlog
from modelport_process.background import Work
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.db.session import Database
from modelport_control_api.settings.usage import UsageSettings
from modelport_control_api.usage.retention import remove_old
from modelport_control_api.usage.samples import Handlers

log = structlog.get_logger(__name__)

_REMOVE_EVERY_SECONDS = 3600.0


@dataclass(frozen=True)
class UsageServices:
    handlers: Handlers
    _settings: UsageSettings
    _database: Database
    _redis_url: SecretStr | None

    @classmethod
    def build(
        cls, settings: UsageSettings, database: Database, handlers: Handlers, redis_url: SecretStr | None
    ) -> Self:
        return cls(handlers, settings, database, redis_url)

    def background(self) -> tuple[Work, ...]:
        if self._redis_url is None:
            return (self._remove_for_ever,)
        # Here and not above: without Redis nobody needs the 8 MiB of redis-py.
        from modelport_control_api.usage.consumer import SamplesConsumer, UsageConsumer

        address = self._redis_url.get_secret_value()
        usage = UsageConsumer(address, self._database)
        samples = SamplesConsumer(address, self._database, self.handlers)
        return (self._remove_for_ever, usage.run, samples.run)

    async def _remove_for_ever(self) -> None:
        while True:
            try:
                await asyncio.to_thread(remove_old, self._database, self._settings)
            except SQLAlchemyError as error:
                log.warning("old usage could not be removed", error=repr(error))
            await asyncio.sleep(_REMOVE_EVERY_SECONDS)
