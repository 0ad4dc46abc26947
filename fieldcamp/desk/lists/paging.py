"""Pages of a list whose rows are counted up to a number: a full count of a large table takes longer than the page."""

from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator

MOST_COUNTED = 10_000


class CappedPage(Page):
    def has_next(self) -> bool:
        paginator = self.paginator
        if paginator.is_capped:  # type: ignore[attr-defined]
            return len(self.object_list) == paginator.per_page
        return super().has_next()


class CappedPaginator(Paginator):
    """Counts to MOST_COUNTED and no further. Beyond that pages are gone through one by one."""

    template_name = "desk/list/pages.html"

    @cached_property
    def counted(self) -> int:
        """Returns how many there are, or one more than MOST_COUNTED."""
        rows: Any = self.object_list
        return int(rows.order_by()[: MOST_COUNTED + 1].count())

    @property
    def is_capped(self) -> bool:
        return self.counted > MOST_COUNTED

    @cached_property
    def count(self) -> int:
        return 9_999_999_999 if self.is_capped else self.counted

    def _get_page(self, *args: Any, **kwargs: Any) -> CappedPage:
        return CappedPage(*args, **kwargs)
