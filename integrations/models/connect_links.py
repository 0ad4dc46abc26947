"""Links with which a person without a login connects an account, and the addresses that they may lead back to."""

import datetime as dt
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from fieldcamp import formats
from fieldcamp.ids import PrefixedIdField
from fieldcamp.workspace.models import Member
from fieldcamp.workspace.roles import MAY
from integrations.models.connections import Connection, ConnectionState
from integrations.providers import PROVIDERS

LONGEST_RETURN_URL = 500
SCOPE = "integrations:write"  # of a key, to make links with it


class ConnectLinkState(models.TextChoices):
    OPEN = "open", _("Open")
    USED = "used", _("Used")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


class ConnectLinkQuerySet(models.QuerySet["ConnectLink"]):
    def with_state(self, now: dt.datetime) -> Self:
        """Annotates `state`, which follows from facts: what ends a link needs to know nothing of links.

        A link is worth no more than whoever made it: it ends with the key, or the key's scope to make links, and with
        the person's right to connect. It ends with its member too, and when somebody disconnects what it would connect:
        it was asked for before that.
        """
        key_works = Q(key__revoked_at=None) & (Q(key__expires_at=None) | Q(key__expires_at__gt=now))
        by_key = Q(key__isnull=False) & key_works & Q(key_scopes__contains=f'"{SCOPE}"')
        by_person = Q(key=None, user__is_active=True) & (Q(user__is_superuser=True) | Q(Exists(_managers())))
        over = ~(by_key | by_person) | Q(member__is_active=False) | _disconnected_since()
        return self.annotate(
            # As text, in which SQLite can look as well.
            key_scopes=Cast("key__scopes", models.TextField()),
            state=Case(
                When(used_at__isnull=False, then=Value(ConnectLinkState.USED.value)),
                When(revoked_at__isnull=False, then=Value(ConnectLinkState.REVOKED.value)),
                When(expires_at__lte=now, then=Value(ConnectLinkState.EXPIRED.value)),
                When(over, then=Value(ConnectLinkState.REVOKED.value)),
                default=Value(ConnectLinkState.OPEN.value),
                output_field=models.CharField(),
            ),
        )


def _managers() -> models.QuerySet[Member]:
    """Returns the people who may connect accounts, each with the link's maker and company."""
    roles = [role for role, actions in MAY.items() if "connect" in actions]
    mine = Member.objects.filter(user=OuterRef("user"), workspace=OuterRef("workspace"))
    return mine.filter(is_active=True, role__in=roles)


def _disconnected_since() -> Q:
    """Returns whether what the link would connect was disconnected after it was made, or is being left now."""
    same = Connection.objects.filter(workspace=OuterRef("workspace"), integration=OuterRef("integration"))
    since = Q(state=ConnectionState.DISCONNECTED, disconnected_at__gt=OuterRef("created_at"))
    ended = same.filter(since | Q(leaving__isnull=False))
    return Q(Exists(ended.filter(member=OuterRef("member")))) | (Q(member=None) & Q(Exists(ended)))


class ConnectLink(models.Model):
    """A link that connects one account, once: of `member`, or of the company's books where that is empty.

    Its token is kept nowhere, `digest` is its SHA-256. `user` or `key` has made it. `granted` are the scopes that the
    person has consented to when it was used.
    """

    id = PrefixedIdField("cnl", verbose_name=_("id"))
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="connect_links")
    integration = models.CharField(_("integration"), max_length=32)
    member = models.ForeignKey(
        "workspace.Member", models.CASCADE, verbose_name=_("member"), null=True, blank=True,
        related_name="connect_links",
    )  # fmt: skip
    digest = models.CharField(max_length=64, unique=True, editable=False)
    return_url = models.CharField(_("return address"), max_length=LONGEST_RETURN_URL, blank=True)
    created_by = models.CharField(_("created by"), max_length=200, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    key = models.ForeignKey("api.ApiKey", models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    connection = models.ForeignKey(
        "integrations.Connection", models.SET_NULL, verbose_name=_("connection"), null=True, blank=True,
        related_name="connect_links",
    )  # fmt: skip
    granted = models.JSONField(default=list)

    objects = ConnectLinkQuerySet.as_manager()

    state: str  # as `with_state` annotates it

    class Meta:
        verbose_name = _("connect link")
        verbose_name_plural = _("connect links")
        indexes = [models.Index(fields=["workspace", "-id"], name="connect_links_of_workspace")]

    def __str__(self) -> str:
        """Returns `Google Calendar, Fri 27 Nov, 21:00:14`."""
        label = PROVIDERS[self.integration].label if self.integration in PROVIDERS else self.integration
        return f"{label}, {formats.precise(self.created_at)}"


class ReturnAddress(models.Model):
    """An address of the company's own application that connect links may lead back to, as it stands and no other."""

    id = PrefixedIdField("ret", verbose_name=_("id"))
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="return_addresses")
    url = models.CharField(
        _("address"), max_length=LONGEST_RETURN_URL,
        help_text=_("Begins with https:// and is compared letter by letter with what a link asks for."),
    )  # fmt: skip
    created_by = models.CharField(_("created by"), max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("return address")
        verbose_name_plural = _("return addresses")
        ordering = ["url"]
        constraints = [models.UniqueConstraint(fields=["workspace", "url"], name="one_return_address")]

    def __str__(self) -> str:
        return self.url
