"""Which addresses are a provider's own: only they are sent its tokens."""

from urllib.parse import SplitResult, urlsplit


def is_below(url: str, base: str) -> bool:
    """Returns whether `url` has the scheme, host and port of `base` and lies under its path."""
    try:
        mine, its = urlsplit(url), urlsplit(base)
        same = (mine.scheme, mine.hostname, _port(mine)) == (its.scheme, its.hostname, _port(its))
    except ValueError:
        return False
    prefix = its.path.rstrip("/") + "/"
    climbs = ".." in mine.path.replace("%2e", ".").replace("%2E", ".").split("/")
    return same and "@" not in mine.netloc and "\\" not in url and not climbs and mine.path.startswith(prefix)


def _port(parts: SplitResult) -> int | None:
    return parts.port or {"https": 443, "http": 80}.get(parts.scheme)
