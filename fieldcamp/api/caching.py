"""What may be kept of an answer on its way: nothing, unless the view has said otherwise.

RFC 9111 §3.5 keeps shared caches from what answers to `Authorization`, but knows nothing of `X-Api-Key` or sessions,
and browsers keep pages on their disk. Conditional requests work all the same: whoever calls the API keeps ETags itself.
"""

from typing import Any

from django.http import HttpResponseBase
from django.utils.cache import add_never_cache_headers, patch_vary_headers

KEY_HEADERS = ("Authorization", "X-Api-Key")
# Documents that are the same for everybody, and change with the code alone.
PUBLIC = {"Cache-Control": "public, max-age=300"}


def keep_nowhere(response: HttpResponseBase, *, of_api: bool) -> None:
    """Marks the answer: of the API, to be kept nowhere and different for each key; a page, kept nowhere."""
    answer: Any = response
    if of_api:
        answer.headers.setdefault("Cache-Control", "no-store")
        patch_vary_headers(answer, KEY_HEADERS)
    elif "Cache-Control" not in answer:
        add_never_cache_headers(answer)
