"""Entries of the audit trail as sentences, with the names that people and keys have now."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fieldcamp.api.models import ApiKey
from fieldcamp.desk.users import DeskUser
from fieldcamp.workspace.models import AuditEntry, Member

# {who} has done it, {what} is the object's name.
SENTENCES: Mapping[str, Any] = {
    "access.refused": _("{who} was refused: {what}"),
    "chat.kinds_chosen": _("{who} chose which notices are said in the chat at {what}"),
    "chat.removed": _("{who} removed the chat address at {what}"),
    "chat.set": _("{who} set a chat address at {what}"),
    "chat.tested": _("{who} sent a test to the chat at {what}"),
    "client.erased": _("{who} erased a client"),
    "client.merged": _("{who} merged the client {what} into another"),
    "connect_link.created": _("{who} made a connect link for {what}"),
    "connect_link.mailed": _("{who} mailed the connect link for {what}"),
    "connect_link.revoked": _("{who} revoked the connect link for {what}"),
    "connect_link.used": _("{who} connected an account by the link for {what}"),
    "connection.balance_accepted": _("{who} accepted a difference with {what}"),
    "connection.balance_not_accepted": _("{who} took back that a difference with {what} is accepted"),
    "connection.company_changed": _("The company of {what} was changed at its vendor"),
    "connection.conflict_decided": _("{who} decided a conflict with {what}"),
    "connection.connected": _("{who} connected {what}"),
    "connection.consent_failed": _("{what} could not be connected again"),
    "connection.defaults_chosen": _("{who} chose the defaults of {what}"),
    "connection.disconnected": _("{who} disconnected {what}"),
    "connection.erased": _("{who} erased what was kept of {what}"),
    "connection.event_left_removed": _("{who} left an event removed from {what}"),
    "connection.event_put_back": _("{who} put an event back into {what}"),
    "connection.mapped": _("{who} chose what corresponds in {what}"),
    "connection.match_decided": _("{who} decided which records of {what} are the same"),
    "connection.metered_reads_changed": _("{who} changed how much may be read from {what} in a day"),
    "connection.parted": _("{who} parted a record from its counterpart in {what}"),
    "connection.paused": _("{who} paused {what}"),
    "connection.policy_changed": _("{who} chose who wins in {what}"),
    "connection.posted_again": _("{who} had a record made again in {what}"),
    "connection.removals_decided": _("{who} decided about removals in {what}"),
    "connection.removals_undone": _("{who} put back what was left removed in {what}"),
    "connection.resumed": _("{who} resumed {what}"),
    "connection.security_event": _("The vendor told something about the security of {what}"),
    "connection.set_up": _("{who} set {what} up"),
    "connection.voided_here": _("{who} voided a record that was removed from {what}"),
    "export.made": _("{who} downloaded {what}"),
    "integration.approval_changed": _("{who} changed what has to be approved before a sync of {what}"),
    "integration.schedule_changed": _("{who} changed the schedule of {what}"),
    "key.created": _("{who} made the API key {what}"),
    "key.revoked": _("{who} revoked the API key {what}"),
    "key.rotated": _("{who} made a new secret for the API key {what}"),
    "key.updated": _("{who} changed the API key {what}"),
    "login.accepted": _("{who} accepted the invitation of {what}"),
    "login.address_asked": _("{who} asked for another address of {what}"),
    "login.address_changed": _("{who} changed the address of {what}"),
    "login.address_withdrawn": _("{who} withdrew the new address of {what}"),
    "login.changed": _("{who} changed the login of {what}"),
    "login.created": _("{who} made the login of {what}"),
    "login.deleted": _("{who} deleted the login of {what}"),
    "login.failed": _("Somebody failed to sign in as {what}"),
    "login.invited": _("{who} invited {what}"),
    "login.password_set": _("A new password was set for {what}"),
    "login.revoked": _("{who} revoked the login of {what}"),
    "login.signed_out": _("{who} signed out"),
    "login.succeeded": _("{who} signed in"),
    "login.throttled": _("Signing in as {what} was stopped for a while"),
    "member.created": _("{who} added {what} to the team"),
    "member.erased": _("{who} erased a person of the team"),
    "member.updated": _("{who} changed {what}"),
    "notices.chosen": _("{who} chose which mails {what} gets"),
    "operator.company_chosen": _("{who}, an operator, opened this company"),
    "operator.company_left": _("{who}, an operator, left this company"),
    "plan.approved": _("{who} approved the plan of {what}"),
    "problem.all_answered": _("{who} answered all problems of one cause"),
    "problem.all_retried": _("{who} tried all problems of one cause again"),
    "problem.ignored": _("{who} ignored: {what}"),
    "problem.many_ignored": _("{who} ignored several problems"),
    "problem.many_unignored": _("{who} brought several problems back"),
    "problem.notices_dismissed": _("{who} put the notices away"),
    "problem.retried": _("{who} tried again: {what}"),
    "problem.unignored": _("{who} brought back: {what}"),
    "record.put_back": _("{who} put a record back: {what}"),
    "record.taken_over": _("{who} took a record over: {what}"),
    "return_address.added": _("{who} added the return address {what}"),
    "return_address.removed": _("{who} removed the return address {what}"),
    "settings.changed": _("{who} changed the company’s settings"),
    "webhook.created": _("{who} added the webhook {what}"),
    "webhook.deleted": _("{who} deleted the webhook {what}"),
    "webhook.disabled": _("The webhook {what} was switched off"),
    "webhook.replayed": _("{who} sent events to {what} again"),
    "webhook.updated": _("{who} changed the webhook {what}"),
    "workspace.erased": _("{who} erased a company"),
}


def sentence(entry: AuditEntry, names: Mapping[str, str]) -> str:
    """Returns the entry as a sentence; of an action without one its words, as they are."""
    who = names.get(entry.actor) or entry.actor or "FieldCamp"
    what = called(entry.object_name) or gettext("something")
    said = SENTENCES.get(entry.action)
    if said is None:
        doing = entry.action.replace(".", ": ").replace("_", " ")
        return " · ".join(text for text in (who, doing, called(entry.object_name)) if text)
    return str(said).format(who=who, what=what)


def called(name: str) -> str:
    """Returns an object's name without the vendor's inner name before an account."""
    before, parted, account = name.partition(": ")
    return account if parted and before.replace("_", "").islower() and " " not in before else name


def names_of(desk_user: DeskUser, actors: Iterable[str]) -> dict[str, str]:
    """Returns what people and keys are called at the reader's company, by what stands in the trail: two queries. A
    login that belongs to another company as well may have another name there."""
    wanted = {actor for actor in actors if actor}
    if not wanted:
        return {}
    people = desk_user.scope(Member.objects.filter(user__username__in=wanted)).order_by("pk")
    names = {username: str(member) for member in people.select_related("user")
             for username in [member.user.get_username() if member.user else ""]}  # fmt: skip
    keys = {text.removeprefix("key:"): text for text in wanted}
    for pk, name in desk_user.scope(ApiKey.objects.filter(pk__in=keys)).values_list("pk", "name"):
        names[keys[pk]] = gettext("the key {name}").format(name=name)
    return names
