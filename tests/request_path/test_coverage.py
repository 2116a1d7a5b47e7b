"""What is proven of a condition holds for every request there is."""

from collections.abc import Callable, Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from request_path.cel import And, CelError, Comparison, Condition, Constant, Not, Or, parse
from request_path.coverage import Truth, covers, holds
from request_path.matching import Request, Requests

PATHS = ("/", "/v1", "/v1/", "/v1/chat", "/v1x", "/security/x")
HOSTS = ("a.test", "b.test")
VALUES = ("", "/", "/v1", "/v1/", "/v1/chat", "/security/", "a.test", ".test", "one", "POST")
UNIVERSE = [
    Request(host, path, method, {"model": model} if model else {})
    for host, path, method, model in product(HOSTS, PATHS, ("GET", "POST"), ("", "one", "two"))
]
TESTS = st.one_of(
    st.builds(
        Comparison,
        st.sampled_from(("path", "host", "method")),
        st.sampled_from(("==", "startsWith", "endsWith", "contains")),
        st.sampled_from(VALUES),
    ),
    st.just(Comparison("header", "==", "one", "model")),
    st.just(Comparison("header", "in", "", "model")),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(TESTS, st.builds(Constant, st.booleans())),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.tuples(inner, inner)),
        st.builds(Or, st.tuples(inner, inner)),
    ),
    max_leaves=6,
)
SETS = st.builds(
    Requests,
    host=st.sampled_from((None, *HOSTS)),
    path=st.none(),
    prefix=st.sampled_from(("/", "/v1", "/v1/")),
    method=st.sampled_from((None, "POST")),
    headers=st.sampled_from(({}, {"model": "one"})),
) | st.builds(
    Requests,
    host=st.none(),
    path=st.sampled_from(PATHS),
    prefix=st.none(),
    method=st.none(),
    headers=st.just({}),
)


def within(request: Request, requests: Requests) -> bool:
    prefix = None if requests.prefix is None else requests.prefix.rstrip("/")
    return (
        requests.host in {None, request.host}
        and requests.path in {None, request.path}
        and (prefix is None or request.path == prefix or request.path.startswith(f"{prefix}/"))
        and requests.method in {None, request.method}
        and all(request.headers.get(name) == value for name, value in requests.headers.items())
    )


def evaluated(condition: Condition, request: Request) -> bool | None:
    """Return what CEL makes of a condition; None for an error, of a header that isn't there."""
    match condition:
        case Constant(value):
            return value
        case Not(part):
            inner = evaluated(part, request)
            return None if inner is None else not inner
        case And(parts) | Or(parts):
            results = [evaluated(part, request) for part in parts]
            decisive = isinstance(condition, Or)
            if decisive in results:
                return decisive
            return None if None in results else not decisive
        case Comparison("header", "in", _, header):
            return header in request.headers
        case Comparison(attribute, operation, value, header):
            found = {"path": request.path, "host": request.host, "method": request.method}
            text = found.get(attribute, request.headers.get(header))
            if text is None:
                return None
            return text == value if operation == "==" else bool(OPERATIONS[operation](text, value))


OPERATIONS: Mapping[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}


@given(CONDITIONS, st.sampled_from(UNIVERSE))
def test_a_condition_holds_for_a_request_as_cel_says(
    condition: Condition, request_: Request
) -> None:
    assert holds(condition, request_) is (evaluated(condition, request_) is True)


@given(CONDITIONS, SETS)
def test_a_proof_holds_for_every_request(condition: Condition, requests: Requests) -> None:
    truth = covers(condition, requests)
    for request in UNIVERSE:
        if within(request, requests) and truth is not Truth.UNPROVEN:
            assert evaluated(condition, request) is (truth is Truth.ALWAYS)


def written(condition: Condition) -> str:
    match condition:
        case Constant(value):
            return str(value).lower()
        case Not(part):
            return f"!({written(part)})"
        case And(parts):
            return f"({' && '.join(map(written, parts))})"
        case Or(parts):
            return f"({' || '.join(map(written, parts))})"
        case Comparison("header", "in", _, header):
            return f"'{header}' in request.headers"
        case Comparison(attribute, operation, value, header):
            name = f'headers["{header}"]' if attribute == "header" else attribute
            if operation == "==":
                return f"request.{name} == '{value}'"
            return f'request.{name}.{operation}("{value}")'


@given(CONDITIONS)
def test_what_is_written_is_read(condition: Condition) -> None:
    assert parse(written(condition)) == condition


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ('request.path.startsWith("/")', Truth.ALWAYS),
        ('request.path.startsWith("/v1")', Truth.ALWAYS),
        ('request.path == "/v1" || request.path.startsWith("/v1/")', Truth.ALWAYS),
        ('request.path.startsWith("/v1/")', Truth.UNPROVEN),
        ('request.path.startsWith("/security/")', Truth.NEVER),
        ('request.path != "/v2"', Truth.ALWAYS),
        ("request.host == 'a.test' || true", Truth.ALWAYS),
        ("request.headers['Model'] == 'one'", Truth.UNPROVEN),
    ],
)
def test_usual_conditions_on_a_prefix(expression: str, truth: Truth) -> None:
    assert covers(parse(expression), Requests(None, None, "/v1", None, {})) is truth


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "request.path",
        'request.path.matches("/v1")',
        "request.time == 'now'",
        'request.path.startsWith("/v1',
        'request.path.startsWith("/v1") request.host == "a"',
        "request.path == 1",
        '"a" in request.query',
    ],
)
def test_what_is_not_read_is_refused(expression: str) -> None:
    with pytest.raises(CelError):
        parse(expression)
