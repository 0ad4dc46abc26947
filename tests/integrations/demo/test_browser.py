"""The demo's browser sends what a person's would who changes nothing."""

from integrations.demo.browser import form_with

PAGE = """
<form action="/other/"><input name="q"></form>
<form action="/set-up/">
  <input type="hidden" name="token" value="t0">
  <input type="date" name="since">
  <input type="checkbox" name="clients" checked><input type="checkbox" name="items" value="1">
  <input type="radio" name="way" value="pull"><input type="radio" name="way" value="push" checked>
  <select name="account"><option value="1">One</option><option value="2" selected>Two</option></select>
  <select name="first"><option value="a">A</option><option value="b">B</option></select>
  <input type="submit" name="save" value="Save">
</form>
"""


def test_a_form_is_sent_as_it_stands():
    form = form_with(PAGE, "account", "since")
    assert form.action == "/set-up/"
    assert dict(form.values) == {
        "token": "t0", "since": "", "clients": "on", "way": "push", "account": "2", "first": "a"
    }  # fmt: skip
