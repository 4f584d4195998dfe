"""The account that a new installation begins with."""

from sqlalchemy import exists, select

from modelport_control_api.accounts.audit import service as audit
from modelport_control_api.accounts.auth import emails
from modelport_control_api.accounts.passwords.hashing import Passwords
from modelport_control_api.accounts.tables import User
from modelport_control_api.db.base import new_id
from modelport_control_api.db.session import Database


def ensure_admin(database: Database, passwords: Passwords, email: str, password: str) -> bool:
    """Make the administrator unless there is one, or an account of that address. True: made now."""
    normalised = emails.normalise(email)
    password_hash = passwords.hash_now(password)
    with database.transaction() as session:
        if session.scalar(select(exists().where((User.is_admin.is_(True)) | (User.email == normalised)))):
            return False
        admin = User(id=new_id(), email=normalised, password_hash=password_hash, is_admin=True)
        session.add(admin)
        audit.record(session, None, "user.create_admin", f"user:{admin.id}")
    return True
