"""What the vendors' pages for people share: templates, the style sheet, the list of vendors."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fieldcamp.sandbox.http import Response, json_response
from fieldcamp.sandbox.vendor import Vendor

HERE = Path(__file__).parent
SCRIPT = "text/javascript; charset=UTF-8"
STYLE = "text/css; charset=UTF-8"
STATIC = {"sandbox.css": STYLE, "books.css": STYLE, "week.js": SCRIPT, "submit.js": SCRIPT}

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """An HTML page made from a template."""
    body = _templates.get_template(template).render(**values)
    response = Response(status, body.encode("utf-8", "replace"))
    response.headers["Content-Type"] = "text/html; charset=UTF-8"
    response.headers["Cache-Control"] = "no-store"
    # No form-action: a consent form's answer redirects to the client's own address, which that rule would block.
    response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    return response


def index(vendors: Iterable[Vendor]) -> Response:
    """The front page."""
    return page("index.html", vendors=list(vendors))


def static(path: str) -> Response:
    """A style sheet or script."""
    name = path.removeprefix("/static/")
    if name not in STATIC:
        return json_response({"error": "There is no such file."}, 404)
    response = Response(200, (HERE / "static" / name).read_bytes())
    response.headers["Content-Type"] = STATIC[name]
    return response
