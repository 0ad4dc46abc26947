"""`/api/v1/schema`, the OpenAPI document, and `/api/docs`, the reference for people. Both are open without a key."""

import functools
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.cache import patch_vary_headers
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiParameter, extend_schema
from markdown_it import MarkdownIt
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from fieldcamp.api.caching import PUBLIC
from fieldcamp.api.compression import compressed, mark_compressed
from fieldcamp.api.error_codes import ERRORS
from fieldcamp.api.errors import validation_error
from fieldcamp.api.etags import etag_of, is_unchanged
from fieldcamp.api.negotiation import accepts_gzip
from fieldcamp.api.views import ApiView

PAGES = {
    "quickstart": "Quickstart",
    "example": "Example",
    "webhooks": "Webhooks",
    "quickbooks": "QuickBooks",
    "sync-state": "Why a record is synced, or is not",
    "errors": "Errors",
    "changelog": "API changelog",
}
_FILES = {"changelog": "api-changelog.md", "example": "example_app.py"}


@functools.cache
def document() -> tuple[dict[str, Any], str]:
    """Returns the OpenAPI document and its ETag. It changes with the code only, so it is made once in a process."""
    made = SchemaGenerator().get_schema(request=None, public=True)
    return made, etag_of(made)


@functools.cache
def _rendered() -> bytes:
    """Returns its half a megabyte of JSON, made once as well: anybody may ask for it."""
    return JSONRenderer().render(document()[0])


@functools.cache
def _compressed() -> bytes:
    return compressed(_rendered())


class SchemaView(ApiView):
    authentication_classes = []

    @extend_schema(exclude=True, parameters=[OpenApiParameter("format", enum=["json"])])
    def get(self, request: Request) -> HttpResponse:
        """The OpenAPI document. Generators of clients ask for `format=json`, which is the only one."""
        if request.query_params.get("format", "json") != "json":
            raise validation_error({"format": ["Must be json."]})
        headers = {"ETag": document()[1], **PUBLIC}
        if is_unchanged(request, headers["ETag"]):
            return HttpResponse(status=304, headers=headers)
        in_gzip = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        content = _compressed() if in_gzip else _rendered()
        response = HttpResponse(content, headers=headers, content_type="application/json")
        patch_vary_headers(response, ("Accept-Encoding",))
        if in_gzip:
            mark_compressed(response)
        return response


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """Returns the browsable reference. Its scripts are ours, so that it works without any other host."""
    folder = "drf_spectacular_sidecar/swagger-ui-dist"
    assets = {"css": static(f"{folder}/swagger-ui.css"), "script": static(f"{folder}/swagger-ui-bundle.js")}
    return _public(render(request, "api/reference.html", {**assets, "pages": PAGES}))


@functools.cache
def _html(name: str) -> str:
    file = _FILES.get(name, f"{name}.md")
    text = (settings.BASE_DIR / "docs" / file).read_text()
    if not file.endswith(".md"):
        text = f"# {PAGES[name]}\n\n`{file}`\n\n```python\n{text}```\n"
    for page in PAGES:
        text = text.replace(f"]({_FILES.get(page, f'{page}.md')}", f"](/api/docs/{page}")
    html: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    for wide in ("pre", "table"):  # they are scrolled sideways, by keyboard as well
        html = html.replace(f"<{wide}>", f'<{wide} tabindex="0">')
    if name == "errors":  # where `doc_url` leads
        for code in ERRORS:
            html = html.replace(f"<td><code>{code}</code></td>", f'<td id="{code}"><code>{code}</code></td>', 1)
    return html


@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Returns a page of docs/ as it is in the repository."""
    if name not in PAGES:
        raise Http404
    text = mark_safe(_html(name).replace("http://127.0.0.1:8000", settings.PUBLIC_URL))  # noqa: S308  # our own file
    return _public(render(request, "api/page.html", {"title": PAGES[name], "text": text, "pages": PAGES}))


def _public(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = PUBLIC["Cache-Control"]
    return response
