"""Valid arguments of the serverless components that several tests use."""

import json

from components.network.private_name import PrivateNameArgs
from components.serverless.cloud_run_api import CloudRunApiArgs
from components.serverless.cloud_run_load_balancer import CloudRunLoadBalancerArgs
from components.serverless.dataflow_job import DataflowJobArgs
from components.serverless.message_table import MessageTableArgs
from components.serverless.pull_subscription import PullSubscriptionArgs
from tests.unit import examples
from tests.unit.cloud_answers import PROJECT_NUMBER

AGENT = f"service-{PROJECT_NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
DOCUMENT = json.dumps(
    {
        "swagger": "2.0",
        "info": {"title": "Chat", "version": "1"},
        "paths": {"/v1/chat": {"post": {"operationId": "chat", "responses": {"200": {}}}}},
    }
)

API: CloudRunApiArgs = examples.arguments("CloudRunApi")
LOAD_BALANCER: CloudRunLoadBalancerArgs = examples.arguments("CloudRunLoadBalancer")
PULL: PullSubscriptionArgs = examples.arguments("PullSubscription")
MESSAGE_TABLE: MessageTableArgs = examples.arguments("MessageTable")
DATAFLOW_JOB: DataflowJobArgs = examples.arguments("DataflowJob")
PRIVATE_NAME: PrivateNameArgs = examples.arguments("PrivateName")
