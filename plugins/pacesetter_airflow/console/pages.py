"""The routes of the page and of the tab, each as HTML and as JSON, and their few files.

They are no coroutines: FastAPI runs them in threads, where they may wait for a source.
"""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from pacesetter_airflow.console.access import MAY_SEE, MAY_SEE_RUN
from pacesetter_airflow.console.asking import Asker
from pacesetter_airflow.console.known import Knowing
from pacesetter_airflow.console.of_run import run_page
from pacesetter_airflow.console.overview import overview
from pacesetter_airflow.console.rendering import render

STATIC = Path(__file__).parent / "static"


def pages_router(know: Knowing, asker: Asker) -> APIRouter:
    router = APIRouter(dependencies=[MAY_SEE])

    @router.get("/")
    def navigation(request: Request) -> Response:
        known = know(request)
        return HTMLResponse(render("overview.html", known.addresses, overview(known, asker, datetime.now(UTC))))

    @router.get("/index.json")
    def navigation_as_json(request: Request) -> Response:
        return _json(overview(know(request), asker, datetime.now(UTC)))

    @router.get("/run", dependencies=[MAY_SEE_RUN])
    def run(request: Request, dag_id: str, run_id: str) -> Response:
        known = know(request)
        page = run_page(known, asker, dag_id, run_id, datetime.now(UTC))
        return HTMLResponse(render("run.html", known.addresses, page))

    @router.get("/run.json", dependencies=[MAY_SEE_RUN])
    def run_as_json(request: Request, dag_id: str, run_id: str) -> Response:
        return _json(run_page(know(request), asker, dag_id, run_id, datetime.now(UTC)))

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in {file.name for file in STATIC.iterdir()}:
            raise HTTPException(404, f"no file {name}")
        return FileResponse(STATIC / name, headers={"Cache-Control": "no-cache"})

    return router


def _json(page: object) -> Response:
    """A number that is none becomes null."""
    return Response(msgspec.json.encode(page), media_type="application/json")
