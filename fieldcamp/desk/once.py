"""Pages that a deed answers by itself, because they show what is kept nowhere: a secret, a link, codes.

A browser that loads such a page again sends the form again. Each form that was rendered bears a token of its own (the
masked one against forgery), so the same bytes to the same address are the same delivery, and are done once.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext

View = TypeVar("View", bound=Callable[..., Any])

_KNOWN = "desk_once"  # in the session: {digest of what was sent: where its result stands}
_MOST = 30
_RESULT = "_once_result"


def once(view: View) -> View:
    """Does what is posted once: the same delivery again leads to where its result stands, says so, and changes
    nothing. A view says with `done_once` that it has done something; what it has refused may be sent again."""

    @wraps(view)
    def inner(*args: Any, **kwargs: Any) -> Any:
        request = next(each for each in args if isinstance(each, HttpRequest))
        if request.method != "POST" or "csrfmiddlewaretoken" not in request.POST:
            return view(*args, **kwargs)
        digest = _digest(request)
        result = _claim(request, digest)
        if result is not None:
            # Where nothing is known of the first one, it runs still, or its process has ended in the middle of it.
            said = (
                gettext("This was done already, and nothing was done again. What was shown then is shown once only.")
                if result
                else gettext("This was sent already, and is not done a second time. Look whether it is done by now.")
            )
            messages.info(request, said)
            return HttpResponseRedirect(result or request.path.removesuffix("add/"))
        try:
            response = view(*args, **kwargs)
        finally:
            _settle(request, digest, getattr(request, _RESULT, None))
        return response

    return cast(View, inner)


def done_once(request: HttpRequest, result: str) -> None:
    """Says that the deed is done, and where its result stands, without what is shown once."""
    setattr(request, _RESULT, result)


def _digest(request: HttpRequest) -> str:
    fields = sorted((name, values) for name, values in request.POST.lists())
    return hashlib.sha256(repr((request.get_full_path(), fields)).encode()).hexdigest()[:32]


def _claim(request: HttpRequest, digest: str) -> str | None:
    """Returns None if this delivery is the first; else where the first one's result stands, "" while it is not known.

    The session's row is locked: two deliveries at once are two requests, each with a copy of its own.
    """

    def claim(known: dict[str, str]) -> str | None:
        if digest in known:
            return known[digest]
        known[digest] = ""
        return None

    return _changed(request, claim)


def _settle(request: HttpRequest, digest: str, result: str | None) -> None:
    def settle(known: dict[str, str]) -> None:
        if result is None:
            known.pop(digest, None)
        else:
            known[digest] = result

    _changed(request, settle)


def _changed(request: HttpRequest, change: Callable[[dict[str, str]], Any]) -> Any:
    """Changes what the session knows of deliveries: in the database, and in this request's copy of it."""
    with transaction.atomic():
        row = Session.objects.select_for_update().filter(session_key=request.session.session_key).first()
        data = row.get_decoded() if row else {}
        known = dict(data.get(_KNOWN, {}))
        answer = change(known)
        known = dict(list(known.items())[-_MOST:])
        if row:
            row.session_data = request.session.encode({**data, _KNOWN: known})
            row.save(update_fields=["session_data"])
    request.session[_KNOWN] = known
    return answer
