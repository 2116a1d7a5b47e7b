"""Tables at work: queries that fill them, what must hold of their rows, and features of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from catalog.conventions import PLATFORM
from catalog.limits.feature_store import features_of
from components.data.data_quality import ColumnRule, DataQuality, DataQualityArgs
from components.data.scheduled_query import ScheduledQuery, ScheduledQueryArgs
from components.names import label_of
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.vertex.feature_store import FeatureGroup, FeatureStore, FeatureStoreArgs
from config.data_quality import Quality
from config.feature_store import FeatureGroup as GroupSettings
from config.platform import Platform
from stacks.arguments import to_args
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.principals import members


@dataclass(frozen=True)
class Tables:
    """Makes what works on the tables of a config."""

    platform: Platform
    foundation: Foundation
    pipelines: Mapping[str, PubSubCloudRunPipeline]
    data: Data
    channels: Sequence[pulumi.Input[str]]

    def build(self) -> FeatureStore | None:
        """Make all; return what serves features, where there is one."""
        for path, query in self.platform.data.scheduled_queries.items():
            ScheduledQuery(
                label_of(path),
                to_args(
                    ScheduledQueryArgs,
                    query,
                    project=self.foundation.services.project_for(
                        "bigquery", "bigquerydatatransfer", "iam", "monitoring"
                    ),
                    region=self._regions[path],
                    table=self._ids[path],
                    sources=self._ids,
                    channels=self.channels,
                ),
                self.foundation.google,
            )
        for path, table in self.platform.scanned_tables.items():
            if table.quality is not None:
                self._scan(path, table.quality, table.partition_field)
        return self._features()

    @property
    def _ids(self) -> Mapping[str, pulumi.Output[str]]:
        """The full names of all tables, by <dataset>.<table>."""
        settings = self.platform.pipelines
        return {
            **{
                settings[name].results_path(name): pipeline.results_table
                for name, pipeline in self.pipelines.items()
            },
            **{
                f"{name}.{key}": table
                for name, dataset in self.data.warehouse.items()
                for key, table in dataset.table_ids.items()
            },
        }

    @property
    def _regions(self) -> Mapping[str, str]:
        return {
            **{
                each.results_path(name): each.region
                for name, each in self.platform.pipelines.items()
            },
            **{
                f"{name}.{key}": dataset.region
                for name, dataset in self.platform.data.warehouse.items()
                for key in dataset.tables
            },
        }

    def _scan(self, path: str, quality: Quality, day: str) -> None:
        services = self.foundation.services
        DataQuality(
            label_of(path),
            to_args(
                DataQualityArgs,
                quality,
                project=services.project_for("bigquery", "dataplex", "monitoring"),
                project_number=services.project_number,
                region=self._regions[path],
                table=self._ids[path],
                scanned_by=day,
                rules={name: to_args(ColumnRule, rule) for name, rule in quality.rules.items()},
                channels=self.channels,
            ),
            self.foundation.google,
        )

    def _features(self) -> FeatureStore | None:
        store = self.platform.feature_store
        if store is None:
            return None
        return FeatureStore(
            f"{PLATFORM}-features",
            to_args(
                FeatureStoreArgs,
                store,
                project=self.foundation.services.project_for("aiplatform", "bigquery"),
                groups={name: self._group(group) for name, group in store.groups.items()},
            ),
            self.foundation.google,
        )

    def _group(self, group: GroupSettings) -> FeatureGroup:
        table = self.platform.data.tables[group.table]
        fields = [each.model_dump() for each in table.fields]
        return to_args(
            FeatureGroup,
            group,
            table=self._ids[group.table],
            features=[*features_of(group.model_dump(), fields)],
            readers=members(group.readers, self.pipelines),
        )
