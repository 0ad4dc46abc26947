"""The certificates with which our apps sign in: until when they are good, and what of a secret beside them."""

import datetime as dt
from collections.abc import Iterator

from django.utils import timezone

from integrations.errors import Misconfigured
from integrations.providers.oauth import OAuth
from integrations.services.doctor.findings import Finding, Weight

AHEAD = dt.timedelta(days=30)


def is_readable(oauth: OAuth) -> bool:
    """Returns whether our app can name itself at all: it has no certificate, or one that can be used."""
    try:
        _ = oauth.certificate
    except Misconfigured:
        return False
    return True


def app_certificate(about: str, oauth: OAuth) -> Iterator[Finding]:
    """Looks at the certificate of the app at one vendor, where it has one."""
    file = f"{oauth.app}_CERTIFICATE_FILE"
    try:
        certificate = oauth.certificate
    except Misconfigured as error:
        yield Finding(Weight.WRONG, about, str(error), f"Mend {file} and {oauth.app}_CERTIFICATE_KEY_FILE.")
        return
    if certificate is None:
        return
    now = timezone.now()
    following = (
        f"Make the next one (docs/operating.md has the command) and upload it at {oauth.vendor} beside this one: both "
        f"are good then. Put the new files in the place of those that {file} and its neighbour name."
    )
    ends = f"{certificate.ends_at:%-d %B %Y}"
    if certificate.ends_at <= now:
        sentence = f"The app's certificate has ended on {ends}: no access is renewed."
        yield Finding(Weight.WRONG, about, sentence, following)
    elif certificate.begins_at > now:
        sentence = f"The app's certificate is good from {certificate.begins_at:%-d %B %Y} on, and not before."
        yield Finding(Weight.WRONG, about, sentence, "Use the one before it until then, or set this machine's clock.")
    elif certificate.ends_at <= now + AHEAD:
        yield Finding(Weight.NOTE, about, f"The app's certificate ends on {ends}.", following)
    else:
        yield Finding(Weight.FINE, about, f"The app's certificate is good until {ends}.")
    if oauth.client["secret"]:
        yield Finding(
            Weight.NOTE,
            about,
            "Both a certificate and a secret are set: the certificate is used.",
            f"Once accounts have synced with it, remove {oauth.app}_CLIENT_SECRET and delete the secret there.",
        )
