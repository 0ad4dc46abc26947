"""The list itself: Django's, with a head that says how many there are, chips for what it is filtered by, and words for
when nothing is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from django.contrib.admin.options import IS_POPUP_VAR, IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext
from unfold.views import ChangeList

from fieldcamp.desk.lists.filters import BetweenDays
from fieldcamp.desk.lists.paging import MOST_COUNTED
from fieldcamp.desk.lists.words import head
from fieldcamp.desk.users import desk_user_of


@dataclass(frozen=True)
class Chip:
    """One filter that is in force. `url` is the list without it."""

    label: str
    value: str
    url: str


@dataclass(frozen=True)
class Select:
    """One filter as a field: its choices (value, label), and the one in force; or two days."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str = ""
    days: tuple[tuple[str, str], ...] = ()  # name and value of the first and the last day


class DeskChangeList(ChangeList):
    """A list of the desk. Its admin class says how rows are counted and what an empty list says (`BoundedList`)."""

    result_list: Any
    result_count: Any
    full_result_count: Any
    notes: list[str]
    model_admin: Any

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any):
        self.request = request
        asked = [*request.GET.lists(), *request.POST.lists()]
        if any("\x00" in each for name, values in asked for each in (name, *values)):
            raise IncorrectLookupParameters  # PostgreSQL refuses NUL in any text
        super().__init__(request, *args, **kwargs)
        name = self.opts.verbose_name_plural
        self.title = gettext("Choose: {name}").format(name=name) if self.is_popup else capfirst(str(name))

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """Returns Django's, narrowed by filters that look at what all others have left."""
        found = super().get_queryset(request, exclude_parameters)
        self.notes = []
        for spec in self.filter_specs:
            if narrow := getattr(spec, "narrow", None):
                found, note = narrow(request, found)
                self.notes += [note] if note else []
        return found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        # As the theme's header takes them: the head says it, and nothing else has to.
        self.result_count = self.full_result_count = getattr(self.paginator, "counted", self.result_count)
        self.model_admin.prepare_rows(request, self.result_list)

    # --- the head --------------------------------------------------------------------------------------------------

    @property
    def head(self) -> str:
        """Returns how many there are, and which of them are shown."""
        paginator: Any = self.paginator
        shown = len(self.result_list)
        start = 0 if self.show_all and self.can_show_all else (self.page_num - 1) * self.list_per_page
        return head(
            self.model_admin.counted,
            number=getattr(paginator, "counted", self.result_count),
            most=MOST_COUNTED,
            first=start + 1,
            last=start + shown if shown else 0,
            pages=self.multi_page and shown > 0 and not (self.show_all and self.can_show_all),
        )

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Returns what is said of all the rows that are found: a label and a figure each."""
        if not self.result_list:
            return []
        return list(self.model_admin.summary_of(self.request, self))

    @property
    def previous_url(self) -> str:
        return str(self.get_query_string({PAGE_VAR: self.page_num - 1})) if self.page_num > 1 else ""

    @property
    def next_url(self) -> str:
        return str(self.get_query_string({PAGE_VAR: self.page_num + 1})) if self.has_next else ""

    @property
    def has_next(self) -> bool:
        """Returns whether there is a page after this one; of rows that are not counted to the end: maybe."""
        if getattr(self.paginator, "is_capped", False):
            return len(self.result_list) == self.list_per_page
        return self.page_num < self.paginator.num_pages

    @property
    def export_url(self) -> str:
        return self._query({**self.filter_params}, "csv/") if self.model_admin.can_export(self.request) else ""

    # --- what it is filtered by ------------------------------------------------------------------------------------

    @property
    def tabs(self) -> list[dict[str, Any]]:
        spec = next((each for each in self.filter_specs if getattr(each, "is_tabs", False)), None)
        return spec.tabs(self) if spec else []

    @property
    def selects(self) -> list[Select]:
        return [self._select(spec) for spec in self.filter_specs if not getattr(spec, "is_tabs", False)]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Returns what the filters' form leaves as it is: the search, the order, the tab."""
        named = {name for spec in self.filter_specs for name in spec.expected_parameters()}
        named -= {name for spec in self.filter_specs if getattr(spec, "is_tabs", False) for name in
                  spec.expected_parameters()}  # fmt: skip
        return [(name, value) for name, values in self.filter_params.items() if name not in named for value in values]

    @property
    def kept_by_search(self) -> list[tuple[str, str]]:
        return [
            (name, value)
            for name, values in self.filter_params.items()
            if name not in (SEARCH_VAR, "all")
            for value in values
        ]

    @property
    def chips(self) -> list[Chip]:
        found = [Chip(gettext("Search"), self.query, self._without([SEARCH_VAR]))] if self.query else []
        for spec in self.filter_specs:
            if not getattr(spec, "is_tabs", False) and (value := self._said(spec)):
                names = [name for name in spec.expected_parameters() if name]
                found.append(Chip(capfirst(str(spec.title)), value, self._without(names)))
        return found

    @property
    def clear_url(self) -> str:
        """Returns the list with nothing chosen: as it opens, or, where that shows nothing, all of it."""
        kept = {name: values for name, values in self.filter_params.items() if name in ("o", IS_POPUP_VAR, "_to_field")}
        tabs = next((each for each in self.filter_specs if getattr(each, "is_tabs", False)), None)
        if tabs is not None and not self.result_list:
            kept[tabs.parameter_name] = ["all"]
        return self._query(kept)

    def _select(self, spec: Any) -> Select:
        label = capfirst(str(spec.title))
        if isinstance(spec, BetweenDays):
            return Select(spec.field_path, label, [], days=tuple(spec.dates.items()))
        name, value = str(next(iter(spec.expected_parameters()), "")), ""
        options: list[tuple[str, str]] = []
        for choice in spec.choices(self):
            asked = self._asked(choice, spec)
            if not asked:
                options.insert(0, ("", str(choice["display"])))
            elif list(asked) == [name]:
                options.append((asked[name], str(choice["display"])))
                value = asked[name] if choice["selected"] else value
        return Select(name, label, options, value)

    def _said(self, spec: Any) -> str:
        if isinstance(spec, BetweenDays):
            return spec.said if spec.used_parameters else ""
        for choice in spec.choices(self):
            if choice["selected"] and self._asked(choice, spec):
                return str(choice["display"])
        # Somebody has written something else into the address: it filters, so it is shown.
        return ", ".join(value for name in spec.expected_parameters() for value in self.filter_params.get(name, []))

    def _asked(self, choice: Any, spec: Any) -> dict[str, str]:
        asked = parse_qs(str(choice.get("query_string", ""))[1:], keep_blank_values=True)
        return {name: asked[name][-1] for name in spec.expected_parameters() if name in asked}

    def _without(self, names: Iterable[str]) -> str:
        gone = set(names)
        return self._query({name: values for name, values in self.filter_params.items() if name not in gone})

    def _query(self, params: Any, path: str = "") -> str:
        return f"{path}?{urlencode(sorted(params.items()), doseq=True)}"

    # --- when nothing is shown -------------------------------------------------------------------------------------

    @property
    def is_narrowed(self) -> bool:
        """Returns whether rows may be hidden by what was chosen, or by the days that the list opens on."""
        return bool(self.chips or self.hiding_tab)

    @property
    def hiding_tab(self) -> str:
        """Returns the tab that hides rows, if one does."""
        tab = next((tab for tab in self.tabs if tab["current"]), None)
        return str(tab["label"]) if tab and tab["label"] != self.tabs[-1]["label"] else ""

    @property
    def nothing_matches(self) -> str:
        """Returns what is said where what was chosen leaves nothing."""
        wanted = [chip.value for chip in self.chips]
        wanted += [self.hiding_tab] if self.hiding_tab else []
        return gettext("Nothing here matches {filters}.").format(filters=" · ".join(f"“{each}”" for each in wanted))

    @property
    def empty_words(self) -> Any:
        return self.model_admin.empty

    @property
    def offers_button(self) -> bool:
        words = self.model_admin.empty
        return bool(words.address and desk_user_of(self.request).may(words.right))
