"""A form as it stands on a page, ready to be sent back."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """Reads the fields of the form with this id."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.inside = form_id, False
        self.values: dict[str, list[str]] = {}
        self._select = self._area = ""

    def handle_starttag(self, tag, attrs):
        have = dict(attrs)
        if tag == "form":
            self.inside = have.get("id") == self.form_id
        if not self.inside:
            return
        name = have.get("name", "")
        if tag == "input" and (have.get("type") != "checkbox" or "checked" in have):
            self._add(name, have.get("value") or "")
        elif tag == "select":
            self._select, self._options = name, []
        elif tag == "option":
            self._options.append((have["value"], "selected" in have))
        elif tag == "textarea":
            self._area, self._text = name, ""

    def handle_data(self, data):
        if self._area:
            self._text += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "select" and self._select:
            chosen = [value for value, selected in self._options if selected] or [self._options[0][0]]
            self._add(self._select, chosen[0])
            self._select = ""
        elif tag == "textarea" and self._area:
            self._add(self._area, self._text.removeprefix("\n").replace("\n", "\r\n"))  # as a browser sends it
            self._area = ""

    def _add(self, name: str, value: str) -> None:
        self.values.setdefault(name, []).append(value)


def form_of(page: str, form_id: str = "record") -> dict[str, list[str]]:
    """The form's fields and their values."""
    form = Form(form_id)
    form.feed(page)
    assert form.values, page
    return form.values
