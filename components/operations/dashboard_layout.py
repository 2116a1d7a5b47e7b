"""The layout of a dashboard: the catalog's charts in rows of three below their sections' headers.

Fields: https://cloud.google.com/monitoring/api/ref_dashboards/rest/v1/projects.dashboards. The API
gives back no field that is zero or empty, so none is written: it would differ for ever.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import pulumi

from catalog.metrics import CHARTS, QUERIES, Chart

Widget = dict[str, Any]
"""A part of a dashboard, as the API has it."""

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
    return layout_json(
        title,
        [
            (section, [_widget(chart, matchers) for chart in members])
            for section, members in groupby(charts, key=lambda chart: chart.section)
        ],
    )


def layout_json(title: str, sections: Sequence[tuple[str, Sequence[Widget]]]) -> str:
    """Return the JSON of a dashboard of sections, each a header with widgets below."""
    layout = {"columns": _COLUMNS, "tiles": list(_tiles(sections))}
    return json.dumps({"displayName": title, "mosaicLayout": layout})


def line_chart(title: str, unit: str, lines: Sequence[tuple[Widget, str]]) -> Widget:
    """Return a chart of lines, each a query and the template of its name. The unit is UCUM."""
    return {
        "title": title,
        "xyChart": {
            "dataSets": [
                {
                    "timeSeriesQuery": {**query, "unitOverride": unit},
                    "plotType": "LINE",
                    "targetAxis": "Y1",
                    "legendTemplate": legend,
                }
                for query, legend in lines
            ],
            "yAxis": {"scale": "LINEAR"},
            "chartOptions": {"mode": "COLOR"},
        },
    }


def console_url(dashboard_id: pulumi.Output[str], project: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the address of a dashboard in the console, from the resource's id."""
    short = dashboard_id.apply(lambda value: value.rpartition("/")[2])
    return pulumi.Output.concat(_CONSOLE, short, "?project=", project)


def _queries(chart: Chart, matchers: Mapping[str, str]) -> list[str]:
    return [name for name in chart.queries if QUERIES[name].is_about(matchers)]


def _tiles(sections: Sequence[tuple[str, Sequence[Widget]]]) -> Iterator[Widget]:
    y = 0
    for section, row in sections:
        yield _tile(0, y, _COLUMNS, _HEADER_HEIGHT, _header(section))
        y += _HEADER_HEIGHT
        for position, widget in enumerate(row):
            x = position % _IN_A_ROW * _WIDTH
            top = y + position // _IN_A_ROW * _HEIGHT
            yield _tile(x, top, _WIDTH, _HEIGHT, widget)
        y += -(-len(row) // _IN_A_ROW) * _HEIGHT


def _tile(x: int, y: int, width: int, height: int, widget: Widget) -> Widget:
    place = {"xPos": x, "yPos": y, "width": width, "height": height}
    return {**{key: value for key, value in place.items() if value}, "widget": widget}


def _header(section: str) -> Widget:
    return {"title": section, "sectionHeader": {"dividerBelow": True}}


def _widget(chart: Chart, matchers: Mapping[str, str]) -> Widget:
    lines = [
        (
            {"prometheusQuery": QUERIES[name].text(matchers)},
            re.sub(r"\{(\w+)\}", r"${\1}", QUERIES[name].legend),
        )
        for name in _queries(chart, matchers)
    ]
    return line_chart(chart.title, chart.unit, lines)
