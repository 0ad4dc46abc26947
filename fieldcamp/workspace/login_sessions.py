"""Ending the sessions of a login. Each is noted in allauth's table when its person signs in (`fieldcamp.signin`)."""

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User


def end_sessions(user: User, *, keep: str = "") -> int:
    """Signs the person out everywhere but in the session with this key; how many sessions these were."""
    rows = list(UserSession.objects.filter(user=user).exclude(session_key=keep))
    for row in rows:
        row.end()
    return len(rows)
