"""How much is searched for at a time: each word is one more condition, and databases refuse what has very many."""

MOST_WORDS = 10


def words(search: str) -> list[str]:
    """Returns the words of a search, the first ten; without NUL, which PostgreSQL takes in no text."""
    return search.replace("\x00", " ").split()[:MOST_WORDS]
