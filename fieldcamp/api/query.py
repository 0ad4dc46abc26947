"""The query parameters of a call, held to those that the reference lists: what is misspelt is no filter, and an answer
without it would look like one with it; nor is it a flag of a write, which would do something else than was meant."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from fieldcamp.api.errors import validation_error

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@lru_cache(maxsize=1024)
def query_parameters(view: Any, method: str) -> Mapping[str, bool]:
    """Returns the query parameters that the reference lists for this operation of a view (its class): name → whether it
    may be repeated."""
    described = getattr(getattr(view, method.lower(), None), "kwargs", {}).get("schema")
    if described is None:
        return {}
    schema = described()
    schema.view, schema.method = _bare(view), method
    found = [each for each in schema.get_override_parameters() if isinstance(each, OpenApiParameter)]
    return {each.name: _is_list(each) for each in found if each.location == OpenApiParameter.QUERY}


def refuse_unknown(request: Request, view: Any) -> None:
    """Raises 400 naming each parameter that this operation does not have, or that is given twice and takes one
    value."""
    method = "GET" if request.method == "HEAD" else request.method or ""
    if not request.query_params or method not in _METHODS:
        return
    known = query_parameters(view, method)
    wrong: dict[str, list[str]] = {}
    for name, values in request.query_params.lists():
        if name not in known:
            wrong[name] = [f"There is no such parameter here.{_suggestion(name, known)}"]
        elif len(values) > 1 and not known[name]:
            wrong[name] = ["It is given more than once, and takes one value."]
    if wrong:
        raise validation_error(wrong)


def _suggestion(name: str, known: Mapping[str, bool]) -> str:
    lowered = {each.lower().replace("_", ""): each for each in known}
    near = get_close_matches(name.lower().replace("_", ""), lowered, n=1)
    if near:
        return f" Did you mean {lowered[near[0]]}?"
    return f" Known are {', '.join(sorted(known))}." if known else " This address takes none."


def _is_list(parameter: OpenApiParameter) -> bool:
    schema: Any = parameter.type
    return parameter.many or (isinstance(schema, dict) and schema.get("type") == "array")


def _bare(view: Any) -> Any:
    """Returns a view without a request, as the reference looks at it."""
    bare: Any = view()
    bare.request, bare.kwargs = None, {}
    return bare
