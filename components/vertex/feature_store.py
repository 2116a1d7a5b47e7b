"""FeatureStore: columns of BigQuery tables as features, answered within milliseconds by key.

Owns the feature groups, what serves them online, and who may ask for which. Does not own the
tables, nor what fills them (ScheduledQuery).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import feature_store as limits
from catalog.problems import in_order
from components.ready import after
from components.validation import Problems, component_type, register

_READER = "roles/aiplatform.featurestoreDataViewer"


class FeatureGroup(TypedDict):
    """Features of one kind of thing, such as customers."""

    table: pulumi.Input[str]
    """`<project>.<dataset>.<table>`, in the region, with a column feature_timestamp: of several
    rows of a thing the newest is served. Its queries need not name the days they read."""
    entity_columns: Annotated[Sequence[str], limits.ENTITY_COLUMNS]
    """Columns that together name the thing."""
    features: Sequence[str]
    """Columns that are served."""
    sync_schedule: NotRequired[Annotated[str, limits.SYNC_SCHEDULE]]
    """When new values are copied to what serves them."""
    readers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may ask for them, by any short name."""


class FeatureStoreArgs(TypedDict):
    """Arguments of FeatureStore."""

    project: pulumi.Input[str]
    """Id of the project, Vertex AI enabled."""
    region: str
    """Region of the tables and of what serves them."""
    groups: Annotated[Mapping[Annotated[str, limits.NAME], FeatureGroup], limits.GROUPS]
    """Feature groups by name; the view that is asked has the same."""
    min_nodes: NotRequired[Annotated[int, limits.MIN_NODES]]
    """Nodes of Bigtable that always run."""
    max_nodes: NotRequired[Annotated[int, limits.MAX_NODES]]
    """Nodes of Bigtable at most."""
    cpu_percent: NotRequired[Annotated[int, limits.CPU_PERCENT]]
    """How busy nodes are before one is added."""


def validate_feature_store(name: str, args: FeatureStoreArgs) -> Problems:
    """Check the plain values of the arguments, and that the name is allowed."""
    problems = Problems.of(FeatureStoreArgs, args)
    problems.check_limit(limits.NAME, store_id(name), "name")
    problems.extend(
        in_order(
            min_nodes=args.get("min_nodes", limits.MIN_NODES.default),
            max_nodes=args.get("max_nodes", limits.MAX_NODES.default),
        )
    )
    return problems


def store_id(name: str) -> str:
    """Return the id of the store of that name."""
    return name.replace("-", "_")


class FeatureStore(pulumi.ComponentResource):
    """Registers features and serves the newest from nodes of Bigtable.

    There is no name or address of its own: it is asked at Vertex AI's regional API, which networks
    with private access to Google's APIs reach privately and a perimeter closes to others. Whoever
    asks for a group is let in to that group's view alone. Vertex AI copies the values as its own
    agent, which Google lets read the project's tables.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vertex-ai/docs/featurestore/latest/overview
    https://cloud.google.com/vertex-ai/docs/featurestore/latest/online-serving-types
    """

    store_id: pulumi.Output[str]
    """Full name of the store."""
    view_ids: Mapping[str, pulumi.Output[str]]
    """Full names of what is asked, by group; wait for the grants."""

    def __init__(
        self, name: str, args: FeatureStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(FeatureStore), name, {}, opts)
        validate_feature_store(name, args).raise_if_any(f"FeatureStore {name}")
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        store = gcp.vertex.AiFeatureOnlineStore(
            f"{name}-store",
            name=store_id(name),
            project=args["project"],
            region=args["region"],
            bigtable={
                "auto_scaling": {
                    "min_node_count": args.get("min_nodes", limits.MIN_NODES.default),
                    "max_node_count": args.get("max_nodes", limits.MAX_NODES.default),
                    "cpu_utilization_target": args.get("cpu_percent", limits.CPU_PERCENT.default),
                }
            },
            opts=self._child,
        )
        self.store_id = store.id
        self.view_ids = {
            key: self._view(key, group, store) for key, group in args["groups"].items()
        }
        register(self)

    def _view(
        self, key: str, group: FeatureGroup, store: gcp.vertex.AiFeatureOnlineStore
    ) -> pulumi.Output[str]:
        name, args = f"{self._name}-{key}", self._args
        registered = gcp.vertex.AiFeatureGroup(
            f"{name}-group",
            name=key,
            project=args["project"],
            region=args["region"],
            big_query={
                "big_query_source": {"input_uri": pulumi.Output.concat("bq://", group["table"])},
                "entity_id_columns": [*group["entity_columns"]],
            },
            opts=self._child,
        )
        features = [
            gcp.vertex.AiFeatureGroupFeature(
                f"{name}-{feature}",
                name=feature.lower(),
                project=args["project"],
                region=args["region"],
                feature_group=registered.name,
                version_column_name=feature,
                opts=self._child,
            )
            for feature in group["features"]
        ]
        view = gcp.vertex.AiFeatureOnlineStoreFeatureview(
            f"{name}-view",
            name=key,
            project=args["project"],
            region=args["region"],
            feature_online_store=store.name,
            feature_registry_source={
                "feature_groups": [
                    {
                        "feature_group_id": registered.name,
                        "feature_ids": [each.name for each in features],
                    }
                ]
            },
            sync_config={"cron": group.get("sync_schedule", limits.SYNC_SCHEDULE.default)},
            opts=self._child,
        )
        grants = [
            gcp.vertex.AiFeatureOnlineStoreFeatureviewIamMember(
                f"{name}-read-{who}",
                project=args["project"],
                region=args["region"],
                feature_online_store=store.name,
                feature_view=view.name,
                role=_READER,
                member=member,
                opts=self._child,
            )
            for who, member in group.get("readers", {}).items()
        ]
        return after(view.id, *[grant.id for grant in grants])
