"""What is kept of a consent that has made no connection: with the account that it was to renew, and nothing else."""

from collections.abc import Mapping

from fieldcamp.workspace.audit import audit
from integrations.accounts.consent import ConsentRequest
from integrations.models import BROKEN, Connection, ConnectionState
from integrations.providers.base import Provider
from integrations.providers.refusals import ConsentEnd

_WHAT: Mapping[str, str] = {
    ConsentEnd.CANCELLED: "It was to be connected again, and was not allowed at {vendor}.",
    ConsentEnd.ADMINISTRATORS: "In its organization only an administrator may allow FieldCamp at {vendor}.",
    ConsentEnd.BLOCKED: "An administrator of its organization has to let FieldCamp in at {vendor}.",
    ConsentEnd.ANOTHER_ACCOUNT: "The account that was chosen at {vendor} cannot be used.",
    ConsentEnd.MISCONFIGURED: "{vendor} does not accept this site. Whoever runs it has to correct that.",
    ConsentEnd.UNAVAILABLE: "It was to be connected again, and {vendor} did not answer. Try it again later.",
    ConsentEnd.FAILED: "It was to be connected again, and {vendor} refused it. Try it again.",
}


def keep_failed_consent(intent: ConsentRequest, provider: Provider, end: str, sentence: str = "") -> bool:
    """Says with an account that stands still why it could not be connected again, until it is; whether that was
    written. An account that works is left as it is, and so is one that nobody has named."""
    words = _WHAT.get(end)
    if not intent.connection_id or words is None:
        return False
    mine = Connection.objects.filter(
        pk=intent.connection_id, workspace=intent.workspace_id, integration=provider.name,
        state__in=(*BROKEN, ConnectionState.SETUP),
    )  # fmt: skip
    said = sentence or words.format(vendor=provider.disclosure.vendor)
    if not mine.update(state_reason=said[:300]):
        return False
    account = mine.values_list("account_name", flat=True).first() or ""
    audit(
        "connection.consent_failed",
        workspace_id=intent.workspace_id,
        object_id=intent.connection_id,
        object_name=f"{provider.name}: {account}",
        after={"end": str(end)},
        actor="",
    )
    return True
