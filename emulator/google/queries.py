"""BigQuery: queries of the warehouse, as far as SQLite reads their GoogleSQL.

https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.google.caller import Caller, body_of, error
from emulator.warehouse.columns import timestamp
from emulator.warehouse.store import Warehouse, table_id

_TABLES: Final = re.compile(r"`([^`]+)`")


def routes(warehouse: Warehouse, caller: Caller) -> Sequence[Route]:
    """Return what answers a caller: all rows at once, none of them a page."""

    async def query(request: Request) -> Response:
        project, body = request.path_params["project"], await body_of(request)
        caller.check(request, "bigquery.jobs.create", f"projects/{project}")
        for table in map(table_id, _TABLES.findall(body["query"])):
            dataset, owner = table.partition("/tables/")[0], table.partition("/datasets/")[0]
            caller.check(request, "bigquery.tables.getData", table, dataset, owner)
        given = {
            str(each["name"]): _value(each["parameterType"]["type"], each["parameterValue"])
            for each in body.get("queryParameters", ())
        }
        try:
            names, rows = warehouse.query(body["query"], given)
        except sqlite3.Error as problem:
            return error(400, "INVALID_ARGUMENT", str(problem))
        answer = {
            "jobComplete": True,
            "jobReference": {"projectId": project, "jobId": "job"},
            "schema": {"fields": [{"name": name, "type": "STRING"} for name in names]},
            "rows": [
                {"f": [{"v": None if value is None else str(value)} for value in row]}
                for row in rows
            ],
        }
        return JSONResponse(answer)

    return [Route("/bigquery/v2/projects/{project}/queries", query, methods=["POST"])]


def _value(kind: str, given: Mapping[str, str]) -> str:
    return timestamp(given["value"]) if kind == "TIMESTAMP" else given["value"]
