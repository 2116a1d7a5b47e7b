"""Warehouse: a BigQuery dataset with tables, materialized views, and views for those who may not
see the tables.

Owns the datasets, what is in them and who may use each table and view. Does not own the jobs that
query them: whoever runs those needs roles/bigquery.jobUser in the project that pays for them.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from catalog.limits.bigquery import REFRESH_MINUTES, SOURCE
from components.data.table_shape import partitioning, schema
from components.data.warehouse_arguments import (
    MaterializedView,
    Table,
    WarehouseArgs,
    dataset_id,
    table_shape,
    validate_warehouse,
)
from components.ready import after
from components.validation import component_type, register

_MINUTE_MS = 60 * 1000
_READER = "roles/bigquery.dataViewer"
_WRITER = "roles/bigquery.dataEditor"
# Not given, BigQuery lets every editor and viewer of the project in too.
_OWNERS: gcp.bigquery.DatasetAccessArgsDict = {"role": "OWNER", "special_group": "projectOwners"}


class Warehouse(pulumi.ComponentResource):
    """A dataset, and beside it one for its views where it has some.

    Nobody has a right on a whole dataset but the project's owners: tables and views are granted one
    by one. The dataset of the views is authorised to read the tables, so readers of a view need no
    right on them. Queries of a table must name the days they read, unless a view reads it: its
    queries need not. The dataset is named after the component, with underscores for hyphens, that
    of the views `<dataset>_views`.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/bigquery/docs/authorized-datasets
    https://cloud.google.com/bigquery/docs/materialized-views-intro
    """

    dataset_id: pulumi.Output[str]
    table_ids: Mapping[str, pulumi.Output[str]]
    """`<project>.<dataset>.<table>` by table and materialized view; waits for the grants."""
    view_ids: Mapping[str, pulumi.Output[str]]
    """`<project>.<dataset>_views.<view>` by view; waits for the grants."""

    def __init__(
        self, name: str, args: WarehouseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(Warehouse), name, {}, opts)
        validate_warehouse(name, args).raise_if_any(f"Warehouse {name}")
        self._prefix = name
        self._args = args
        self._protected = args.get("deletion_protection", True)
        self._key = args.get("kms_key")

        shown = None
        accesses = [_OWNERS]
        if args.get("views"):
            shown = self._dataset("views", f"{dataset_id(name)}_views", [_OWNERS])
            accesses.append(self._authorised(shown))
        dataset = self._dataset("dataset", dataset_id(name), accesses)
        tables = {key: self._table(dataset, key, table) for key, table in args["tables"].items()}
        materialized = {
            key: self._materialized_view(dataset, key, view, tables)
            for key, view in args.get("materialized_views", {}).items()
        }
        self.dataset_id = dataset.dataset_id
        self.table_ids = {
            key: self._granted(key, tables[key], table.get("readers", {}), table.get("writers", {}))
            for key, table in args["tables"].items()
        } | {
            key: self._granted(key, materialized[key], view.get("readers", {}), {})
            for key, view in args.get("materialized_views", {}).items()
        }
        self.view_ids = {} if shown is None else self._views(shown, {**tables, **materialized})
        register(self)

    def _dataset(
        self, role: str, name: str, accesses: Sequence[gcp.bigquery.DatasetAccessArgsDict]
    ) -> gcp.bigquery.Dataset:
        encryption: gcp.bigquery.DatasetDefaultEncryptionConfigurationArgsDict | None = (
            None if self._key is None else {"kms_key_name": self._key}
        )
        return gcp.bigquery.Dataset(
            f"{self._prefix}-{role}",
            project=self._args["project"],
            dataset_id=name,
            location=self._args["region"],
            accesses=accesses,
            default_encryption_configuration=encryption,
            delete_contents_on_destroy=False,
            opts=self._stateful(),
        )

    def _authorised(self, views: gcp.bigquery.Dataset) -> gcp.bigquery.DatasetAccessArgsDict:
        dataset: gcp.bigquery.DatasetAccessDatasetDatasetArgsDict = {
            "project_id": self._args["project"],
            "dataset_id": views.dataset_id,
        }
        return {"dataset": {"dataset": dataset, "target_types": ["VIEWS"]}}

    def _stateful(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self, protect=self._protected or None, delete_before_replace=True
        )

    def _encryption(self) -> gcp.bigquery.TableEncryptionConfigurationArgsDict | None:
        # Left to the dataset's default, the provider would take the key away again.
        return None if self._key is None else {"kms_key_name": self._key}

    def _table(self, dataset: gcp.bigquery.Dataset, key: str, table: Table) -> gcp.bigquery.Table:
        shape = table_shape(table)
        queries = [
            view["query"]
            for views in (self._args.get("materialized_views", {}), self._args.get("views", {}))
            for view in views.values()
        ]
        return gcp.bigquery.Table(
            f"{self._prefix}-{key}",
            project=self._args["project"],
            dataset_id=dataset.dataset_id,
            table_id=key,
            schema=schema(shape),
            time_partitioning=partitioning(shape),
            require_partition_filter=table.get("partition_filter", True)
            and not any(key in SOURCE.findall(query) for query in queries),
            clusterings=[*shape.get("cluster_by", ())] or None,
            encryption_configuration=self._encryption(),
            deletion_protection=self._protected,
            opts=self._stateful(),
        )

    def _materialized_view(
        self,
        dataset: gcp.bigquery.Dataset,
        key: str,
        view: MaterializedView,
        sources: Mapping[str, gcp.bigquery.Table],
    ) -> gcp.bigquery.Table:
        return gcp.bigquery.Table(
            f"{self._prefix}-{key}",
            project=self._args["project"],
            dataset_id=dataset.dataset_id,
            table_id=key,
            materialized_view={
                "query": self._sql(view["query"], sources),
                "enable_refresh": True,
                "refresh_interval_ms": view.get("refresh_minutes", REFRESH_MINUTES.default)
                * _MINUTE_MS,
            },
            encryption_configuration=self._encryption(),
            # It holds nothing of its own, and a new query replaces it.
            deletion_protection=False,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _sql(self, query: str, sources: Mapping[str, gcp.bigquery.Table]) -> pulumi.Output[str]:
        """Return the query with full names for its sources, which it waits for."""
        names = list(dict.fromkeys(SOURCE.findall(query)))
        full = [
            pulumi.Output.format(
                "`{0}.{1}.{2}`",
                self._args["project"],
                sources[name].dataset_id,
                sources[name].table_id,
            )
            for name in names
        ]

        def fill(values: Sequence[str]) -> str:
            by_name = dict(zip(names, values, strict=True))
            return SOURCE.sub(lambda found: by_name[found[1]], query)

        return pulumi.Output.all(*full).apply(fill)

    def _views(
        self, dataset: gcp.bigquery.Dataset, sources: Mapping[str, gcp.bigquery.Table]
    ) -> Mapping[str, pulumi.Output[str]]:
        return {
            key: self._granted(
                f"views-{key}",
                gcp.bigquery.Table(
                    f"{self._prefix}-views-{key}",
                    project=self._args["project"],
                    dataset_id=dataset.dataset_id,
                    table_id=key,
                    view={"query": self._sql(view["query"], sources), "use_legacy_sql": False},
                    deletion_protection=False,
                    opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
                ),
                view.get("readers", {}),
                {},
            )
            for key, view in self._args.get("views", {}).items()
        }

    def _granted(
        self,
        key: str,
        table: gcp.bigquery.Table,
        readers: Mapping[str, pulumi.Input[str]],
        writers: Mapping[str, pulumi.Input[str]],
    ) -> pulumi.Output[str]:
        """Return the table's full name, once those who may use it can."""
        grants = [
            gcp.bigquery.IamMember(
                f"{self._prefix}-{key}-{right}-{who}",
                project=self._args["project"],
                dataset_id=table.dataset_id,
                table_id=table.table_id,
                role=role,
                member=member,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for right, role, members in (("read", _READER, readers), ("write", _WRITER, writers))
            for who, member in members.items()
        ]
        return after(
            pulumi.Output.format(
                "{0}.{1}.{2}", self._args["project"], table.dataset_id, table.table_id
            ),
            *[grant.id for grant in grants],
        )
