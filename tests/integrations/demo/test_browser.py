"""The browser without a window sends what a person's browser would."""

import pytest

from integrations.demo.browser import PageError, form_with

PAGE = """
<form action="/search"><input name="q"></form>
<form method="post" action="/setup">
  <input type="hidden" name="token" value="t&amp;1">
  <select name="member"><option value="">Choose</option><option value="m1" selected>Dana</option></select>
  <select name="policy"><option value="local">FieldCamp</option><option value="remote">Other</option></select>
  <input type="checkbox" name="busy" value="main" checked><input type="checkbox" name="busy" value="family">
  <input type="radio" name="way" value="a"><input type="radio" name="way" value="b" checked>
  <input type="submit" name="go" value="Save">
</form>
"""


def test_a_form_as_it_would_be_sent_untouched():
    form = form_with(PAGE, "member")
    assert form.action == "/setup"
    assert form.values == [("token", "t&1"), ("member", "m1"), ("policy", "local"), ("busy", "main"), ("way", "b")]


def test_a_page_without_the_form_is_an_error():
    with pytest.raises(PageError):
        form_with(PAGE, "password")
