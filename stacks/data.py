"""Data: lake buckets, warehouse datasets and the cache, with who may use each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from catalog.conventions import PLATFORM
from components.data.lake_bucket import LakeBucket, LakeBucketArgs
from components.data.redis_cache import RedisCache, RedisCacheArgs
from components.data.warehouse import Warehouse
from components.data.warehouse_arguments import MaterializedView, Table, View, WarehouseArgs
from components.network.private_service_access import PrivateServiceAccess
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from config.data import Cache, Dataset
from config.data import LakeBucket as BucketSettings
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation
from stacks.principals import members


@dataclass(frozen=True)
class Data:
    """What was made, by name."""

    lake: Mapping[str, LakeBucket]
    warehouse: Mapping[str, Warehouse]
    cache: RedisCache | None


def build_data(
    platform: Platform,
    foundation: Foundation,
    pipelines: Mapping[str, PubSubCloudRunPipeline],
    services: Mapping[str, pulumi.Output[str]],
) -> Data:
    """Make the data part of the config; pipelines may be named as readers and writers, and the
    accounts of `services` write the logs of their requests."""
    return _DataBuilder(platform, foundation, pipelines, services).build()


@dataclass(frozen=True)
class _DataBuilder:
    platform: Platform
    foundation: Foundation
    pipelines: Mapping[str, PubSubCloudRunPipeline]
    services: Mapping[str, pulumi.Output[str]]

    def build(self) -> Data:
        data = self.platform.data
        return Data(
            lake={name: self._bucket(name, each) for name, each in data.lake.items()},
            warehouse={name: self._dataset(name, each) for name, each in data.warehouse.items()},
            cache=None if data.cache is None else self._cache(data.cache),
        )

    def _who(self, principals: Sequence[str]) -> Mapping[str, pulumi.Input[str]]:
        return members(principals, self.pipelines)

    def _loggers(self, table: str) -> Mapping[str, pulumi.Input[str]]:
        """Return the services that log their requests in the table."""
        return {
            name: pulumi.Output.concat("serviceAccount:", self.services[name])
            for name, service in self.platform.services.items()
            if service.request_log is not None and service.request_log.table == table
        }

    def _bucket(self, name: str, bucket: BucketSettings) -> LakeBucket:
        return LakeBucket(
            f"{name}-lake",
            to_args(
                LakeBucketArgs,
                bucket,
                project=self.foundation.services.project_for("storage"),
                readers=self._who(bucket.readers),
                writers=self._who(bucket.writers),
                deletion_protection=self.platform.deletion_protection,
            ),
            self.foundation.google,
        )

    def _dataset(self, name: str, dataset: Dataset) -> Warehouse:
        features = self.platform.feature_store
        return Warehouse(
            name,
            to_args(
                WarehouseArgs,
                dataset,
                project=self.foundation.services.project_for("bigquery"),
                tables={
                    key: to_args(
                        Table,
                        table,
                        readers=self._who(table.readers),
                        partition_filter=not (features and f"{name}.{key}" in features.tables),
                        writers={
                            **self._who(table.writers),
                            **self._loggers(f"{name}.{key}"),
                        },
                    )
                    for key, table in dataset.tables.items()
                },
                materialized_views={
                    key: to_args(MaterializedView, view, readers=self._who(view.readers))
                    for key, view in dataset.materialized_views.items()
                },
                views={
                    key: to_args(View, view, readers=self._who(view.readers))
                    for key, view in dataset.views.items()
                },
                deletion_protection=self.platform.deletion_protection,
            ),
            self.foundation.google,
        )

    def _cache(self, cache: Cache) -> RedisCache:
        services, protected = self.foundation.services, self.platform.deletion_protection
        access = PrivateServiceAccess(
            PLATFORM,
            {
                "project": self.platform.host_project
                or services.project_for("compute", "servicenetworking"),
                "network": self.foundation.vpc.network_id,
                "range": cache.range,
                "deletion_protection": protected,
            },
            self.foundation.google,
        )
        return RedisCache(
            f"{PLATFORM}-cache",
            to_args(
                RedisCacheArgs,
                cache,
                project=services.project_for("redis", "secretmanager"),
                network=access.network_id,
                range_name=access.range_name,
                readers=self._who(cache.readers),
                deletion_protection=protected,
            ),
            self.foundation.google,
        )
