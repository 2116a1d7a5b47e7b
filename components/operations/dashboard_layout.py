"""The layout of a dashboard: the catalog's charts in rows of three below their sections' headers.

Fields: https://cloud.google.com/monitoring/api/ref_dashboards/rest/v1/projects.dashboards. The API
gives back no field that is zero or empty, so none is written: it would differ for ever.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

import pulumi

from catalog.metrics import CHARTS, QUERIES, Chart

_COLUMNS: Final = 48
_IN_A_ROW: Final = 3
_WIDTH: Final = _COLUMNS // _IN_A_ROW
_HEIGHT: Final = 16
_HEADER_HEIGHT: Final = 4
_CONSOLE: Final = "https://console.cloud.google.com/monitoring/dashboards/builder/"


def dashboard_json(dashboard: str, title: str, matchers: Mapping[str, str]) -> str:
    """Return the JSON of one of the catalog's dashboards, with the charts `matchers` can fill."""
    charts = [
        chart
        for chart in CHARTS.values()
        if chart.dashboard == dashboard and _queries(chart, matchers)
    ]
    layout = {"columns": _COLUMNS, "tiles": list(_tiles(charts, matchers))}
    return json.dumps({"displayName": title, "mosaicLayout": layout})


def console_url(dashboard_id: pulumi.Output[str], project: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the address of a dashboard in the console, from the resource's id."""
    short = dashboard_id.apply(lambda value: value.rpartition("/")[2])
    return pulumi.Output.concat(_CONSOLE, short, "?project=", project)


def _queries(chart: Chart, matchers: Mapping[str, str]) -> list[str]:
    return [name for name in chart.queries if QUERIES[name].is_about(matchers)]


def _tiles(charts: list[Chart], matchers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    y = 0
    for section, members in groupby(charts, key=lambda chart: chart.section):
        yield _tile(0, y, _COLUMNS, _HEADER_HEIGHT, _header(section))
        y += _HEADER_HEIGHT
        row = list(members)
        for position, chart in enumerate(row):
            x = position % _IN_A_ROW * _WIDTH
            top = y + position // _IN_A_ROW * _HEIGHT
            yield _tile(x, top, _WIDTH, _HEIGHT, _widget(chart, matchers))
        y += -(-len(row) // _IN_A_ROW) * _HEIGHT


def _tile(x: int, y: int, width: int, height: int, widget: dict[str, Any]) -> dict[str, Any]:
    place = {"xPos": x, "yPos": y, "width": width, "height": height}
    return {**{key: value for key, value in place.items() if value}, "widget": widget}


def _header(section: str) -> dict[str, Any]:
    return {"title": section, "sectionHeader": {"dividerBelow": True}}


def _widget(chart: Chart, matchers: Mapping[str, str]) -> dict[str, Any]:
    lines = [
        {
            "timeSeriesQuery": {
                "prometheusQuery": QUERIES[name].text(matchers),
                "unitOverride": chart.unit,
            },
            "plotType": "LINE",
            "targetAxis": "Y1",
            "legendTemplate": re.sub(r"\{(\w+)\}", r"${\1}", QUERIES[name].legend),
        }
        for name in _queries(chart, matchers)
    ]
    return {
        "title": chart.title,
        "xyChart": {
            "dataSets": lines,
            "yAxis": {"scale": "LINEAR"},
            "chartOptions": {"mode": "COLOR"},
        },
    }
