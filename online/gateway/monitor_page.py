"""`/monitor`: the page that shows /monitor.json, and its files. Nothing of it comes from another origin.

The page is made of names that this code chose; every figure, and every text that somebody else chose, is put in by its
script as text.
"""

from flask import Blueprint, Response, render_template

from contract.levels import LEVELS
from contract.metrics import MODEL_PARTS, PARTS
from online.gateway.monitor import SNAPSHOT_SECONDS, WINDOWS_MINUTES
from online.gateway.series import QUANTILES

FIRST_WINDOW_MINUTES = 5
# No inline script or style runs, and with trusted types no text becomes markup.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)


def monitor_page_blueprint() -> Blueprint:
    blueprint = Blueprint(
        "monitor_page",
        __name__,
        template_folder="page",
        static_folder="page/static",
        static_url_path="/monitor",
    )

    @blueprint.get("/monitor")
    def monitor() -> str:
        return render_template(
            "monitor.html",
            parts=PARTS,
            model_parts=MODEL_PARTS,
            levels=LEVELS,
            quantiles=tuple(QUANTILES),
            windows=WINDOWS_MINUTES,
            first_window=FIRST_WINDOW_MINUTES,
            step_seconds=int(SNAPSHOT_SECONDS),
        )

    @blueprint.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        # Asked for again each time, and sent again only where it changed: no file of an older release stays behind.
        response.headers["Cache-Control"] = "no-cache"
        return response

    return blueprint
