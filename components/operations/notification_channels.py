"""NotificationChannels: the ways to tell somebody: e-mail, a Pub/Sub topic, PagerDuty, Slack, a
webhook.

Owns the channels, and the topics they write to. Does not own keys, tokens and passwords, secrets
that must be there before, nor who reads the topics.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import operations as limits
from catalog.limits.pubsub import TOPIC
from components.ready import after
from components.validation import Problems, component_type, register


class Slack(TypedDict):
    """A channel of Slack that Cloud Monitoring's app was let in to."""

    channel: Annotated[str, limits.SLACK_CHANNEL]
    """Name of the channel, with its #."""
    secret: Annotated[str, limits.SECRET_ID]
    """Id of the secret whose latest version is the app's token."""


class Webhook(TypedDict):
    """An address that is sent each incident as JSON, with basic authentication."""

    url: Annotated[str, limits.WEBHOOK]
    """Address, on the internet."""
    username: Annotated[str, limits.WEBHOOK_USER]
    """User of the basic authentication."""
    secret: Annotated[str, limits.SECRET_ID]
    """Id of the secret whose latest version is the password."""


class Channel(TypedDict):
    """A way to tell somebody: exactly one of its keys."""

    email: NotRequired[Annotated[str, limits.EMAIL]]
    """E-mail address."""
    pubsub_topic: NotRequired[Annotated[str, TOPIC]]
    """Name of the topic to make."""
    pagerduty_secret: NotRequired[Annotated[str, limits.SECRET_ID]]
    """Id of the secret whose latest version is the integration key."""
    slack: NotRequired[Slack]
    """Channel of Slack."""
    webhook: NotRequired[Webhook]
    """Address that is called."""


class NotificationChannelsArgs(TypedDict):
    """Arguments of `NotificationChannels`."""

    project: pulumi.Input[str]
    """Project id."""
    project_number: pulumi.Input[str]
    """Project number."""
    channels: Annotated[Mapping[str, Channel], limits.CHANNELS]
    """Channels by any short name."""
    regions: NotRequired[Sequence[str]]
    """Where messages to a Pub/Sub topic may be kept; anywhere by default."""


def validate_notification_channels(name: str, args: NotificationChannelsArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(NotificationChannelsArgs, args)
    for key, channel in args["channels"].items():
        problems.check_name(f"{name}-{key}", "channels", key)
        problems.extend(limits.channel(channel), "channels", key)
    return problems


class NotificationChannels(pulumi.ComponentResource):
    """Notification channels of Cloud Monitoring.

    The account Cloud Monitoring publishes as comes with the first Pub/Sub channel, so the grant on
    the topic follows the channel. Keys, tokens and passwords are read from Secret Manager and are
    written only: a channel gets another one in the `up` after the secret got another version. The
    deployer needs roles/secretmanager.secretAccessor on each secret.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/monitoring/support/notification-options
    """

    channel_names: Sequence[pulumi.Output[str]]
    """`projects/<project>/notificationChannels/<number>`, once messages get through."""
    email_channel_names: Sequence[pulumi.Output[str]]
    """Those that send e-mail: a budget takes no others."""

    def __init__(
        self, name: str, args: NotificationChannelsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(NotificationChannels), name, {}, opts)
        validate_notification_channels(name, args).raise_if_any(f"NotificationChannels {name}")
        names = {
            key: self._channel(f"{name}-{key}", args, channel)
            for key, channel in args["channels"].items()
        }
        self.channel_names = list(names.values())
        self.email_channel_names = [
            channel for key, channel in names.items() if "email" in args["channels"][key]
        ]
        register(self)

    def _channel(
        self, name: str, args: NotificationChannelsArgs, channel: Channel
    ) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self)
        if "pubsub_topic" in channel:
            return self._topic(name, args, channel["pubsub_topic"], child)
        kind, labels, sensitive = self._told(args["project"], channel)
        return gcp.monitoring.NotificationChannel(
            name,
            project=args["project"],
            display_name=name,
            type=kind,
            labels=labels,
            sensitive_labels=sensitive,
            opts=child,
        ).name

    def _told(
        self, project: pulumi.Input[str], channel: Channel
    ) -> tuple[
        str,
        Mapping[str, str] | None,
        gcp.monitoring.NotificationChannelSensitiveLabelsArgsDict | None,
    ]:
        """Return type, labels and sensitive labels of a channel that is no topic.

        https://cloud.google.com/monitoring/alerts/using-channels-api
        """
        if "pagerduty_secret" in channel:
            key, version = self._secret(project, channel["pagerduty_secret"])
            return "pagerduty", None, {"service_key_wo": key, "service_key_wo_version": version}
        if "slack" in channel:
            slack = channel["slack"]
            key, version = self._secret(project, slack["secret"])
            return (
                "slack",
                {"channel_name": slack["channel"]},
                {"auth_token_wo": key, "auth_token_wo_version": version},
            )
        if "webhook" in channel:
            webhook = channel["webhook"]
            key, version = self._secret(project, webhook["secret"])
            return (
                "webhook_basicauth",
                {"url": webhook["url"], "username": webhook["username"]},
                {"password_wo": key, "password_wo_version": version},
            )
        return "email", {"email_address": channel.get("email", "")}, None

    def _secret(
        self, project: pulumi.Input[str], secret: str
    ) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Return value and name of a secret's latest version."""
        version = gcp.secretmanager.get_secret_version_access_output(
            project=project, secret=secret, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        return pulumi.Output.secret(version.secret_data), version.name

    def _topic(
        self,
        name: str,
        args: NotificationChannelsArgs,
        topic_name: str,
        child: pulumi.ResourceOptions,
    ) -> pulumi.Output[str]:
        regions = args.get("regions")
        storage: gcp.pubsub.TopicMessageStoragePolicyArgsDict | None = (
            {"allowed_persistence_regions": list(regions)} if regions else None
        )
        topic = gcp.pubsub.Topic(
            f"{name}-topic",
            name=topic_name,
            project=args["project"],
            message_storage_policy=storage,
            opts=child,
        )
        return topic_channel(
            name, args["project"], args["project_number"], topic.id, topic.name, self
        )


def topic_channel(
    name: str,
    project: pulumi.Input[str],
    project_number: pulumi.Input[str],
    topic: pulumi.Input[str],
    topic_name: pulumi.Input[str],
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """Make a channel that writes to a topic; return its name, once messages get through."""
    channel = gcp.monitoring.NotificationChannel(
        name,
        project=project,
        display_name=name,
        type="pubsub",
        labels={"topic": topic},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    grant = gcp.pubsub.TopicIAMMember(
        f"{name}-publish",
        project=project,
        topic=topic_name,
        role="roles/pubsub.publisher",
        member=pulumi.Output.format(
            "serviceAccount:service-{0}@gcp-sa-monitoring-notification.iam.gserviceaccount.com",
            project_number,
        ),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[channel]),
    )
    return after(channel.name, grant.id)
