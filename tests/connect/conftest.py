from tests.sandboxed import vendors  # noqa: F401
