"""Data: lake buckets, warehouse datasets and the cache, with who may use each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.data.key_access import KeyAccess
from components.data.lake_bucket import LakeBucket
from components.data.redis_cache import RedisCache
from components.data.warehouse import Warehouse
from components.data.warehouse_arguments import MaterializedView, Table, View
from components.names import label_of
from components.network.private_service_access import PrivateServiceAccess
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from config.data import Cache, Dataset
from config.data import LakeBucket as BucketSettings
from config.data import MaterializedView as MaterializedViewSettings
from config.data import Table as TableSettings
from config.data import View as ViewSettings
from config.platform import Platform
from config.principals import is_pipeline
from stacks.foundation import PLATFORM, Foundation


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
) -> Data:
    """Make the data part of the config; pipelines may be named as readers and writers."""
    return _DataBuilder(platform, foundation, pipelines).build()


@dataclass(frozen=True)
class _DataBuilder:
    platform: Platform
    foundation: Foundation
    pipelines: Mapping[str, PubSubCloudRunPipeline]

    def build(self) -> Data:
        data = self.platform.data
        keys = {
            key: self._key(key, services).key for key, services in sorted(data.kms_keys.items())
        }
        return Data(
            lake={name: self._bucket(name, each, keys) for name, each in data.lake.items()},
            warehouse={
                name: self._dataset(name, each, keys) for name, each in data.warehouse.items()
            },
            cache=None if data.cache is None else self._cache(data.cache),
        )

    def _key(self, key: str, services: Sequence[str]) -> KeyAccess:
        return KeyAccess(
            label_of(PLATFORM, *key.split("/")[1::2]),
            {
                "project": self.foundation.services.project_for("cloudkms", *services),
                "key": key,
                "services": services,
            },
            self.foundation.google,
        )

    def _bucket(
        self, name: str, bucket: BucketSettings, keys: Mapping[str, pulumi.Output[str]]
    ) -> LakeBucket:
        return LakeBucket(
            f"{name}-lake",
            {
                "project": self.foundation.services.project_for("storage"),
                "location": bucket.region,
                "storage_class": bucket.storage_class,
                "colder_after_days": bucket.colder_after_days,
                "delete_after_days": bucket.delete_after_days,
                "retention_days": bucket.retention_days,
                "soft_delete_days": bucket.soft_delete_days,
                "versioning": bucket.versioning,
                "old_versions_days": bucket.old_versions_days,
                "kms_key": keys[bucket.kms_key] if bucket.kms_key else None,
                "readers": self._members(bucket.readers),
                "writers": self._members(bucket.writers),
                "deletion_protection": self.platform.deletion_protection,
            },
            self.foundation.google,
        )

    def _dataset(
        self, name: str, dataset: Dataset, keys: Mapping[str, pulumi.Output[str]]
    ) -> Warehouse:
        return Warehouse(
            name,
            {
                "project": self.foundation.services.project_for("bigquery"),
                "location": dataset.region,
                "tables": {key: self._table(each) for key, each in dataset.tables.items()},
                "materialized_views": {
                    key: self._materialized_view(each)
                    for key, each in dataset.materialized_views.items()
                },
                "views": {key: self._view(each) for key, each in dataset.views.items()},
                "kms_key": keys[dataset.kms_key] if dataset.kms_key else None,
                "deletion_protection": self.platform.deletion_protection,
            },
            self.foundation.google,
        )

    def _table(self, table: TableSettings) -> Table:
        return {
            "fields": [
                {"name": field.name, "type": field.type, "mode": field.mode}
                for field in table.fields
            ],
            "partition_field": table.partition_field,
            "partition_expiration_days": table.partition_expiration_days,
            "cluster_by": table.cluster_by,
            "readers": self._members(table.readers),
            "writers": self._members(table.writers),
        }

    def _materialized_view(self, view: MaterializedViewSettings) -> MaterializedView:
        return {**self._view(view), "refresh_minutes": view.refresh_minutes}

    def _view(self, view: ViewSettings) -> View:
        return {"query": view.query, "readers": self._members(view.readers)}

    def _cache(self, cache: Cache) -> RedisCache:
        services, protected = self.foundation.services, self.platform.deletion_protection
        access = PrivateServiceAccess(
            PLATFORM,
            {
                "project": services.project_for("compute", "servicenetworking"),
                "network": self.foundation.vpc.network_id,
                "range": cache.range,
                "deletion_protection": protected,
            },
            self.foundation.google,
        )
        return RedisCache(
            f"{PLATFORM}-cache",
            {
                "project": services.project_for("redis", "secretmanager"),
                "region": cache.region,
                "network": access.network_id,
                "range_name": access.range_name,
                "memory_gib": cache.memory_gib,
                "tier": cache.tier,
                "read_replicas": cache.read_replicas,
                "readers": self._members(cache.readers),
                "deletion_protection": protected,
            },
            self.foundation.google,
        )

    def _members(self, principals: Sequence[str]) -> Mapping[str, pulumi.Input[str]]:
        """Return the principals as IAM writes them, by what the config calls them."""
        return {
            each: pulumi.Output.concat(
                "serviceAccount:", self.pipelines[each].runtime_service_account
            )
            if is_pipeline(each)
            else each
            for each in principals
        }
