"""Looks at models with all that is known of them, and finds those that were applied with kubectl."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from modelport_control_api import outbox
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.paging import decode_cursor, encode_cursor
from modelport_control_api.identity import Principal
from modelport_control_api.models.model_view import ModelView, look, record_of
from modelport_control_api.publisher.publisher import Publisher
from modelport_control_api.publisher.statuses import ModelStatuses
from modelport_control_api.registry import repository, service
from modelport_control_api.registry.errors import ManagedWithKubectl, ModelNotFound
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.registry.tables import ModelRow

# What was published is seen by every replica's watch within this time, or its watch is known to be down.
_SEEN_WITHIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ModelReader:
    statuses: ModelStatuses
    publisher: Publisher

    def look(self, record: ModelRecord) -> ModelView:
        """Return the model as the database, the cluster and the publisher know it now."""
        age = (utc_now() - record.updated_at).total_seconds()
        settled = min(age, self.statuses.live_for()) >= _SEEN_WITHIN_SECONDS
        live, refusal = self.statuses.get(record.id), self.publisher.refusal(record.id)
        return look(record, live, settled=settled, refusal=refusal)

    def load(self, session: Session, principal: Principal, model_id: str) -> ModelRecord:
        """Raises ModelNotFound."""
        try:
            return service.get_model(session, principal, model_id)
        except ModelNotFound:
            found = self._find_outside(session, principal, model_id)
            if found is None:
                raise
            return found

    def own_of_name(self, session: Session, principal: Principal, name: str, limit: int) -> list[ModelRecord]:
        """The newest of the caller's own models that are called so, none of those applied with kubectl."""
        return _records(session, repository.page(session, principal, limit, None, name=name).items)

    def page(
        self,
        session: Session,
        principal: Principal,
        limit: int,
        cursor: str | None,
        *,
        name: str | None = None,
        tags: Collection[str] = (),
    ) -> tuple[list[ModelRecord], str | None]:
        """The caller's own models, and to an admin those applied with kubectl, which have no tags.

        `name`, `tags`: only those that are called so, and that have all of these. Raises CursorInvalid.
        """
        page = repository.page(session, principal, limit, cursor, name=name, tags=tags)
        own = _records(session, page.items)
        outside = [] if tags else self._all_outside(session, principal, cursor)
        others = [each for each in outside if name is None or each.name == name]
        both = sorted([*own, *others], key=_place, reverse=True)
        if len(both) <= limit:
            return both, page.next_cursor
        return both[:limit], encode_cursor(*_place(both[limit - 1]))

    def everything(self, session: Session) -> list[ModelRecord]:
        """All models that there are, of every owner."""
        waiting = set(outbox.pending(session))
        rows = repository.all_rows(session)
        ours = {row.id: repository.to_record(row, waits=row.id in waiting) for row in rows}
        seen = dict(self.statuses.all())
        others = [record_of(id_, seen[id_]) for id_ in seen.keys() - ours.keys() - waiting]
        return [*ours.values(), *others]

    @contextmanager
    def changing(self, principal: Principal, model_id: str) -> Iterator[None]:
        """Refuse to change a model that is applied with kubectl. Raises ManagedWithKubectl."""
        try:
            yield
        except ModelNotFound as error:
            if not _may_see(principal, model_id) or self.statuses.get(model_id) is None:
                raise
            raise self.read_only(model_id) from error

    def read_only(self, model_id: str) -> ManagedWithKubectl:
        live = self.statuses.get(model_id)
        metadata = live.metadata if live else None
        return ManagedWithKubectl(metadata.namespace if metadata else "", model_id.rpartition(".")[2])

    def _find_outside(self, session: Session, principal: Principal, model_id: str) -> ModelRecord | None:
        live = self.statuses.get(model_id) if _may_see(principal, model_id) else None
        # One of ours that was just deleted is there until the publisher has updated the cluster.
        if live is None or outbox.waiting_among(session, [model_id]):
            return None
        return record_of(model_id, live)

    def _all_outside(self, session: Session, principal: Principal, cursor: str | None) -> list[ModelRecord]:
        if not principal.is_admin:
            return []
        seen = {id_: live for id_, live in self.statuses.all() if principal.may_use(id_)}
        ours = repository.existing_ids(session, seen) | set(outbox.pending(session))
        others = [record_of(id_, live) for id_, live in seen.items() if id_ not in ours]
        return [each for each in others if cursor is None or _place(each) < decode_cursor(cursor)]


def _records(session: Session, rows: Sequence[ModelRow]) -> list[ModelRecord]:
    waiting = outbox.waiting_among(session, [row.id for row in rows])
    return [repository.to_record(row, waits=row.id in waiting) for row in rows]


def _may_see(principal: Principal, model_id: str) -> bool:
    return principal.is_admin and principal.may_use(model_id)


def _place(record: ModelRecord) -> tuple[datetime, str]:
    return record.created_at, record.id
