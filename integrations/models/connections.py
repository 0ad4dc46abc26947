"""Who is connected with what: the integration of a workspace, its accounts, their grants and streams."""

from collections.abc import Collection
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fieldcamp.encryption import EncryptedField
from fieldcamp.ids import PrefixedIdField
from fieldcamp.workspace.models import Member
from integrations.models.accounts import AccountQuerySet, OfAccount


class WorkspaceIntegration(models.Model):
    """One integration of one workspace: its schedule, its change feed's counter, its last good run.

    `feed_seq` numbers the change feed under this row's lock, so that rows become visible in the order of their
    numbers. `watermark` is the `feed_seq` that the last successful incremental sync ended with.
    """

    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="integrations")
    integration = models.CharField(max_length=32)
    interval_minutes = models.PositiveIntegerField(default=30)
    interval_chosen = models.BooleanField(default=False)  # by a person
    next_sync_at = models.DateTimeField(null=True, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)
    last_direction = models.CharField(max_length=14, blank=True)
    feed_seq = models.BigIntegerField(default=0)
    feed_pruned_to = models.BigIntegerField(default=0)
    watermark = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    # Whether saved records are synced soon after, or wait for the schedule.
    sync_on_save = models.BooleanField(default=True)
    # Whether what an API key starts is a plan first, which somebody else approves before it is applied.
    approves_plans = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "integration"], name="one_row_per_integration")]
        indexes = [models.Index(fields=["next_sync_at"], name="integration_due")]

    def __str__(self) -> str:
        return f"{self.integration} of {self.workspace_id}"


class ConnectionState(models.TextChoices):
    SETUP = "setup", _("Set-up not finished")
    ACTIVE = "active", _("Connected")
    PAUSED = "paused", _("Paused")
    NEEDS_RECONNECT = "needs_reconnect", _("Needs reconnect")
    NEEDS_PERMISSION = "needs_permission", _("Needs permission")
    MEMBER_INACTIVE = "member_inactive", _("Person not active")
    DISCONNECTED = "disconnected", _("Disconnected")


USABLE = (ConnectionState.ACTIVE, ConnectionState.PAUSED)
BROKEN = (ConnectionState.NEEDS_RECONNECT, ConnectionState.NEEDS_PERMISSION)


class NotConnectedReason(models.TextChoices):
    """Why an integration cannot sync at all, as `details.reason` of INTEGRATION_NOT_CONNECTED says it."""

    NEVER_CONNECTED = "never_connected"
    DISCONNECTED = "disconnected"
    NEEDS_RECONNECT = "needs_reconnect"
    NEEDS_PERMISSION = "needs_permission"
    MEMBER_INACTIVE = "member_inactive"


def not_connected_reason(states: Collection[str]) -> NotConnectedReason | None:
    """Returns why none of the connections in these states can sync; None if one can."""
    if any(state in states for state in USABLE):
        return None
    for state in (
        ConnectionState.NEEDS_RECONNECT,
        ConnectionState.NEEDS_PERMISSION,
        ConnectionState.MEMBER_INACTIVE,
        ConnectionState.DISCONNECTED,
    ):
        if state in states:
            return NotConnectedReason(state.value)
    return NotConnectedReason.NEVER_CONNECTED


class ConnectionQuerySet(AccountQuerySet["Connection"]):
    def usable(self) -> Self:
        """Returns those that can sync when asked by hand. (The schedule leaves paused ones alone.)"""
        return self.filter(state__in=USABLE).of_active_people()

    def active(self) -> Self:
        """Returns those that are well."""
        return self.filter(state=ConnectionState.ACTIVE).of_active_people()

    def of_active_people(self) -> Self:
        """Leaves out those whose person does not work here any more, also where their state does not say so yet."""
        return self.exclude(member__in=Member.objects.filter(is_active=False))

    def leaving(self) -> Self:
        """Returns those out of which our events are being taken away."""
        return self.filter(leaving__isnull=False)

    def scheduled(self) -> Self:
        """Returns those that the schedule may use: the active ones, and at their `retry_at` those that were given up by
        nobody but us, without the provider's final word."""
        given_up = Q(state=ConnectionState.PAUSED) | Q(state__in=BROKEN, refused_at__isnull=False)
        tried_again = given_up & Q(paused_by_person=False, retry_at__isnull=False)
        return self.filter(Q(state=ConnectionState.ACTIVE) | tried_again).of_active_people()

    def in_state(self, state: str) -> Self:
        """Returns those whose `state_now` this is: each is in exactly one."""
        if state in USABLE:
            return self.filter(state=state).of_active_people()
        left = Q(state__in=USABLE, member__in=Member.objects.filter(is_active=False))
        whose = Q(state=state) | left if state == ConnectionState.MEMBER_INACTIVE else Q(state=state)
        return self.filter(whose)

    def connected(self) -> Self:
        """Returns those that are not disconnected, whatever they lack."""
        return self.exclude(state=ConnectionState.DISCONNECTED)


class Connection(OfAccount):
    """One authorized account, bound to one member (calendars) or to the workspace (books).

    Disconnecting keeps the row, its links and its history; connecting the same account again takes it up where it was.
    """

    id = PrefixedIdField("con")
    workspace = models.ForeignKey("workspace.Workspace", models.CASCADE, related_name="connections")
    member = models.ForeignKey(
        "workspace.Member", models.SET_NULL, verbose_name=_("member"), null=True, blank=True, related_name="connections"
    )
    account_name = models.CharField(_("account name"), max_length=255)
    state = models.CharField(_("state"), max_length=20, choices=ConnectionState, default=ConnectionState.SETUP)
    state_reason = models.CharField(max_length=300, blank=True)
    paused_by_person = models.BooleanField(default=False)
    connected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    connected_at = models.DateTimeField(null=True, blank=True)
    disconnected_at = models.DateTimeField(null=True, blank=True)
    revoked_at_provider = models.DateTimeField(null=True, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)
    # When the provider may be asked again; where we have given an account up by ourselves, when it is tried once more.
    retry_at = models.DateTimeField(null=True, blank=True)
    # Since when an API does not accept an access that is good by the token endpoint's word (`accounts.state`).
    refused_at = models.DateTimeField(null=True, blank=True)
    # Calls that the provider bills, a day (UTC); 0: no limit; None: as the installation has it.
    metered_reads_per_day = models.PositiveIntegerField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    # After a failure no push and no saved record starts a job before.
    backs_off_until = models.DateTimeField(null=True, blank=True)
    # Our events are being taken away there, and nothing else is done: {"disconnect": afterwards?, "by": who, "tries"}
    leaving = models.JSONField(null=True, blank=True)
    # What its freshness is counted from: its last whole sync, or later than that when it was put on (another) schedule.
    fresh_from = models.DateTimeField(null=True, blank=True)
    # Since when its data has been older than it should be, why (`selectors.stalls`), and when its people were told.
    stalled_at = models.DateTimeField(null=True, blank=True)
    stall_cause = models.CharField(max_length=24, blank=True)
    stalled_told_at = models.DateTimeField(null=True, blank=True)
    # A change-feed read takes in what is pending at the provider: one reader at a time, and not again while fresh.
    observed_at = models.DateTimeField(null=True, blank=True)
    observing_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "integration", "account_digest"], name="one_connection_per_account"
            ),
            models.UniqueConstraint(
                fields=["member", "integration"],
                condition=Q(member__isnull=False) & ~Q(state="disconnected"),
                name="one_connection_per_member",
            ),
        ]

    def __str__(self) -> str:
        return self.account_name

    @property
    def usable(self) -> bool:
        """Returns whether it can sync when asked by hand. (The schedule leaves paused connections alone.)"""
        return self.state_now in USABLE

    @property
    def state_now(self) -> str:
        """Returns its state, also where its person has left so lately that the row does not say it yet."""
        left = self.state in USABLE and self.member is not None and not self.member.is_active
        return ConnectionState.MEMBER_INACTIVE if left else self.state

    @property
    def given_up(self) -> bool:
        """Returns whether it was FieldCamp that gave it up, without a person's or the provider's word: the schedule
        tries it again."""
        paused = self.state == ConnectionState.PAUSED and not self.paused_by_person
        return paused or (self.state in BROKEN and self.refused_at is not None)


class OAuthGrant(models.Model):
    """The tokens of one connection, encrypted. `version` moves with every new token; `refresh_claimed_until` makes
    one of many callers the one who refreshes (integrations/grants.py)."""

    connection = models.OneToOneField(Connection, models.CASCADE, related_name="grant")
    access_token = EncryptedField(blank=True)
    refresh_token = EncryptedField(blank=True)
    answer = EncryptedField(blank=True, help_text=_("The token endpoint's whole answer, as JSON."))
    scopes = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    refresh_expires_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    refresh_claimed_until = models.DateTimeField(null=True, blank=True)
    granted_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    # How many days ahead its end was told of last, by mail; none since it was renewed: None.
    end_told_days = models.PositiveSmallIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"grant of {self.connection_id}"


class Direction(models.TextChoices):
    TWO_WAY = "two_way", _("Both ways")
    PUSH = "push", _("FieldCamp to calendar only")
    PULL = "pull", _("Calendar to FieldCamp only")


class ConflictPolicy(models.TextChoices):
    """Who wins where both sides changed the same field."""

    LOCAL = "local", _("FieldCamp wins")
    REMOTE = "remote", _("The other side wins")
    ASK = "ask", _("Ask a person")


class Stream(models.Model):
    """One container of a connection, with a cursor of its own: a calendar (visits go to the target, busy time is read
    where `reads_busy` is set), or the books' records of one `kind`."""

    id = PrefixedIdField("str")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="streams")
    container_id = models.CharField(max_length=255)
    container_name = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=20, blank=True, help_text=_("Books: customer, item, tax, invoice or payment."))
    is_target = models.BooleanField(default=False)
    reads_busy = models.BooleanField(default=False)
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.TWO_WAY)
    policy = models.CharField(max_length=8, choices=ConflictPolicy, default=ConflictPolicy.LOCAL)
    is_active = models.BooleanField(default=True)
    # A calendar's are encrypted (`integrations.ledger.private`): vendors put the ids of events into them.
    cursor = models.TextField(blank=True)
    # The job in which the calendar was not there for the first time; another that does not find it is the proof.
    missing_in = models.CharField(max_length=40, blank=True)
    # A full read in progress: the mark that its records get, and where it stands.
    full_mark = models.CharField(max_length=40, blank=True)
    full_cursor = models.TextField(blank=True)
    first_synced_at = models.DateTimeField(null=True, blank=True)
    # When the last job began that has gone through it: what was saved since has not been looked at for certain.
    looked_at = models.DateTimeField(null=True, blank=True)
    last_full_at = models.DateTimeField(null=True, blank=True)
    # When it was last found to be out of reach, which it may not be for ever.
    let_go_at = models.DateTimeField(null=True, blank=True)
    # Visits up to here have been looked at; later ones enter as the window moves.
    window_end = models.DateTimeField(null=True, blank=True)
    # When the busy time of its series was worked out last, and from what beside the events.
    expanded_on = models.DateField(null=True, blank=True)
    expanded_for = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "container_id"], name="one_stream_per_container"),
            models.UniqueConstraint(
                fields=["connection"], condition=Q(is_target=True, is_active=True), name="one_target_per_connection"
            ),
        ]

    def __str__(self) -> str:
        return self.container_name or self.container_id
