"""What is answered instead of a page: to browsers as a page, to scripts as JSON."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from pacesetter_airflow.console.asking import told
from pacesetter_airflow.console.rendering import render_refusal


def refused(request: Request, error: Exception) -> Response:
    """For an HTTPException, which is mostly one of Airflow's: not logged in, or not allowed to."""
    assert isinstance(error, HTTPException)
    return _answer(request, error.status_code, str(error.detail))


def unsettled(request: Request, error: Exception) -> Response:
    """For settings that cannot be read: without them nobody knows where anything is."""
    return _answer(request, 503, f"{told(error)}: mend the variable, or its line in .env")


def _answer(request: Request, status: int, detail: str) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": detail}, status)
    return HTMLResponse(render_refusal(request.scope["root_path"], status, detail), status)
