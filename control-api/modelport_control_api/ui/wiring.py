"""Adds the web UI to the public app: its pages, each a router of its own."""

from fastapi import APIRouter, FastAPI

from modelport_control_api.ui import static_files
from modelport_control_api.ui.experiments import pages as experiments
from modelport_control_api.ui.models import (
    batch,
    dashboard,
    detail,
    history,
    listing,
    settings,
    upload,
    usage,
    versions,
)
from modelport_control_api.ui.pages import (
    admin,
    admin_invites,
    admin_users,
    alerts,
    ensembles,
    keys,
    sign_in,
    webhooks,
)
from modelport_control_api.ui.pages import settings as account
from modelport_control_api.ui.quality import page as quality
from modelport_control_api.ui.rollouts import pages as rollouts

ROUTERS: tuple[APIRouter, ...] = (
    static_files.router,
    sign_in.router,
    keys.router,
    webhooks.router,
    alerts.router,
    account.router,
    admin.router,
    admin_users.router,
    admin_invites.router,
    dashboard.router,
    listing.router,
    upload.router,
    ensembles.router,
    # Before the model's own page: `/ui/models/live` is none of its ids.
    versions.router,
    rollouts.router,
    experiments.router,
    usage.router,
    quality.router,
    settings.router,
    detail.router,
    batch.router,
    history.router,
)


def add_ui(app: FastAPI) -> None:
    """Add the routes of all pages. `UiShell` around the app makes pages of what they raise."""
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
