"""Registers the page and the tab with Airflow. Each of its processes executes this file, tasks too: it loads little."""

from collections.abc import Awaitable, Callable
from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/pacesetter"


class OnFirstRequest:
    """The ASGI application that `make` makes, made when it is first asked: an error in it is an answer of 500, and
    leaves the rest of the API server alone."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
        if self._app is None:
            self._app = self._make()
        await self._app(scope, receive, send)


def console() -> Any:
    from pacesetter_airflow.console.app import create_app

    return create_app()


class PacesetterConsole(AirflowPlugin):
    """A page in the navigation, and a tab on every DAG run. Hrefs are relative to Airflow's own base."""

    name = "pacesetter"
    fastapi_apps = [{"app": OnFirstRequest(console), "url_prefix": PREFIX, "name": "Pacesetter"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Pacesetter",
            "href": "pacesetter/",
            "destination": "nav",
            "url_route": "pacesetter",
            "icon": "pacesetter/static/icon.svg",
            "nav_top_level": True,
        },
        {
            "name": "Pacesetter",
            "href": "pacesetter/run?dag_id={DAG_ID}&run_id={RUN_ID}",
            "destination": "dag_run",
            "url_route": "pacesetter-run",
            "icon": "pacesetter/static/icon.svg",
        },
    ]
