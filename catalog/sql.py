"""GoogleSQL: whether a text is one query."""

import logging
from functools import cache

from catalog.words import plural


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
