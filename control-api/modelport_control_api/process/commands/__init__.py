"""What `python -m modelport_control_api` can do. Each command gives the line that says what it did."""

from modelport_control_api.process.commands.admin import create_admin
from modelport_control_api.process.commands.database import DATABASE_URL, migrate
from modelport_control_api.process.commands.republish import republish
from modelport_control_api.process.commands.server import serve
from modelport_control_api.process.commands.worker import work

__all__ = ["DATABASE_URL", "create_admin", "migrate", "republish", "serve", "work"]
