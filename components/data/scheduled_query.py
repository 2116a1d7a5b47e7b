"""ScheduledQuery: adds what a query finds to a table, again and again, such as features.

Owns the schedule, whom the query runs as, what that may read and write, and the alert of a run that
failed. Does not own the tables.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import scheduled_query as limits
from components.data.table_member import table_member
from components.log_alert import log_alert
from components.ready import after
from components.service_accounts import account_id
from components.validation import Problems, component_type, register

_READER = "roles/bigquery.dataViewer"
_WRITER = "roles/bigquery.dataEditor"


class ScheduledQueryArgs(TypedDict):
    """Arguments of ScheduledQuery."""

    project: pulumi.Input[str]
    """Id of the project; the APIs of BigQuery and its Data Transfer Service are on."""
    region: str
    """Region of the tables."""
    table: pulumi.Input[str]
    """`<project>.<dataset>.<table>` that rows are added to."""
    query: str
    """GoogleSQL whose columns are those of the table, in their order, with sources as
    `{dataset.table}`; @run_time is when it was due."""
    sources: Mapping[str, pulumi.Input[str]]
    """`<project>.<dataset>.<table>` of what it reads, by how the query names it."""
    every: Annotated[str, limits.EVERY]
    """How often, or when."""
    channels: NotRequired[Sequence[pulumi.Input[str]]]
    """Full names of notification channels of those who are told of a run that failed."""


class ScheduledQuery(pulumi.ComponentResource):
    """A query of BigQuery's Data Transfer Service that runs as an account of its own.

    The account reads the tables that the query names, and writes the one it fills. A run adds rows,
    and a run that is repeated adds them again.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/bigquery/docs/scheduling-queries
    https://cloud.google.com/bigquery/docs/use-service-accounts
    """

    config_name: pulumi.Output[str]
    """Full name of the transfer; waits for its alert."""
    service_account: pulumi.Output[str]
    """Email of the account that it runs as."""

    def __init__(
        self, name: str, args: ScheduledQueryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ScheduledQuery), name, {}, opts)
        problems = Problems.of(ScheduledQueryArgs, args)
        problems.extend(limits.sources(args))
        problems.raise_if_any(f"ScheduledQuery {name}")
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account(
            f"{name}-account",
            project=args["project"],
            account_id=account_id(name, "query"),
            display_name=f"Scheduled query {name}",
            opts=self._child,
        )
        named = dict.fromkeys(limits.SOURCE.findall(args["query"]))
        member = pulumi.Output.concat("serviceAccount:", account.email)
        grants = [
            gcp.projects.IAMMember(
                f"{name}-queries",
                project=args["project"],
                role="roles/bigquery.jobUser",
                member=member,
                opts=self._child,
            ),
            table_member(f"{name}-writes", args["table"], _WRITER, member, self._child),
            *(
                table_member(
                    f"{name}-reads-{source}", args["sources"][source], _READER, member, self._child
                )
                for source in named
            ),
        ]
        # As DML there is no dataset for the service to write to: it would want to change that.
        config = gcp.bigquery.DataTransferConfig(
            f"{name}-config",
            project=args["project"],
            location=args["region"],
            display_name=name,
            data_source_id="scheduled_query",
            schedule=f"every {args['every']}",
            service_account_name=account.email,
            params={"query": self._sql(list(named))},
            opts=pulumi.ResourceOptions(parent=self, depends_on=grants),
        )
        alert = log_alert(
            f"{name}-failed",
            project=args["project"],
            title=f"{name}: a scheduled query failed",
            found_by=config.id.apply(
                lambda full: (
                    'resource.type="bigquery_dts_config" AND '
                    f'resource.labels.config_id="{full.rpartition("/")[2]}" AND severity>=ERROR'
                )
            ),
            advice="The table misses what the run would have added. See "
            "docs/tasks/fill-a-table.md.",
            channels=args.get("channels", ()),
            parent=self,
        )
        self.config_name = after(config.id, alert.id)
        self.service_account = account.email
        register(self)

    def _sql(self, names: Sequence[str]) -> pulumi.Output[str]:
        """Return the statement with full names, which it waits for."""

        def fill(values: Sequence[str]) -> str:
            target, *tables = (f"`{each}`" for each in values)
            by_name = dict(zip(names, tables, strict=True))
            select = limits.SOURCE.sub(lambda found: by_name[found[1]], self._args["query"])
            return f"INSERT INTO {target} {select}"

        sources = [self._args["sources"][name] for name in names]
        return pulumi.Output.all(self._args["table"], *sources).apply(fill)
