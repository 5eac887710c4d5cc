"""The application that Airflow's API server mounts: nobody sees any of it who may not see Airflow."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from contract.errors import BadInput
from contract.settings import Settings
from pacesetter_airflow.console.asking import Asker
from pacesetter_airflow.console.documents import documents_router
from pacesetter_airflow.console.known import knowing
from pacesetter_airflow.console.pages import pages_router
from pacesetter_airflow.console.refusals import refused, unsettled
from pacesetter_airflow.home import project_home, project_settings

# Nothing from elsewhere, nothing inline; shown in a frame by Airflow alone.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app(
    settings: Callable[[], Settings] = project_settings,
    home: Callable[[], Path] = project_home,
    asker: Asker | None = None,
) -> FastAPI:
    app = FastAPI(title="Pacesetter", openapi_url=None, docs_url=None, redoc_url=None)
    know = knowing(settings, home)
    app.include_router(pages_router(know, asker or Asker()))
    app.include_router(documents_router(know))
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(BadInput, unsettled)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app
