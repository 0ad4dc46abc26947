"""What is written down of signing in: a line in the log, and what Django does not tell of in the audit trail."""

from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponseBase

from fieldcamp.signin.addresses import client_address
from fieldcamp.workspace.sign_ins import audit_login

log = structlog.get_logger(__name__)

PASSWORD = "password"  # noqa: S105  # the first step of a sign-in


def succeeded(request: HttpRequest, user: Any, factor: str = "") -> None:
    log.info("login_succeeded", user_id=user.pk, address=client_address(request), factor=factor)


def failed(request: HttpRequest, user: Any, step: str) -> None:
    """Writes a failed try down. `user` is None for a name that nobody has; the name itself may be a mistyped
    password. Django tells the audit trail of wrong passwords at the sign-in (`workspace.sign_ins`), of nothing else."""
    address = client_address(request)
    log.warning("login_failed", user_id=user.pk if user else None, address=address, step=step)
    if step != PASSWORD:
        audit_login("failed", user, actor="", after={"step": step, "address": address})


def throttled(request: HttpRequest, user: Any, step: str, first: bool) -> None:
    """Writes a refused try down; in the audit trail only the first of a minute, or it could be flooded."""
    address = client_address(request)
    log.warning("login_throttled", user_id=user.pk if user else None, address=address, step=step)
    if first:
        audit_login("throttled", user, actor="", after={"step": step, "address": address})


def note(action: str, user: Any, actor: str | None = None, **facts: Any) -> None:
    """Writes `login.<action>` about the person's login down, by themselves unless `actor` is given."""
    audit_login(action, user, actor=actor, after={name: value for name, value in facts.items() if value})


def after(response: HttpResponseBase, work: Callable[[], object]) -> None:
    """Has `work` done when the response has been sent, so that its time tells the caller nothing."""

    def guarded() -> None:
        try:
            work()
        except Exception:
            log.exception("work_after_response_failed")

    response._resource_closers.append(guarded)  # type: ignore[attr-defined]
