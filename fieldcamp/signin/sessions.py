"""Sessions of a person: when they end by themselves, which there are, ending them; and when somebody has last shown
that it is still them. The rows are allauth's (`allauth.usersessions`)."""

import datetime as dt
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from fieldcamp.desk.users import DeskUser
from fieldcamp.signin.addresses import client_address
from fieldcamp.workspace.models import Role

SINCE, SEEN, CONFIRMED = "signin_since", "signin_seen", "signin_confirmed"  # in the session, Unix seconds
NOTED_EVERY = 300  # seconds between two notes that a session is in use
FRESH = 900  # seconds for which a password or factor counts as just given


def on_signed_in(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Begins the session's clocks: whoever is signed in has just shown that it is them."""
    request.session[SINCE] = request.session[SEEN] = request.session[CONFIRMED] = _now()
    if not request.session.session_key:
        request.session.save()
    _note_use(request, user)


def on_signing_out(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Forgets the session that ends now."""
    if user and request.session.session_key:
        UserSession.objects.filter(session_key=request.session.session_key).delete()


def _now() -> int:
    return int(timezone.now().timestamp())


# --- in use, idle ---------------------------------------------------------------------------------------------------


def is_over(request: HttpRequest, desk_user: DeskUser) -> bool:
    """Returns whether the session ends: everybody's after SESSION_COOKIE_AGE, however much it is used, and that of
    somebody who manages when they have done nothing for SESSION_IDLE_HOURS."""
    since = request.session.get(SINCE)
    if since is not None and _now() - since >= settings.SESSION_COOKIE_AGE:
        return True
    roles = {member.role for member in desk_user.members}  # in whichever company: the login is one
    manages = desk_user.is_superuser or not roles.isdisjoint((Role.OWNER, Role.ADMIN))
    last = request.session.get(SEEN)
    return manages and last is not None and _now() - last >= settings.SESSION_IDLE_HOURS * 3600


def use(request: HttpRequest) -> None:
    """Notes that the person is doing something, once in a few minutes. What a page fetches by itself is no use."""
    if "HX-Request" in request.headers and request.method == "GET":
        return
    last = request.session.get(SEEN)
    if last is None or _now() - last >= NOTED_EVERY:
        request.session[SEEN] = _now()
        request.session.setdefault(SINCE, _now())
        if request.session.session_key:
            _note_use(request, request.user)


def _note_use(request: HttpRequest, user: Any) -> None:
    values = {
        "ip": client_address(request),
        "user_agent": request.META.get("HTTP_USER_AGENT", "")[:200],
        "last_seen_at": timezone.now(),
    }
    key = request.session.session_key
    UserSession.objects.update_or_create(session_key=key, defaults={**values, "user": user})


# --- all of one person ----------------------------------------------------------------------------------------------


def sessions_of(user: User) -> list[UserSession]:
    """Returns the person's sessions that are still good, the one used last first."""
    found: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(found, key=lambda row: row.last_seen_at, reverse=True)


def end(user: User, pk: int) -> bool:
    """Ends one session of the person; whether there was such a one."""
    row = UserSession.objects.filter(user=user, pk=pk).first()
    if row:
        row.end()
    return row is not None


def prune(now: dt.datetime) -> int:
    """Forgets sessions that have ended; how many."""
    Session.objects.filter(expire_date__lt=now).delete()
    ended = now - dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    count, _ = UserSession.objects.filter(last_seen_at__lt=ended).delete()
    return count


def browser_of(row: UserSession) -> str:
    """Returns the browser and system in a few words, as far as its own words tell."""
    agent = row.user_agent
    names = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS"}
    name = next((name for mark, name in names.items() if mark in agent), "")
    system = next((system for mark, system in {**systems, "Linux": "Linux"}.items() if mark in agent), "")
    return ", ".join(filter(None, (name, system))) or agent[:60]


# --- still the same person ------------------------------------------------------------------------------------------


def is_fresh(request: HttpRequest) -> bool:
    """Returns whether the person has given password or factor within the last minutes."""
    return _now() - request.session.get(CONFIRMED, 0) < FRESH


def confirm(request: HttpRequest) -> None:
    request.session[CONFIRMED] = _now()
