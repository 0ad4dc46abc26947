"""Whose accounts the demo connects, and where their owners see them in the sandbox."""

from integrations.demo import books

# Who is connected from the start; the other technicians, and Outlook, are left to try it on.
ACCOUNTS: dict[str, tuple[str, ...]] = {
    "google_calendar": ("dana@google.test", "lee@google.test"),
    books.NAME: (books.REALM,),
}
# What `--once` connects besides.
ONCE: dict[str, tuple[str, ...]] = {"outlook_calendar": ("dana@outlook.test", "lee@outlook.test")}


def where(sandbox_url: str) -> str:
    """Tells where the vendors' own pages are."""
    return (
        f"  the sandbox (Google's side) is at {sandbox_url}/google/ui, Outlook's at /microsoft/ui,\n"
        f"  the books at /intuit/ui\n"
    )
