"""Why a record cannot be changed as asked. The API and the admin render these in their own manner."""


class InvalidTransition(Exception):
    """The record's state does not allow the change; the text says what to do instead."""


class InvalidFields(Exception):
    """Values that cannot be taken: field → sentences, the field spelled as on the model."""

    def __init__(self, details: dict[str, list[str]]):
        self.details = details
        super().__init__("; ".join(f"{name}: {' '.join(texts)}" for name, texts in details.items()))

    @classmethod
    def of(cls, field: str, sentence: str) -> "InvalidFields":
        return cls({field: [sentence]})
