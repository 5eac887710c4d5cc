"""Nobody sees anything without a login, and nobody more than Airflow lets them."""

from typing import Any

import pytest
from fastapi.routing import APIRoute

from pacesetter_airflow.console.app import create_app
from tests.plugins.console.conftest import Console, token_of

PATHS = sorted(
    route.path.replace("{name}", "console.css").replace("{page:path}", "index.html")
    for route in create_app().routes
    if isinstance(route, APIRoute)
)
RUN = {"dag_id": "sla_check", "run_id": "run 0"}


def test_these_are_all_of_its_routes() -> None:
    """None comes from FastAPI itself, such as a page of its API, which would ask for no login."""
    assert len(PATHS) == len(create_app().routes) == 8


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
@pytest.mark.parametrize("path", PATHS)
def test_anonymous_callers_are_refused(console: Console, path: str, kind: str) -> None:
    answer = console.client.get(f"/pacesetter{path}", headers={"Accept": kind}, follow_redirects=False)
    assert answer.status_code == 401
    assert ("Not logged in" if kind == "text/html" else "Not authenticated") in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_so_are_those_whose_token_is_none_of_ours(console: Console, path: str) -> None:
    for token in ("", "nonsense", console.token[:-4] + "AAAA"):
        assert console.get(path, token=token).status_code in (401, 403), token


@pytest.mark.parametrize("path", PATHS)
def test_so_are_those_without_a_right(console: Console, airflow: Any, path: str) -> None:
    answer = console.get(path, token=token_of(airflow, None), **RUN)
    assert answer.status_code == 403
    assert "Airflow gives your account no right" in answer.text


@pytest.mark.parametrize("path", ["/", "/index.json", "/run", "/run.json", "/static/console.css", "/static/icon.svg"])
def test_a_viewer_may_see(console: Console, path: str) -> None:
    assert console.get(path, **RUN).status_code == 200


def test_the_login_of_airflows_page_will_do(console: Console) -> None:
    """A frame sends no header, but the cookie."""
    console.client.cookies.set("_token", console.token)
    assert console.client.get("/pacesetter/").status_code == 200


def test_a_right_on_one_dag_is_none_on_another(console: Console, airflow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow, "is_authorized_dag", lambda *, details, **_: details.id == "sla_check")
    assert console.get("/run", **RUN).status_code == 200
    assert console.get("/run", **RUN | {"dag_id": "reranker_weekly"}).status_code == 403
    assert console.get("/run.json", **RUN | {"dag_id": "reranker_weekly"}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/run.json", "/static/console.js", "/nowhere"])
def test_nothing_of_it_is_framed_by_others_kept_or_guessed(console: Console, path: str) -> None:
    headers = console.get(path, **RUN).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe-inline" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] in ("no-store", "no-cache")
    assert "X-Frame-Options" not in headers  # DENY would shut Airflow's own frame


def test_no_page_needs_an_inline_style_or_script(console: Console) -> None:
    for path in ("/", "/run"):
        html = console.html(path, **RUN)
        assert " style=" not in html
        assert " onclick=" not in html
        assert "<script src=" in html
        assert html.count("<script") == 1
