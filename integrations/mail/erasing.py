"""Taking mails about a person out of the files that they are kept in where there is no mail server."""

import email
import email.policy
from pathlib import Path

from django.conf import settings

from fieldcamp.workspace.erasing import Words

_BETWEEN = b"-" * 79  # as Django's backend parts the mails of a file


def erase_mails(words: Words) -> int:
    """Drops the kept mails that name the person, as far as they are files; how many."""
    folder = Path(settings.EMAIL_FILE_PATH) if settings.EMAIL_FILE_PATH else None
    count = 0
    for path in sorted(folder.glob("*.log")) if folder and folder.is_dir() else ():
        mails = path.read_bytes().split(_BETWEEN + b"\n")
        kept = [mail for mail in mails if not _names(mail, words)]
        count += len(mails) - len(kept)
        if not any(mail.strip() for mail in kept):
            path.unlink()
        elif len(kept) != len(mails):
            path.write_bytes((_BETWEEN + b"\n").join(kept))
    return count


def _names(raw: bytes, words: Words) -> bool:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    texts = [str(value) for value in mail.values()]
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            texts.append((part.get_payload(decode=True) or b"").decode(errors="replace"))  # type: ignore[union-attr]
    return bool(words.erased(texts) != texts)
