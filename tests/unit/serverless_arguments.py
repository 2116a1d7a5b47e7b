"""Valid arguments of the serverless components that several tests use."""

import json

from components.network.private_name import PrivateNameArgs
from components.serverless.cloud_run_api import CloudRunApiArgs
from components.serverless.cloud_run_load_balancer import CloudRunLoadBalancerArgs
from components.serverless.dataflow_job import DataflowJobArgs
from components.serverless.message_table import MessageTableArgs
from components.serverless.pull_subscription import PullSubscriptionArgs
from tests.unit.cloud_answers import PROJECT_ID, PROJECT_NUMBER

AGENT = f"service-{PROJECT_NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
TOPIC = f"projects/{PROJECT_ID}/topics/texts"
DEAD_LETTERS = f"projects/{PROJECT_ID}/topics/texts-dead-letter"
DOCUMENT = json.dumps(
    {
        "swagger": "2.0",
        "info": {"title": "Chat", "version": "1"},
        "paths": {"/v1/chat": {"post": {"operationId": "chat", "responses": {"200": {}}}}},
    }
)

API: CloudRunApiArgs = {
    "project": PROJECT_ID,
    "region": "us-central1",
    "service_name": "chat",
    "service_uri": "https://chat-uc.a.run.app",
    "document": DOCUMENT,
    "callers": {"api_key": True, "requests_per_minute": 60},
}
LOAD_BALANCER: CloudRunLoadBalancerArgs = {
    "project": PROJECT_ID,
    "region": "us-central1",
    "service_name": "chat",
    "kind": "internal",
    "hostname": "chat.acme.internal",
    "network": "network",
    "subnetwork": "subnetwork",
    "certificate": f"projects/{PROJECT_ID}/locations/us-central1/certificates/chat",
}
PULL: PullSubscriptionArgs = {
    "project": PROJECT_ID,
    "topic": TOPIC,
    "pubsub_service_agent": AGENT,
    "dead_letter_topic": DEAD_LETTERS,
    "consumers": {"fetch": "fetch@acme.iam.gserviceaccount.com"},
}
MESSAGE_TABLE: MessageTableArgs = {
    "project": PROJECT_ID,
    "location": "us-central1",
    "topic": TOPIC,
    "pubsub_service_agent": AGENT,
    "dead_letter_topic": DEAD_LETTERS,
}
DATAFLOW_JOB: DataflowJobArgs = {
    "project": PROJECT_ID,
    "region": "us-central1",
    "subscription_id": f"projects/{PROJECT_ID}/subscriptions/texts-dataflow",
    "service_account": "flow@acme.iam.gserviceaccount.com",
    "subnetwork": f"projects/{PROJECT_ID}/regions/us-central1/subnetworks/nodes",
    "dataflow": {"fields": [{"name": "text", "type": "STRING"}]},
}
PRIVATE_NAME: PrivateNameArgs = {
    "project": PROJECT_ID,
    "hostname": "chat.acme.internal",
    "addresses": {"us-central1": "10.0.0.9"},
    "networks": ["network"],
}
