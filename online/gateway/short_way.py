"""A Flask app that answers requests to one path without what Flask does around a view."""

from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from online.gateway.problems import problem_of

METHODS = frozenset({"GET", "HEAD", "POST"})


class ShortWayFlask(Flask):
    """`answer` is given the WSGI environment of a request to `path`, and gives what answers it as a WSGI application.

    Around a view Flask makes a request, two contexts, a session, a URL adapter and a response, and tells signals.
    Nothing of it shows in the answers to this path, and beside a model, where caches are full of other things, it took
    a fifth of a call (docs/decisions/http-server.md). In turn there is no `flask.request`, and hooks around requests
    do not see these. Whatever is not plainly such a request (another method, another spelling of the path, an upgrade
    of the connection) goes Flask's ordinary way, where the path is to have a route with the same answer.
    """

    def __init__(self, import_name: str, path: str, answer: Callable[[WSGIEnvironment], WSGIApplication]) -> None:
        super().__init__(import_name, static_folder=None)
        self._path = path
        self._answer = answer

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self._is_short(environ):
            return super().wsgi_app(environ, start_response)
        try:
            answer = self._answer(environ)
        except Exception as error:
            answer = problem_of(error, environ)
        return answer(environ, start_response)

    def _is_short(self, environ: WSGIEnvironment) -> bool:
        return (
            environ.get("PATH_INFO") == self._path
            and environ["REQUEST_METHOD"] in METHODS
            and "HTTP_UPGRADE" not in environ
        )
