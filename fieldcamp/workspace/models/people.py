"""The company, its people and its clients."""

import functools
import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext_lazy as _

from fieldcamp.formats import HOME
from fieldcamp.ids import PrefixedIdField
from fieldcamp.workspace.names import Names
from fieldcamp.workspace.tracking import TrackedModel, list_indexes


@functools.cache
def known_timezones() -> frozenset[str]:
    """Returns all names of the IANA database, without those that mean the server's own zone or none; reading them from
    the disk takes milliseconds."""
    return frozenset(name for name in zoneinfo.available_timezones() if name.lower() not in ("localtime", "factory"))


def validate_timezone(name: str) -> None:
    if name not in known_timezones():
        raise ValidationError(f"{name!r} is not a time zone of the IANA database, such as America/New_York.")


def validate_emails(text: str) -> None:
    """Refuses what is neither an e-mail address nor several, separated by commas."""
    for address in text.split(","):
        validate_email(address.strip())


# What an address is made of, in the order in which it is written.
ADDRESS_PARTS = ("street", "city", "state", "postalCode", "country")


class Workspace(models.Model):
    """One company. Everything else belongs to exactly one."""

    class SecondFactor(models.TextChoices):
        """Of whom a second step at the sign-in is demanded; everybody else may have one."""

        NOBODY = "nobody", _("Whoever wants it")
        MANAGERS = "managers", _("Owners and admins must")
        ALL = "all", _("Everybody must")

    id = PrefixedIdField("wsp", verbose_name=_("id"))
    name = models.CharField(_("name"), max_length=120)
    timezone = models.CharField(
        _("timezone"), max_length=64, default="America/New_York", validators=[validate_timezone]
    )
    # What amounts are shown in, by its ISO 4217 code. That of its books, once they are connected, whichever it is.
    currency = models.CharField(_("currency"), max_length=3, default=HOME)
    daily_request_limit = models.PositiveIntegerField(
        _("daily request limit"),
        default=10_000,
        null=True,
        blank=True,
        help_text=_("API calls a UTC day over all keys. Empty: no cap."),
    )
    second_factor = models.CharField(
        _("second step at the sign-in"), max_length=10, choices=SecondFactor.choices, default=SecondFactor.NOBODY,
        help_text=_("An authenticator app or a passkey, beside the password. Who must have one sets it up first."),
    )  # fmt: skip
    # The highest number that documents elsewhere (in connected books) have: the next invoice's is above it.
    numbers_taken_to = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    STAFF = "staff", _("Staff")
    VIEWER = "viewer", _("Viewer")


class Member(models.Model):
    """A person of the company, with or without a login. `role` is for the desk, `is_technician` for the schedule."""

    id = PrefixedIdField("mem", verbose_name=_("id"))
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="members")
    # The login; one that belongs to several companies has a member in each of them.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="members")
    login_ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    first_name = models.CharField(_("first name"), max_length=80)
    last_name = models.CharField(_("last name"), max_length=80, blank=True)
    email = models.EmailField(_("email"), blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.STAFF)
    is_technician = models.BooleanField(_("is technician"), default=False)
    is_active = models.BooleanField(_("is active"), default=True)
    weekly_summary = models.BooleanField(
        _("weekly summary"),
        default=True,
        help_text=_("A mail each Monday: what was synced, and what waits for a person. Owners and admins."),
    )
    # Which mails they want or not, where that is not as their role has it: {kind: wanted} (`workspace.notices`).
    notices = models.JSONField(default=dict, blank=True, editable=False)
    # When they last looked at the first page, and when their last sitting before this one ended.
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When the last mail of new problems was written to them: the claim of the next one.
    problems_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    tour_dismissed = models.BooleanField(default=False)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        ordering = ["first_name", "last_name", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_member_per_login")]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Client(TrackedModel):
    """A customer of the company, or a place of one (`parent`). One that was merged into another (`merged_into`) is
    deleted.

    It has a first name, a company name or a name of its own: the display name, under which the books and people know
    it whatever the others are.
    """

    kind = "client"
    tracked = (
        "first_name", "last_name", "company_name", "display_name", "email", "phone_number", "billing_address",
        "property_address", "stage", "parent_id", "deleted_at",
    )  # fmt: skip

    id = PrefixedIdField("cli", verbose_name=_("id"))
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="clients")
    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    last_name = models.CharField(_("last name"), max_length=80, blank=True)
    company_name = models.CharField(_("company name"), max_length=120, blank=True)
    display_name = models.CharField(
        _("display name"), max_length=500, blank=True, help_text=_("Empty: the company's name, or the person's.")
    )
    parent = models.ForeignKey(
        "self", models.SET_NULL, verbose_name=_("place of"), null=True, blank=True, related_name="places",
        editable=False,
    )  # fmt: skip
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, verbose_name=_("merged into"), null=True, blank=True, related_name="merged",
        editable=False,
    )  # fmt: skip
    email = models.CharField(
        _("email"), max_length=254, blank=True, validators=[validate_emails],
        help_text=_("Several are separated by commas."),
    )  # fmt: skip
    phone_number = models.JSONField(
        _("phone number"), default=dict, blank=True, help_text=_("countryCode, number, countryIdentifier")
    )
    billing_address = models.JSONField(
        _("billing address"), default=dict, blank=True, help_text=_("street, city, state, postalCode, country")
    )
    property_address = models.JSONField(
        _("property address"), default=dict, blank=True, help_text=_("street, city, state, postalCode, country")
    )
    stage = models.CharField(_("stage"), max_length=40, default="Active Client")

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ["id"]
        indexes = list_indexes("client")

    def __str__(self) -> str:
        return f"{self.parent.own_name}: {self.own_name}" if self.parent else self.own_name

    @property
    def names(self) -> Names:
        return Names(self.first_name, self.last_name, self.company_name)

    @property
    def own_name(self) -> str:
        """Returns what it is called, without whose place it is."""
        return self.display_name or self.names.own or self.id

    @property
    def address(self) -> str:
        """Returns where the work is done, on one line."""
        place = self.property_address or self.billing_address or {}
        parts = (place.get(name) for name in ADDRESS_PARTS)
        return ", ".join(part for part in parts if part)
