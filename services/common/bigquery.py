"""Queries of BigQuery.

https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.common.google_rest import GoogleRest

_WAIT_MS = 30_000
Row = Mapping[str, str | None]
Rows = Sequence[Row]


class BigQuery:
    """Runs queries, billed to a project."""

    def __init__(self, google: GoogleRest, project: str) -> None:
        self._google = google
        self._project = project

    def rows(self, query: str, since: datetime) -> Rows:
        """Return a query's rows as texts; `@since` in it is a time. Raises GoogleError."""
        return list(self.read(query, since))

    def read(self, query: str, since: datetime, **texts: str) -> Iterator[Row]:
        """Yield the rows as they come; names of `texts` are such parameters too."""
        path = f"/bigquery/v2/projects/{self._project}/queries"
        given = [("since", "TIMESTAMP", since.isoformat())]
        given += [(name, "STRING", text) for name, text in texts.items()]
        answer = self._google.call(
            "POST",
            "bigquery",
            path,
            body={
                "query": query,
                "useLegacySql": False,
                "parameterMode": "NAMED",
                "queryParameters": [
                    {
                        "name": name,
                        "parameterType": {"type": kind},
                        "parameterValue": {"value": value},
                    }
                    for name, kind, value in given
                ],
                "timeoutMs": _WAIT_MS,
            },
        )
        job: Mapping[str, str] = answer["jobReference"]
        yield from _rows(answer)
        while answer.get("pageToken") or not answer["jobComplete"]:
            parameters = {"location": job.get("location", ""), "timeoutMs": _WAIT_MS}
            if answer.get("pageToken"):
                parameters["pageToken"] = answer["pageToken"]
            answer = self._google.call("GET", "bigquery", f"{path}/{job['jobId']}", **parameters)
            yield from _rows(answer)


def _rows(answer: Mapping[str, Any]) -> Rows:
    if not answer["jobComplete"]:
        return ()
    names = [field["name"] for field in answer["schema"]["fields"]]
    return [
        dict(zip(names, (cell["v"] for cell in row["f"]), strict=True))
        for row in answer.get("rows", ())
    ]
