"""One model: what stands above all its tabs, and the tab to try it."""

from typing import Any

from fastapi import APIRouter, Response

from modelport_control_api.models.schemas import ModelAnswer, VersionAnswer
from modelport_control_api.ui.models.form import build_form
from modelport_control_api.ui.models.steps import trouble_of
from modelport_control_api.ui.models.visit import CurrentVisit, Visit

router = APIRouter(prefix="/ui/models", include_in_schema=False)


@router.get("/{model_id}")
async def show_try_it(visit: CurrentVisit, model_id: str) -> Response:
    model = await visit.model(model_id)
    version = main_version(model)
    return visit.page(
        "models/try_it.html",
        **header(visit, model, "try"),
        version=version,
        form=build_form(version) if version.signature else None,
        ready=[each for each in model.versions if each.status == "ready"],
    )


@router.get("/{model_id}/head")
async def show_head(visit: CurrentVisit, model_id: str, tab: str = "") -> Response:
    """The status above the tabs, asked for while it may change."""
    return visit.page("models/head.html", **header(visit, await visit.model(model_id), tab))


def header(visit: Visit, model: ModelAnswer, tab: str) -> dict[str, Any]:
    """What `models/model_page.html` needs."""
    return {
        "model": model,
        "tab": tab,
        "trouble": trouble_of(model.reason, model.message),
        "read_only": model.managed_by == "kubectl",
        "kubectl": _kubectl_edit(model.id, visit.part.namespace),
    }


def main_version(model: ModelAnswer) -> VersionAnswer:
    """The one that most requests get; before that, the newest that can answer, or the newest."""
    served = max(model.versions, key=lambda version: (version.traffic, version.status == "ready"))
    return served if served.traffic or served.status == "ready" else model.versions[-1]


def _kubectl_edit(model_id: str, own_namespace: str) -> str:
    namespace, _, name = model_id.rpartition(".")
    return f"kubectl -n {namespace or own_namespace} edit mlmodel {name}"
