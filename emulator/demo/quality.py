"""Scans of the pipelines' results: what holds of their rows, and who is told of a wrong one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from catalog.words import plural
from emulator.demo.checks import Check
from emulator.demo.pipelines import Pipeline
from emulator.runtime.emulator import Emulator
from emulator.runtime.log_alerts import LogAlerts
from emulator.warehouse.quality import scanned, spoilt
from sandbox.world import CloudResource

_SCAN: Final = "gcp:dataplex/datascan:Datascan"
_STATE: Final = 'labels."dataplex.googleapis.com/data_scan_state"'

Tell = Callable[[str], None]


def play_scans(emulator: Emulator, done: Sequence[Pipeline], tell: Tell) -> Sequence[Check]:
    """Scan the results of the pipelines by the rules of the stack, then with a wrong row."""
    results = {pipeline.results for pipeline in done}
    return [
        check
        for scan in emulator.world.by_type(_SCAN)
        if (table := _table(scan)) in results and "dataQualitySpec" in scan.inputs
        if emulator.warehouse.rows(table)
        for check in _play(emulator, scan, table, tell)
    ]


def _table(scan: CloudResource) -> str:
    return str(scan.inputs["data"]["resource"]).removeprefix("//bigquery.googleapis.com/")


def _play(emulator: Emulator, scan: CloudResource, table: str, tell: Tell) -> Sequence[Check]:
    name, rules = scan.inputs["dataScanId"], scan.inputs["dataQualitySpec"]["rules"]
    warehouse, alerts = emulator.warehouse, _alerts(emulator)
    rows = warehouse.rows(table)
    usual = scanned(rules, rows)
    holding = sum(usual.values())
    fired = alerts.tell_of([_entry(emulator, scan, usual)])
    tell(f"\n{name}: {holding} of {plural(len(usual), 'rule')} hold in {plural(len(rows), 'row')}")
    columns = warehouse.columns(table)
    required = {column.name for column in columns if column.mode == "REQUIRED"}
    broken = [
        rule
        for rule in rules
        if "column" in rule and not ("nonNullExpectation" in rule and rule["column"] in required)
    ]
    warehouse.append(table, [spoilt(rule, rows[-1]) for rule in broken])
    wrong = scanned(rules, warehouse.rows(table))
    told = alerts.tell_of([_entry(emulator, scan, wrong)])
    warehouse.remove(table)
    warehouse.append(table, rows)
    failed = sorted(rule for rule, holds in wrong.items() if not holds)
    tell(f"  with a wrong row for each: {', '.join(failed)} fail")
    return [
        Check(name, "rules that hold", holding, len(rules)),
        Check(name, "alerts while they hold", len(fired), 0),
        Check(name, "rules that wrong rows break", len(failed), len(broken)),
        Check(name, "alerts of them", len(told), 1),
    ]


def _alerts(emulator: Emulator) -> LogAlerts:
    return LogAlerts(
        emulator.world, emulator.broker, emulator.home / "instances", emulator.clock.now
    )


def _entry(emulator: Emulator, scan: CloudResource, found: Mapping[str, bool]) -> Mapping[str, Any]:
    """Return what Dataplex logs of a scan."""
    number = emulator.world.projects()[scan.project]
    return {
        "resource.type": "dataplex.googleapis.com/DataScan",
        "resource.labels.resource_container": f"projects/{number}",
        "resource.labels.datascan_id": str(scan.inputs["dataScanId"]),
        _STATE: "SUCCEEDED",
        "jsonPayload.dataQuality.passed": str(all(found.values())).lower(),
    }
