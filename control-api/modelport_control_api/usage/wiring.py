"""All of usage that runs beside the calls, built once: the consumers of Redis's streams, and retention."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Self

from fastapi import Depends
from modelport_process.background import Work, every
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.db.session import Database, Transactions
from modelport_control_api.http.context import provide
from modelport_control_api.settings import UsageSettings
from modelport_control_api.usage.retention import remove_old
from modelport_control_api.usage.samples import Handlers

_REMOVE_EVERY_SECONDS = 3600.0


@dataclass(frozen=True)
class UsageServices:
    handlers: Handlers
    database: Database
    transactions: Transactions
    _settings: UsageSettings
    _redis_url: SecretStr | None

    @classmethod
    def build(
        cls, settings: UsageSettings, database: Database, handlers: Handlers, redis_url: SecretStr | None
    ) -> Self:
        return cls(handlers, database, Transactions(database), settings, redis_url)

    def background(self) -> tuple[Work, ...]:
        """Return what is to run beside the calls: retention, and with Redis the consumers of its streams."""
        if self._redis_url is None:
            return (self._remove_for_ever,)
        # Here and not above: without Redis nobody needs the 8 MiB of redis-py.
        from modelport_control_api.usage.consumer import SamplesConsumer, UsageConsumer

        address = self._redis_url.get_secret_value()
        usage = UsageConsumer(address, self.database)
        samples = SamplesConsumer(address, self.database, self.handlers)
        return (self._remove_for_ever, usage.run, samples.run)

    async def _remove_for_ever(self) -> None:
        await every(
            _REMOVE_EVERY_SECONDS,
            partial(asyncio.to_thread, remove_old, self.database, self._settings),
            failed="old_usage_not_removed",
            catches=SQLAlchemyError,
        )


Usage = Annotated[UsageServices, Depends(provide(UsageServices))]
