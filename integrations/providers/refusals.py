"""How a vendor's consent may end without a connection: what each of its codes means, who can mend it, and whether
trying again can help.

What OAuth 2.0 and OpenID Connect define stands here once; what a vendor says besides stands in its folder.
https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1, https://openid.net/specs/openid-connect-core-1_0.html#AuthError
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ConsentEnd(StrEnum):
    """How a consent ends: the name of its page."""

    CANCELLED = "cancelled"  # the person has not allowed it, and may
    ADMINISTRATORS = "administrators"  # only an administrator may allow it, by a link
    BLOCKED = "blocked"  # an administrator of theirs has to change something
    ANOTHER_ACCOUNT = "another_account"  # this account cannot be used, another one may be
    MISCONFIGURED = "misconfigured"  # whoever runs this site has to correct something
    UNAVAILABLE = "unavailable"  # the vendor does not answer; later it may
    FAILED = "failed"  # nothing is known of it but that it was refused; once more is worth a try


@dataclass(frozen=True, slots=True)
class ConsentRefusal:
    """What one code of a vendor's means: the page, and what has happened and who mends it, where the page cannot say
    that for all of its kind."""

    end: ConsentEnd
    sentence: str = ""


_OURS = "The request was not one that the vendor takes: whoever runs this site has to correct the app's registration."
_STANDARD: Mapping[str, ConsentRefusal] = {
    "access_denied": ConsentRefusal(ConsentEnd.CANCELLED),
    "server_error": ConsentRefusal(ConsentEnd.UNAVAILABLE),
    "temporarily_unavailable": ConsentRefusal(ConsentEnd.UNAVAILABLE),
    "invalid_request": ConsentRefusal(ConsentEnd.MISCONFIGURED, _OURS),
    "unauthorized_client": ConsentRefusal(ConsentEnd.MISCONFIGURED, _OURS),
    "unsupported_response_type": ConsentRefusal(ConsentEnd.MISCONFIGURED, _OURS),
    "invalid_scope": ConsentRefusal(ConsentEnd.MISCONFIGURED, _OURS),
    "invalid_client": ConsentRefusal(ConsentEnd.MISCONFIGURED, _OURS),
    "redirect_uri_mismatch": ConsentRefusal(ConsentEnd.MISCONFIGURED, _OURS),
    "account_selection_required": ConsentRefusal(ConsentEnd.FAILED),
    "login_required": ConsentRefusal(ConsentEnd.FAILED),
    "consent_required": ConsentRefusal(ConsentEnd.FAILED),
    "interaction_required": ConsentRefusal(ConsentEnd.FAILED),
}
UNKNOWN = ConsentRefusal(ConsentEnd.FAILED)


def known_codes(own: Mapping[str, ConsentRefusal]) -> Mapping[str, ConsentRefusal]:
    """Returns all codes of a vendor that has these of its own."""
    return {**_STANDARD, **own}


def refusal_of(code: str, error: str, own: Mapping[str, ConsentRefusal]) -> ConsentRefusal:
    """Returns what a refusal means by the vendor's own `code` (where it has one), else by its `error`."""
    known = known_codes(own)
    return known.get(code) or known.get(error) or UNKNOWN
