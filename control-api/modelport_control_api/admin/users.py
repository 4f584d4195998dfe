"""What administrators do with accounts: role, standing, limits, password links, models handed over, the end.

Each change is one transaction, and its caller is an administrator in that transaction, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, TypeVar

from fastapi import Depends
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.accounts.auth import password_links, standing
from modelport_control_api.accounts.auth.errors import AccountHoldsModels, UserNotFound
from modelport_control_api.accounts.auth.schemas import normalize_or_keep
from modelport_control_api.accounts.auth.standing import Held
from modelport_control_api.accounts.sessions import ended
from modelport_control_api.accounts.tables import User
from modelport_control_api.accounts.wiring import Accounts, AccountServices
from modelport_control_api.admin import service
from modelport_control_api.admin.schemas import MadePasswordLink, UserChange, UserEntry
from modelport_control_api.batch import service as jobs
from modelport_control_api.batch.wiring import Batch, BatchServices
from modelport_control_api.db.base import utc_now
from modelport_control_api.errors import InvalidFields
from modelport_control_api.history import repository as history
from modelport_control_api.http.context import RequestOrigin
from modelport_control_api.http.principal import AdminPrincipal
from modelport_control_api.identity import Caller
from modelport_control_api.models.access import Models
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import ownership
from modelport_control_api.registry.ownership import Leftovers

T = TypeVar("T")
ModelsFate = Literal["delete", "transfer"]
_SAY_WHAT = (
    "Say what becomes of them: models=delete, or models=transfer with to, the id or e-mail address of the "
    "account that gets them."
)


@dataclass(frozen=True, slots=True)
class Administration:
    """What an administrator may do with accounts. `caller`: the administrator."""

    caller: Caller
    accounts: AccountServices
    models: ModelsServices
    batch: BatchServices

    async def change(self, user_id: str, change: UserChange) -> UserEntry:
        """Raises `UserNotFound`, `OwnAccount`, `LastAdministrator`."""

        def work(session: Session, held: Held, user: User) -> UserEntry:
            self._change_role(session, held, user, change)
            self._change_state(session, held, user, change)
            self._change_limits(session, user, change)
            session.flush()
            return service.entry_of(session, user, self.models.limits)

        entry = await self._write(work, user_id, with_holdings=change.disabled)
        if change.takes_away():
            ended.report(self.accounts, user_id)
        return entry

    async def make_password_link(self, user_id: str, hours: int, base_url: str) -> MadePasswordLink:
        """`base_url`: where users reach the platform; empty: the link is a path. Raises `UserNotFound`,
        `NotWhileDisabled`.
        """

        def work(session: Session, _held: Held, user: User) -> MadePasswordLink:
            maker, life = self.caller.principal.user_id, timedelta(hours=hours)
            row, token = password_links.create(session, self.caller, maker, user, life)
            # Behind #: no server on the way is sent it, and none logs it.
            url = f"{base_url}/ui/password#{token}"
            return MadePasswordLink(token=token, url=url, expires_at=row.expires_at)

        return await self._write(work, user_id)

    async def transfer(self, user_id: str, to: str) -> list[str]:
        """Give all models of one account to another; return their ids.

        Raises `UserNotFound`, and what `ownership.hand_over` raises.
        """
        receiver = await self._find(to)

        def work(session: Session, held: Held, user: User) -> list[str]:
            return self._hand_over(session, user, held.find(receiver))

        return await self._write(work, user_id, receiver, with_holdings=True)

    async def delete(self, user_id: str, models: ModelsFate | None = None, to: str | None = None) -> None:
        """Raises `UserNotFound`, `OwnAccount`, `LastAdministrator`, `AccountHoldsModels`, and what `transfer`
        raises.
        """
        if (models == "transfer") != (to is not None):
            raise InvalidFields(
                ("to", "goes with models=transfer" if to else "is required to transfer models")
            )
        receiver = await self._find(to) if to is not None else None

        def work(session: Session, held: Held, user: User) -> Leftovers:
            standing.require_other(self.caller, user)
            if receiver is not None:
                self._hand_over(session, user, held.find(receiver))
            elif models is None and (count := ownership.count_of(session, user.id)):
                raise AccountHoldsModels(count, _SAY_WHAT)
            return ownership.delete_account(session, self.caller, held, user)

        others = [receiver] if receiver else []
        leftovers = await self._write(work, user_id, *others, with_holdings=True)
        ended.report(self.accounts, user_id)
        await leftovers.remove(self.models.keeper, self.batch.files.remove)

    async def _write(
        self,
        work: Callable[[Session, Held, User], T],
        user_id: str,
        *others: str,
        with_holdings: bool = False,
    ) -> T:
        """The account, the others, all administrators and, if wanted, what it holds are locked meanwhile."""

        def held_work(session: Session) -> T:
            if with_holdings:
                ownership.lock_holdings(session, user_id)
            held = standing.hold_for_admin(session, self.caller, user_id, *others)
            return work(session, held, held.find(user_id))

        return await self.models.transactions.write(held_work)

    async def _find(self, id_or_email: str) -> str:
        """Return the id of an account. Raises `UserNotFound`."""
        if "@" not in id_or_email:
            return id_or_email
        named = select(User.id).where(User.email == normalize_or_keep(id_or_email))
        found = await self.models.transactions.read(lambda session: session.scalars(named).one_or_none())
        if found is None:
            raise UserNotFound(f"There is no account {id_or_email}: look it up in the list of users.")
        return found

    def _hand_over(self, session: Session, old: User, new: User) -> list[str]:
        moved = ownership.hand_over(session, self.caller, old, new, self.models.limits)
        # They were stored for the former owner alone, not for one whom an administrator chooses.
        history.delete_of_models(session, moved)
        return moved

    def _change_role(self, session: Session, held: Held, user: User, change: UserChange) -> None:
        if change.sets("is_admin") and change.is_admin:
            standing.promote(session, self.caller, user)
        elif change.sets("is_admin"):
            standing.demote(session, self.caller, held, user)

    def _change_state(self, session: Session, held: Held, user: User, change: UserChange) -> None:
        if change.sets("disabled") and change.disabled:
            standing.disable(session, self.caller, held, user)
            jobs.cancel_all_of(session, user.id, utc_now(), self.batch.keep)
        elif change.sets("disabled"):
            standing.enable(session, self.caller, user)

    def _change_limits(self, session: Session, user: User, change: UserChange) -> None:
        """What the user holds already stays, whatever the limit."""
        limits = change.limits()
        if detail := audit.before_and_after(user, limits):
            for column, value in limits.items():
                setattr(user, column, value)
            audit.record(session, self.caller, "user.limits", f"user:{user.id}", detail)


async def get_administration(
    principal: AdminPrincipal, origin: RequestOrigin, accounts: Accounts, models: Models, batch: Batch
) -> Administration:
    """The dependency of the API's calls. It lets pass only administrators with a session."""
    return Administration(Caller(principal, origin), accounts, models, batch)


AsAdmin = Annotated[Administration, Depends(get_administration)]
