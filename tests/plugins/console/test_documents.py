"""Data Docs and evaluations are shown, whatever lies around them is not, and no script of theirs runs."""

from typing import Any

import pytest

from tests.plugins.console.conftest import Console

SECRET = "a secret beside the site"


@pytest.fixture
def filled(console: Console, client: Any) -> Console:
    console.write_all(client)
    for place in (console.docs.parent, console.models, console.docs, console.docs / "results"):
        place.mkdir(exist_ok=True)
        (place / "secret.txt").write_text(SECRET)
    (console.docs.parent / "secret.html").write_text(SECRET)
    (console.docs.with_name("docs-of-others")).mkdir()
    (console.docs.with_name("docs-of-others") / "secret.html").write_text(SECRET)
    (console.docs / "link.html").symlink_to(console.docs.parent / "secret.html")
    (console.models / "evaluations" / "link.html").symlink_to(console.docs.parent / "secret.html")
    (console.models / "evaluations" / "m.queries.parquet").write_text(SECRET)
    (console.models / "secret.html").write_text(SECRET)
    return console


def test_the_site_is_shown_page_by_page(filled: Console) -> None:
    assert filled.html("/data-docs/index.html") == "<h1>Data Docs</h1>"
    assert filled.html(f"/data-docs/{filled.validation}") == "<h1>events</h1>"
    answer = filled.get("/data-docs")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/pacesetter/data-docs/index.html")


def test_an_evaluation_and_the_gates_record_are_shown(filled: Console) -> None:
    assert filled.html(f"/evaluations/{filled.model}.html") == "<h1>the evaluation</h1>"
    assert filled.json(f"/evaluations/{filled.model}.gate.json")["admitted"] is True


@pytest.mark.parametrize(
    "path",
    [
        "/data-docs/../secret.html",
        "/data-docs/%2e%2e/secret.html",
        "/data-docs/..%2fsecret.html",
        "/data-docs/x/../../secret.html",
        "/data-docs/%2e%2e/docs-of-others/secret.html",
        "/data-docs//etc/passwd",
        "/data-docs/%2fetc%2fpasswd",
        "/data-docs/link.html",
        "/data-docs/secret.txt",
        "/data-docs/results/secret.txt",
        "/data-docs/",
        "/data-docs/results",
        "/data-docs/no.html",
        "/data-docs/%00.html",
        f"/data-docs/{'a' * 5000}.html",
        "/evaluations/..%2fsecret.html",
        "/evaluations/../secret.html",
        "/evaluations/link.html",
        "/evaluations/m.queries.parquet",
        "/evaluations/.html",
        "/evaluations/%00.html",
        "/static/..%2fapp.py",
        "/static/%2e%2e/templates/layout.html",
    ],
)
def test_nothing_else_is_shown(filled: Console, path: str) -> None:
    answer = filled.get(path)
    assert answer.status_code == 404
    assert SECRET not in answer.text
    assert "root:" not in answer.text


def test_no_script_of_theirs_runs_and_nothing_is_fetched(filled: Console) -> None:
    (filled.docs / "index.html").write_text("<script>alert(1)</script>")
    for path in ("/data-docs/index.html", f"/evaluations/{filled.model}.html"):
        policy = filled.get(path).headers["Content-Security-Policy"]
        assert "script-src" not in policy
        assert {"default-src 'none'", "form-action 'none'", "sandbox allow-same-origin"} <= set(policy.split("; "))


def test_a_site_that_is_not_there_yet_is_told(console: Console) -> None:
    answer = console.get("/data-docs/index.html")
    assert answer.status_code == 404
    assert "no page index.html in the Data Docs: the task that validates makes them" in answer.text
