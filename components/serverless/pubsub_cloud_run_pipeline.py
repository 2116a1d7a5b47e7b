"""PubSubCloudRunPipeline: messages in, each handled by a container, results in a table.

Owns every part from the topic to the table: topic, push subscription, service, identities, grants,
results, dead letters, and what else takes the messages. Does not own who publishes, nor who reads
what is kept.
"""

import pulumi
import pulumi_gcp as gcp

from catalog.limits import pubsub as limits
from components.arguments import pick_arguments
from components.ready import after
from components.serverless.cloud_run_arguments import CloudRunServiceArgs
from components.serverless.cloud_run_service import CloudRunService
from components.serverless.dead_letter import DeadLetter, DeadLetterArgs
from components.serverless.delivery import retention, retry_policy
from components.serverless.pipeline_sinks import sinks_of
from components.serverless.pubsub_cloud_run_pipeline_arguments import (
    SCHEMA_ENCODINGS,
    SCHEMA_TYPES,
    PubSubCloudRunPipelineArgs,
    validate_pubsub_cloud_run_pipeline,
)
from components.serverless.results_table import ResultsTable, ResultsTableArgs, dataset_of
from components.service_accounts import account_id
from components.validation import component_type, register


class PubSubCloudRunPipeline(pulumi.ComponentResource):
    """A Pub/Sub topic whose messages a private Cloud Run service handles, one POST each.

    The service runs as an account that may write to its results table, read the secrets it is given
    and nothing else. Pub/Sub signs its requests as a second account, the only one that may call the
    service. A message that fails `max_delivery_attempts` times goes to the dead letter topic, whose
    subscription keeps it to be looked at and published again. Beside the service, messages go as
    they came to a bucket (`archive`), a table (`bigquery_export`), a streaming job (`dataflow`) and
    a subscription to fetch from (`exactly_once_pull`), where these are given. The topic, the
    archive's bucket and the dataset of the results may be there already.
    The service finds GOOGLE_CLOUD_PROJECT, PUBSUB_TOPIC and RESULTS_TABLE
    (`<project>.<dataset>.<table>`) in its environment.

    Names come from the component's: topic `<name>`, service `<name>-service`, dataset
    `<name>_results`, bucket `<project>-<name>-archive`, dataset `<name>_messages`, subscription
    `<name>-pull`, job `<name>-dataflow`, dead letters `<name>-dead-letter`.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/run/docs/triggering/pubsub-push
    https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
    """

    topic_id: pulumi.Output[str]
    """Waits until messages are handled and kept: none that is published to it gets lost."""
    service_uri: pulumi.Output[str]
    dead_letter_topic_id: pulumi.Output[str]
    results_table: pulumi.Output[str]
    """`<project>.<dataset>.<table>`"""
    archive_bucket: pulumi.Output[str | None]
    """Name; None without an archive."""
    messages_table: pulumi.Output[str | None]
    """`<project>.<dataset>.<table>`; None without bigquery_export."""
    pull_subscription_id: pulumi.Output[str | None]
    """None without exactly_once_pull."""
    pull_service_account: pulumi.Output[str | None]
    """Email of the account that may fetch; None without exactly_once_pull."""
    push_service_account: pulumi.Output[str]
    """Email of the account Pub/Sub calls the service as."""
    runtime_service_account: pulumi.Output[str]
    """Email of the account the service runs as."""

    def __init__(
        self,
        name: str,
        args: PubSubCloudRunPipelineArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(PubSubCloudRunPipeline), name, {}, opts)
        validate_pubsub_cloud_run_pipeline(name, args).raise_if_any(
            f"PubSubCloudRunPipeline {name}"
        )
        self._prefix = name
        self._args = args
        self._agent = pulumi.Output.concat("serviceAccount:", args["pubsub_service_agent"])

        runtime = self._account("run", "runs the service")
        push = self._account("push", "calls the service")
        topic = self._topic()
        within = {}
        if "results_dataset" in args:
            within = {"dataset": args["results_dataset"], "table_id": dataset_of(f"{name}-results")}
        results = ResultsTable(
            f"{name}-results",
            pick_arguments(ResultsTableArgs, args, writers={"run": runtime.email}, **within),
            opts=pulumi.ResourceOptions(parent=self),
        )
        service = CloudRunService(
            f"{name}-service",
            pick_arguments(
                CloudRunServiceArgs,
                args,
                service_account=runtime.email,
                invokers={"push": push.email},
                environment={
                    **args.get("environment", {}),
                    "GOOGLE_CLOUD_PROJECT": args["project"],
                    "PUBSUB_TOPIC": topic,
                    "RESULTS_TABLE": results.table,
                },
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        dead_letter = self._dead_letter()
        delivery = self._push(topic, service, push, dead_letter)
        sinks = sinks_of(name, args, topic, dead_letter.topic_id, self)

        self.topic_id = after(topic, *[part.id for part in delivery], *sinks.subscriptions)
        self.service_uri = service.uri
        self.dead_letter_topic_id = dead_letter.topic_id
        self.results_table = results.table
        self.archive_bucket = pulumi.Output.from_input(sinks.archive_bucket)
        self.messages_table = pulumi.Output.from_input(sinks.messages_table)
        self.pull_subscription_id = pulumi.Output.from_input(sinks.pull_subscription_id)
        self.pull_service_account = pulumi.Output.from_input(sinks.pull_service_account)
        self.push_service_account = push.email
        self.runtime_service_account = runtime.email
        register(self)

    def _account(self, role: str, purpose: str) -> gcp.serviceaccount.Account:
        return gcp.serviceaccount.Account(
            f"{self._prefix}-{role}",
            project=self._args["project"],
            account_id=account_id(self._prefix, role),
            display_name=f"Pipeline {self._prefix}: {purpose}",
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _topic(self) -> pulumi.Output[str]:
        if "topic" in self._args:
            return pulumi.Output.from_input(self._args["topic"])
        stateful = pulumi.ResourceOptions(
            parent=self,
            protect=self._args.get("deletion_protection", True) or None,
            delete_before_replace=True,
        )
        message_schema = self._args.get("message_schema")
        settings: gcp.pubsub.TopicSchemaSettingsArgsDict | None = None
        if message_schema is not None:
            schema = gcp.pubsub.Schema(
                f"{self._prefix}-schema",
                name=self._prefix,
                project=self._args["project"],
                type=SCHEMA_TYPES[message_schema["type"]],
                definition=message_schema["definition"],
                opts=stateful,
            )
            encoding = message_schema.get("encoding", limits.SCHEMA_ENCODING.default)
            settings = {"schema": schema.id, "encoding": SCHEMA_ENCODINGS[encoding]}
        return gcp.pubsub.Topic(
            f"{self._prefix}-topic",
            name=self._prefix,
            project=self._args["project"],
            message_retention_duration=retention(self._args),
            message_storage_policy={"allowed_persistence_regions": [self._args["region"]]},
            schema_settings=settings,
            opts=stateful,
        ).id

    def _dead_letter(self) -> DeadLetter:
        return DeadLetter(
            f"{self._prefix}-dead-letter",
            pick_arguments(DeadLetterArgs, self._args),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _push(
        self,
        topic: pulumi.Output[str],
        service: CloudRunService,
        push: gcp.serviceaccount.Account,
        dead_letter: DeadLetter,
    ) -> tuple[pulumi.CustomResource, ...]:
        args = self._args
        sign = gcp.serviceaccount.IAMMember(
            f"{self._prefix}-push-sign",
            service_account_id=push.name,
            role="roles/iam.serviceAccountTokenCreator",
            member=self._agent,
            opts=pulumi.ResourceOptions(parent=self),
        )
        subscription = gcp.pubsub.Subscription(
            f"{self._prefix}-push",
            name=f"{self._prefix}-push",
            project=args["project"],
            topic=topic,
            push_config={
                "push_endpoint": service.uri,
                "oidc_token": {"service_account_email": push.email, "audience": service.uri},
                "no_wrapper": {"write_metadata": True} if args.get("unwrapped") else None,
            },
            ack_deadline_seconds=args.get(
                "ack_deadline_seconds", limits.ACK_DEADLINE_SECONDS.default
            ),
            message_retention_duration=retention(self._args),
            retain_acked_messages=False,
            enable_message_ordering=args.get("ordering") or None,
            filter=args.get("filter"),
            expiration_policy={"ttl": ""},
            retry_policy=retry_policy(args.get("retry", {})),
            dead_letter_policy={
                "dead_letter_topic": dead_letter.topic_id,
                "max_delivery_attempts": args.get(
                    "max_delivery_attempts", limits.MAX_DELIVERY_ATTEMPTS.default
                ),
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[sign], delete_before_replace=True),
        )
        # Pub/Sub takes a dead message off the subscription in its own name.
        forward = gcp.pubsub.SubscriptionIAMMember(
            f"{self._prefix}-push-forward",
            project=args["project"],
            subscription=subscription.name,
            role="roles/pubsub.subscriber",
            member=self._agent,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return subscription, forward
