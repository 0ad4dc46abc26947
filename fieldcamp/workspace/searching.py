"""How much is searched for at a time: each word is one more condition, and databases refuse what has very many."""

MOST_WORDS = 10


def words(search: str) -> list[str]:
    """Returns the words of a search, the first ten."""
    return search.split()[:MOST_WORDS]
