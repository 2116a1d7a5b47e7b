"""GoogleSQL: whether a text is one query, and reads in its own project alone."""

import logging
from functools import cache
from typing import Final

from catalog.words import plural

_ELSEWHERE: Final = "EXTERNAL_QUERY"


@cache
def not_one_select(text: str) -> str | None:
    """Return what a text is other than one query that reads, as a phrase; None for a query."""
    # Takes long to import, and few configs have views.
    import sqlglot
    from sqlglot import errors, exp

    # What it takes for a command is told below, and not by it as well.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        statements = [each for each in sqlglot.parse(text, dialect="bigquery") if each is not None]
    except errors.ParseError as error:
        first = error.errors[0] if error.errors else {}
        place = f"line {first.get('line', 1)}, column {first.get('col', 1)}"
        return f"broken SQL in {place} ({first.get('description', 'no statement')})"
    except errors.SqlglotError:
        return "broken SQL"
    except RecursionError:
        return "SQL that is nested too deep"
    if len(statements) != 1:
        return f"{plural(len(statements), 'statement')}"
    statement = statements[0]
    return None if isinstance(statement, exp.Query) else f"a {statement.key.upper()} statement"


@cache
def elsewhere(query: str) -> str | None:
    """Return what a query reads outside its project, as a phrase; None where it reads nothing."""
    import sqlglot
    from sqlglot import exp

    statement = sqlglot.parse_one(query, dialect="bigquery")
    if any(each.name.upper() == _ELSEWHERE for each in statement.find_all(exp.Anonymous)):
        return _ELSEWHERE
    named = (each for each in statement.find_all(exp.Table) if each.catalog)
    return next((f"{each.catalog}.{each.db}.{each.name}" for each in named), None)


@cache
def columns_of(query: str) -> list[str] | None:
    """Return the names of a query's columns, as it writes them; None where they can't be told."""
    import sqlglot
    from sqlglot import exp

    statement = sqlglot.parse_one(query, dialect="bigquery")
    if not isinstance(statement, exp.Query) or statement.is_star:
        return None
    return list(statement.named_selects)
