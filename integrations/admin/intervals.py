"""Minutes between two syncs, in words."""

CHOICES = (5, 15, 30, 60, 120, 240, 720, 1440, 0)


def every(minutes: int) -> str:
    """`every 30 min`, `every 2 h`, `once a day`, `by hand only`."""
    if not minutes:
        return "by hand only"
    if minutes == 1440:
        return "once a day"
    if minutes == 60:
        return "every hour"
    return f"every {minutes // 60} h" if minutes % 60 == 0 else f"every {minutes} min"
