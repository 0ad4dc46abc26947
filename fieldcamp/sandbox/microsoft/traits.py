"""Mailboxes in which something is special, for trying what a client does then."""

from fieldcamp.sandbox.microsoft import errors

NO_MAILBOX = "no mailbox"  # a user without a licence for Exchange Online
POLICY = "policy"  # Conditional Access blocks what the app does in the background
MFA = "mfa"  # every refresh wants the user to prove who it is
APPROVAL = "approval"  # only an administrator may allow apps
STRICT = "strict"  # a refresh token dies when it is used
QUIRKY = "quirky"  # delta's first page is empty, rows are repeated, and series come without their master

# trait -> what the token endpoint says to a refresh: error, AADSTS number, sentence, suberror.
REFRESH_ERRORS = {
    POLICY: (
        "interaction_required",
        53003,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        "message_only",
    ),
    MFA: (
        "invalid_grant",
        50076,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must use"
        " multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.",
        "basic_action",
    ),
}


def check_mailbox(trait: str) -> None:
    """Refuses a call into a mailbox that is not to be reached."""
    if trait == NO_MAILBOX:
        raise errors.no_mailbox()
    if trait == POLICY:
        raise errors.policy_wants_more()
