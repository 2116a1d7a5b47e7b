"""Who else takes a pipeline's messages, beside its service: what the arguments ask for."""

from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from components.arguments import pick_arguments
from components.serverless.dataflow_job import DataflowJob, DataflowJobArgs, worker_account_id
from components.serverless.message_archive import MessageArchive, MessageArchiveArgs
from components.serverless.message_table import MessageTable, MessageTableArgs
from components.serverless.pubsub_cloud_run_pipeline_arguments import (
    PubSubCloudRunPipelineArgs,
    has_avro_schema,
)
from components.serverless.pull_subscription import PullSubscription, PullSubscriptionArgs
from components.service_accounts import account_id


@dataclass
class Sinks:
    """What was made, and the subscriptions that must be there before a message is published."""

    archive_bucket: pulumi.Output[str] | None = None
    messages_table: pulumi.Output[str] | None = None
    pull_subscription_id: pulumi.Output[str] | None = None
    pull_service_account: pulumi.Output[str] | None = None
    subscriptions: list[pulumi.Output[str]] = field(default_factory=list[pulumi.Output[str]])


def sinks_of(
    name: str,
    args: PubSubCloudRunPipelineArgs,
    topic: pulumi.Output[str],
    dead_letter_topic: pulumi.Output[str],
    parent: pulumi.Resource,
) -> Sinks:
    """Make them as children of `parent`, with names that begin with `name`."""
    return _Builder(name, args, topic, dead_letter_topic, parent).build()


@dataclass(frozen=True)
class _Builder:
    name: str
    args: PubSubCloudRunPipelineArgs
    topic: pulumi.Output[str]
    dead_letter_topic: pulumi.Output[str]
    parent: pulumi.Resource

    @property
    def child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self.parent)

    def build(self) -> Sinks:
        sinks = Sinks()
        self._archive(sinks)
        self._table(sinks)
        if self.args.get("exactly_once_pull"):
            account = self._account("pull", account_id(self.name, "pull"), "fetches messages")
            subscription = self._pull(f"{self.name}-pull", account, exactly_once=True)
            sinks.pull_service_account = account.email
            sinks.pull_subscription_id = subscription.subscription_id
            sinks.subscriptions.append(subscription.subscription_id)
        self._dataflow(sinks)
        return sinks

    def _archive(self, sinks: Sinks) -> None:
        if self.args.get("archive") is None:
            return
        there = {"bucket": self.args["archive_bucket"]} if "archive_bucket" in self.args else {}
        made = MessageArchive(
            f"{self.name}-archive",
            pick_arguments(
                MessageArchiveArgs,
                self.args,
                topic=self.topic,
                use_topic_schema=has_avro_schema(self.args),
                **there,
            ),
            opts=self.child,
        )
        sinks.archive_bucket = made.bucket_name
        sinks.subscriptions.append(made.subscription_id)

    def _table(self, sinks: Sinks) -> None:
        export = self.args.get("bigquery_export")
        if export is None:
            return
        made = MessageTable(
            f"{self.name}-messages",
            pick_arguments(
                MessageTableArgs,
                self.args,
                topic=self.topic,
                dead_letter_topic=self.dead_letter_topic,
                export=export,
            ),
            opts=self.child,
        )
        sinks.messages_table = made.table
        sinks.subscriptions.append(made.subscription_id)

    def _dataflow(self, sinks: Sinks) -> None:
        if self.args.get("dataflow") is None:
            return
        job = f"{self.name}-dataflow"
        account = self._account("dataflow", worker_account_id(job), "runs the streaming job")
        # Dataflow tells repeated messages apart by itself.
        subscription = self._pull(job, account, exactly_once=False)
        sinks.subscriptions.append(subscription.subscription_id)
        DataflowJob(
            job,
            pick_arguments(
                DataflowJobArgs,
                self.args,
                subscription_id=subscription.subscription_id,
                service_account=account.email,
            ),
            opts=self.child,
        )

    def _pull(
        self, name: str, account: gcp.serviceaccount.Account, *, exactly_once: bool
    ) -> PullSubscription:
        args = pick_arguments(
            PullSubscriptionArgs,
            self.args,
            topic=self.topic,
            dead_letter_topic=self.dead_letter_topic,
            consumers={"fetch": account.email},
            exactly_once=exactly_once,
            ordering=exactly_once and self.args.get("ordering", False),
        )
        return PullSubscription(name, args, opts=self.child)

    def _account(self, role: str, id_: str, purpose: str) -> gcp.serviceaccount.Account:
        return gcp.serviceaccount.Account(
            f"{self.name}-{role}",
            project=self.args["project"],
            account_id=id_,
            display_name=f"Pipeline {self.name}: {purpose}",
            opts=self.child,
        )
