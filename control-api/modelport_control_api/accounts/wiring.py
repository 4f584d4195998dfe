"""Everything behind the calls on accounts, sessions and keys, built once."""

from dataclasses import dataclass
from typing import Annotated, Self

from fastapi import Depends
from modelport_store.store import Store

from modelport_control_api.accounts.passwords import Passwords
from modelport_control_api.db.session import Database, Transactions
from modelport_control_api.http.context import provide
from modelport_control_api.settings import AccountsSettings
from modelport_control_api.signing_keys import rotation
from modelport_control_api.signing_keys.ring import KeyRing


@dataclass(frozen=True)
class AccountServices:
    settings: AccountsSettings
    database: Database
    store: Store
    transactions: Transactions
    signing_keys: KeyRing
    passwords: Passwords

    @classmethod
    def build(cls, settings: AccountsSettings, database: Database, store: Store) -> Self:
        """Raises `SigningKeysError`."""
        schedule = rotation.schedule(settings.signing_key_activation_seconds, settings.access_token_seconds)
        return cls(
            settings=settings,
            database=database,
            store=store,
            transactions=Transactions(database),
            signing_keys=KeyRing(settings.signing_keys_dir, schedule),
            passwords=Passwords(rounds=settings.bcrypt_rounds, threads=settings.password_threads),
        )


Accounts = Annotated[AccountServices, Depends(provide(AccountServices))]
