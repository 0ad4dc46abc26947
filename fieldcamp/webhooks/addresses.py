"""What a person is told of an address that webhooks are not sent to, and the rules by this site's settings."""

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from integrations.transport.public_addresses import AddressRefused, AddressRules, Refusal, destination_of
from integrations.transport.webhook_client import check_reachable

SENTENCES = {
    Refusal.NO_URL: _("Enter a whole address, such as https://example.com/hooks, in plain letters."),
    Refusal.TOO_LONG: _("The address is too long: 2,048 characters at most."),
    Refusal.NOT_HTTPS: _("The address must begin with https://."),
    Refusal.PORT: _("This port is not allowed: leave it out."),
    Refusal.USER: _("The address must hold no user name or password."),
    Refusal.FRAGMENT: _("The address must end before “#”."),
    Refusal.LITERAL: _("Enter a name instead of an IP address."),
    Refusal.PRIVATE_NAME: _("The address points into a private network."),
    Refusal.OURS: _("This is FieldCamp's own address."),
    # One sentence for whatever cannot be found: how it cannot says something of the networks around.
    Refusal.UNKNOWN_NAME: _("The address cannot be reached."),
    Refusal.PRIVATE_ADDRESS: _("The address points into a private network."),
}


def address_rules() -> AddressRules:
    """Returns what may be sent to here."""
    ours = urlsplit(settings.PUBLIC_URL).hostname
    return AddressRules(
        allow_private=settings.WEBHOOK_ALLOW_PRIVATE,
        ports=frozenset({443, 8443} if settings.WEBHOOK_ALLOW_PORT_8443 else {443}),
        own_hosts=frozenset({ours} if ours else ()),
    )


def check_address(url: str) -> None:
    """Raises `AddressRefused` for an address that nothing may be sent to; `sentence_of` says it in words. It asks for
    the name's addresses, five seconds at most: call it outside of transactions."""
    rules = address_rules()
    if rules.allow_private:
        destination_of(url, rules)
    else:
        check_reachable(url, rules)


def sentence_of(error: AddressRefused) -> str:
    """Returns what a person is told of it."""
    return str(SENTENCES[error.reason])


__all__ = ["AddressRefused", "address_rules", "check_address", "sentence_of"]
