"""What is written down of signing in: a line in the log always, an audit entry where the person has a company."""

from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponseBase

from fieldcamp.signin.addresses import client_address
from fieldcamp.workspace.audit import audit
from fieldcamp.workspace.models import Member

log = structlog.get_logger(__name__)


def succeeded(request: HttpRequest, user: Any, factor: str = "") -> None:
    address = client_address(request)
    log.info("login_succeeded", user_id=user.pk, address=address, factor=factor)
    note("login.succeeded", user, address=address, factor=factor)


def failed(request: HttpRequest, user: Any, step: str) -> None:
    """Writes a failed try down. `user` is None for a name that nobody has; the name itself may be a mistyped
    password."""
    address = client_address(request)
    log.warning("login_failed", user_id=user.pk if user else None, address=address, step=step)
    note("login.failed", user, address=address, step=step)


def throttled(request: HttpRequest, user: Any, step: str, first: bool) -> None:
    """Writes a refused try down; in the audit trail only the first of a minute, or it could be flooded."""
    address = client_address(request)
    log.warning("login_throttled", user_id=user.pk if user else None, address=address, step=step)
    if first:
        note("login.throttled", user, address=address, step=step)


def note(action: str, user: Any, actor: str | None = None, **facts: Any) -> None:
    """Writes an audit entry about the person's login, by themselves unless `actor` is given, with each of their
    companies."""
    for member in Member.objects.filter(user=user).order_by("pk") if user else ():
        audit(
            action,
            workspace_id=member.workspace_id,
            object_id=member.pk,
            object_name=str(member),
            actor=str(member) if actor is None else actor,
            after={name: value for name, value in facts.items() if value},
        )


def after(response: HttpResponseBase, work: Callable[[], object]) -> None:
    """Has `work` done when the response has been sent, so that its time tells the caller nothing."""

    def guarded() -> None:
        try:
            work()
        except Exception:
            log.exception("work_after_response_failed")

    response._resource_closers.append(guarded)  # type: ignore[attr-defined]
