"""Pages that jobs left on disk, shown as they are: Data Docs, evaluations of models, and the gate's records."""

import re
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from pacesetter_airflow.console.access import MAY_SEE
from pacesetter_airflow.console.known import Knowing
from pacesetter_airflow.console.sources.data_docs import INDEX
from pacesetter_airflow.console.sources.models import VERSION

# Both kinds of page do without scripts. None may run, whoever wrote into the folder: it would act with the reader's
# login. The origin stays, or the browser would not send the login to the next page.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox allow-same-origin",
    )
)
EVALUATION = re.compile(rf"{VERSION.pattern}\.(?:html|gate\.json)")


def documents_router(know: Knowing) -> APIRouter:
    router = APIRouter(dependencies=[MAY_SEE])

    @router.get("/data-docs")
    def site(request: Request) -> Response:
        return RedirectResponse(know(request).addresses.data_docs(INDEX))

    @router.get("/data-docs/{page:path}")
    def data_docs(request: Request, page: str) -> Response:
        folder = know(request).places.data_docs
        return _shown(folder, folder / page, f"no page {page} in the Data Docs: the task that validates makes them")

    @router.get("/evaluations/{name}")
    def evaluation(request: Request, name: str) -> Response:
        place = know(request).places.evaluation(name)
        missing = f"no evaluation {name}: the task `evaluate` of reranker_weekly makes it, old ones go with their model"
        if not EVALUATION.fullmatch(name):
            raise HTTPException(404, missing)
        return _shown(place.parent, place, missing)

    return router


def _shown(folder: Path, file: Path, missing: str) -> Response:
    """A page or a record that really lies in `folder`, whatever links and dots lead to. Raises HTTPException."""
    try:
        found = file.resolve(strict=True)
        if found.is_relative_to(folder.resolve()) and found.suffix in (".html", ".json") and found.is_file():
            return FileResponse(found, headers={"Content-Security-Policy": POLICY})
    except (OSError, ValueError):  # a name that no file can have
        pass
    raise HTTPException(404, missing)
