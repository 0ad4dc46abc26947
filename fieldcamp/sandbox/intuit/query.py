"""The query language: SELECT … FROM … WHERE … ORDERBY … STARTPOSITION … MAXRESULTS, read into plain data.

https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries
"""

import re
from dataclasses import dataclass

from fieldcamp.sandbox.intuit.errors import Fault

DEFAULT_ROWS, MOST_ROWS = 100, 1000
LONGEST = 100_000
OPERATORS = ("=", "<", ">", "<=", ">=", "LIKE", "IN")
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*')
    | (?P<number>-?\d+(?:\.\d+)?)(?![\w.])
    | (?P<word>[A-Za-z_][\w.]*)
    | (?P<sign><=|>=|[=<>(),*])
    )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Condition:
    """One comparison; `values` holds one value, for IN any number."""

    name: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A statement. `columns` is empty for `*`; names are as the client wrote them."""

    entity: str
    columns: tuple[str, ...]
    count: bool
    where: tuple[Condition, ...]
    order: tuple[tuple[str, bool], ...]  # name and whether it descends
    start: int
    limit: int


@dataclass(frozen=True)
class Token:
    """A word, number, sign, or text whose quotes and escapes are undone; `at` is its column."""

    kind: str
    value: str
    at: int

    def says(self, *words: str) -> bool:
        """Whether it is one of these key words or signs."""
        return self.kind in ("word", "sign") and self.value.upper() in words


END = "<EOF>"


def parse(text: str) -> Query:
    """The statement as data; Fault 4000 when it cannot be read, 4001 for a position that cannot be."""
    if len(text) > LONGEST:
        raise broken("the statement is too long")
    return _Parser(_tokens(text)).query()


def broken(detail: str) -> Fault:
    """The statement cannot be read."""
    return Fault(4000, "Error parsing query", f"QueryParserError: {detail}")


def invalid(detail: str) -> Fault:
    """The statement can be read, but not answered."""
    return Fault(4001, "Invalid query", f"QueryValidationError: {detail}")


def _tokens(text: str) -> list[Token]:
    tokens, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise broken(f'Invalid content. Lexical error at line 1, column {start + 1}. Encountered: "{text[start]}"')
        kind = str(match.lastgroup)
        value = match[kind]
        if kind == "text":
            value = re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
        tokens.append(Token(kind, value, match.start(kind) + 1))
        at = match.end()
    tokens.append(Token("end", END, end + 1))
    return tokens


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._at = tokens, 0

    def query(self) -> Query:
        self._expect("SELECT")
        count, columns = self._projection()
        self._expect("FROM")
        entity = self._word("an entity")
        where: list[Condition] = []
        if self._accept("WHERE"):
            where.append(self._condition())
            while self._accept("AND"):
                where.append(self._condition())
        order = self._order()
        start, limit = self._window()
        if self._now.kind != "end":
            raise self._unexpected("<EOF>")
        return Query(entity, columns, count, tuple(where), order, start, limit)

    def _projection(self) -> tuple[bool, tuple[str, ...]]:
        if self._now.says("COUNT"):
            self._next()
            for sign in ("(", "*", ")"):
                self._expect(sign)
            return True, ()
        columns: list[str] = []
        everything = False
        while True:
            if self._accept("*"):
                everything = True
            else:
                columns.append(self._word("a property"))
            if not self._accept(","):
                return False, () if everything else tuple(columns)

    def _condition(self) -> Condition:
        name = self._word("a property")
        operator = self._next()
        if not operator.says(*OPERATORS):
            raise self._unexpected('"=" or "<" or ">" or "in" or "like"', operator)
        if operator.value.upper() != "IN":
            return Condition(name, operator.value.upper(), (self._value(),))
        self._expect("(")
        values = [self._value()]
        while self._accept(","):
            values.append(self._value())
        self._expect(")")
        return Condition(name, "IN", tuple(values))

    def _value(self) -> str:
        token = self._next()
        if token.kind in ("text", "number") or token.says("TRUE", "FALSE"):
            return token.value if token.kind != "word" else token.value.lower()
        raise self._unexpected("a value in single quotes", token)

    def _order(self) -> tuple[tuple[str, bool], ...]:
        if self._accept("ORDER"):
            self._expect("BY")
        elif not self._accept("ORDERBY"):
            return ()
        order = []
        while True:
            name = self._word("a property")
            descends = self._accept("DESC")
            if not descends:
                self._accept("ASC")
            order.append((name, descends))
            if not self._accept(","):
                return tuple(order)

    def _window(self) -> tuple[int, int]:
        start, limit = 1, DEFAULT_ROWS
        while True:
            if self._accept("STARTPOSITION"):
                start = self._whole_number(10**9)
            elif self._accept("MAXRESULTS"):
                limit = self._whole_number(MOST_ROWS)
            else:
                return start, limit

    def _whole_number(self, most: int) -> int:
        token = self._next()
        if token.kind not in ("number", "text") or not re.fullmatch(r"-?\d{1,18}", token.value, re.ASCII):
            raise self._unexpected("<INTEGER>", token)
        value = int(token.value)
        if value < 1:
            raise invalid(f"value {value} is too small. Min allowed value is 1")
        if value > most:
            raise invalid(f"value {value} is too large. Max allowed value is {most}")
        return value

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._now
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _accept(self, *words: str) -> bool:
        if not self._now.says(*words):
            return False
        self._next()
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected(f'"{word.lower()}"')

    def _word(self, what: str) -> str:
        if self._now.kind != "word":
            raise self._unexpected(what)
        return self._next().value

    def _unexpected(self, wanted: str, token: Token | None = None) -> Fault:
        token = token or self._now
        return broken(f'Encountered "{token.value}" at line 1, column {token.at}. Was expecting: {wanted}')
