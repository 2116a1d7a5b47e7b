"""Nothing runs an image that was never pushed or isn't let in, or reads a secret without value."""

from dataclasses import replace
from typing import Any

import pytest

from sandbox.gcp.admission import attestation, refusal
from sandbox.gcp.effects.cluster import CLUSTER
from sandbox.world import World
from tests.sandbox.client import Client, RefusedError
from tests.sandbox.clusters import deployment

REPOSITORY = "gcp:artifactregistry/repository:Repository"
SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105 a type
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
SERVICE = "gcp:cloudrunv2/service:Service"
JOB = "gcp:cloudrunv2/job:Job"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
HOLDER = "projects/acme/locations/us-central1/repositories/services"
ATTESTOR = "projects/acme/attestors/scanned"
IMAGE = "us-central1-docker.pkg.dev/acme/services/api:1.0"


@pytest.fixture
def cloud(gcp: Client) -> Client:
    gcp.enable("artifactregistry", "run", "secretmanager")
    return gcp


def repository(cloud: Client, **more: Any) -> tuple[str, dict[str, Any]]:
    given = {"repositoryId": "services", "location": "us-central1", "format": "DOCKER", **more}
    return cloud.create(REPOSITORY, given)


def service(cloud: Client, name: str = "api", **container: Any) -> None:
    template = {"containers": [{"image": IMAGE, **container}]}
    given = {"name": name, "location": "us-central1", "template": template}
    cloud.create(SERVICE, given, name=name)


def variable(version: str) -> dict[str, Any]:
    source = {"secretKeyRef": {"secret": "key", "version": version}}
    return {"envs": [{"name": "KEY", "valueSource": source}]}


def test_a_service_waits_for_its_image(cloud: Client, world: World) -> None:
    repository(cloud)
    with pytest.raises(RefusedError, match=rf"Image '{IMAGE}' not found.*`make images`"):
        service(cloud)
    world.put_content(HOLDER, IMAGE)
    service(cloud)


def test_images_go_with_their_repository(cloud: Client, world: World) -> None:
    id_, state = repository(cloud)
    world.put_content(HOLDER, IMAGE)
    cloud.delete(REPOSITORY, id_, state)
    repository(cloud)
    with pytest.raises(RefusedError, match="not found"):
        service(cloud)


def test_what_a_remote_repository_or_another_project_has_is_not_known(cloud: Client) -> None:
    repository(cloud, mode="REMOTE_REPOSITORY")
    service(cloud)
    service(cloud, "other", image="us-central1-docker.pkg.dev/others/services/api:1.0")
    service(cloud, "hub", image="docker.io/acme/api:1.0")


def test_a_pod_waits_for_its_image(cloud: Client, cluster: Client, world: World) -> None:
    repository(cloud)
    pods = deployment(containers=[{"name": "app", "image": IMAGE}])
    with pytest.raises(RefusedError, match=r"app.*ImagePullBackOff.*not found.*`make images`"):
        cluster.create(DEPLOYMENT, pods)
    world.put_content(HOLDER, IMAGE)
    assert cluster.create(DEPLOYMENT, pods)[0] == "default/app"


def admission(cloud: Client, world: World, *exempt: str, **rule: Any) -> None:
    cloud.enable("binaryauthorization")
    world.put_content("projects/acme", ATTESTOR)
    given = {
        "defaultAdmissionRule": {
            "evaluationMode": "REQUIRE_ATTESTATION",
            "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
            "requireAttestationsBies": [ATTESTOR],
            **rule,
        },
        "admissionWhitelistPatterns": [{"namePattern": each} for each in exempt],
    }
    cloud.create("gcp:binaryauthorization/policy:Policy", given)


def asking(cloud: Client, name: str = "api", image: str = IMAGE) -> None:
    template = {"containers": [{"image": image}]}
    given = {"name": name, "location": "us-central1", "template": template}
    cloud.create(SERVICE, {**given, "binaryAuthorization": {"useDefault": True}}, name=name)


def test_a_service_that_asks_waits_for_an_attestation(cloud: Client, world: World) -> None:
    repository(cloud)
    admission(cloud, world)
    world.put_content(HOLDER, IMAGE)
    service(cloud, "silent")
    with pytest.raises(RefusedError, match=f"not authorized.*denied by {ATTESTOR}: No attest"):
        asking(cloud)
    world.put_content(HOLDER, attestation(IMAGE, ATTESTOR))
    asking(cloud)


def test_a_job_waits_for_its_image_and_is_denied_only_as_it_is_begun(
    cloud: Client, world: World
) -> None:
    repository(cloud)
    admission(cloud, world)
    template = {"template": {"containers": [{"image": IMAGE}]}}
    asks = {"binaryAuthorization": {"useDefault": True}}
    given = {"name": "batch", "location": "us-central1", "template": template, **asks}
    with pytest.raises(RefusedError, match=rf"Image '{IMAGE}' not found.*`make images`"):
        cloud.create(JOB, given)
    world.put_content(HOLDER, IMAGE)
    cloud.create(JOB, given)
    assert "No attestations" in refusal(world, "acme", given, IMAGE)
    world.put_content(HOLDER, attestation(IMAGE, ATTESTOR))
    assert not refusal(world, "acme", given, IMAGE)


def test_exempt_images_and_a_policy_that_only_logs_let_in(cloud: Client, world: World) -> None:
    repository(cloud)
    other = IMAGE.replace("services/api", "services/tools/api")
    for image in (IMAGE, other):
        world.put_content(HOLDER, image)
    admission(cloud, world, "us-central1-docker.pkg.dev/acme/services/*")
    asking(cloud)
    with pytest.raises(RefusedError, match="No attestations"):
        asking(cloud, "deeper", other)
    admission(cloud, world, "us-central1-docker.pkg.dev/acme/services/**")
    asking(cloud, "deeper", other)
    admission(cloud, world, enforcementMode="DRYRUN_AUDIT_LOG_ONLY")
    asking(cloud, "logged")


def test_an_attestor_that_nobody_made_is_refused(cloud: Client, world: World) -> None:
    with pytest.raises(RefusedError, match="attestors/other' was not found"):
        admission(cloud, world, requireAttestationsBies=["projects/acme/attestors/other"])


def test_a_policy_that_denies_all_denies_others_images_too(cloud: Client, world: World) -> None:
    admission(cloud, world, evaluationMode="ALWAYS_DENY")
    with pytest.raises(RefusedError, match="always_deny"):
        asking(cloud, image="docker.io/acme/api:1.0")


def test_a_pod_of_a_cluster_that_asks_waits_for_an_attestation(
    cloud: Client, cluster: Client, world: World
) -> None:
    repository(cloud)
    world.put_content(HOLDER, IMAGE)
    admission(cloud, world)
    (made,) = world.by_type(CLUSTER)
    pods = deployment(containers=[{"name": "app", "image": IMAGE}])
    asks = {"binaryAuthorization": {"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"}}
    world.put(replace(made, inputs={**made.inputs, **asks}))
    with pytest.raises(RefusedError, match=r"imagepolicywebhook.*denied by .*scanned"):
        cluster.create(DEPLOYMENT, pods)
    world.put_content(HOLDER, attestation(IMAGE, ATTESTOR))
    assert cluster.create(DEPLOYMENT, pods)[0] == "default/app"


def test_a_service_waits_for_its_secrets_value(cloud: Client, world: World) -> None:
    cloud.create(SECRET, {"secretId": "key", "replication": {"auto": {}}})
    command = "gcloud secrets versions add key --project=acme --data-file=-"
    for version in ("latest", "1"):
        with pytest.raises(RefusedError, match=f"versions/{version} was not found.*{command}"):
            service(cloud, **variable(version))
    world.put_content("projects/acme/secrets/key", "projects/acme/secrets/key")
    service(cloud, **variable("latest"))


def test_a_version_of_the_same_program_is_a_value(cloud: Client) -> None:
    id_, _ = cloud.create(SECRET, {"secretId": "key", "replication": {"auto": {}}})
    cloud.create(VERSION, {"secret": id_, "secretData": "value"})
    service(cloud, "first", **variable("1"))
    service(cloud, "latest", **variable("latest"))
    with pytest.raises(RefusedError, match="versions/2 was not found"):
        service(cloud, "second", **variable("2"))


def test_a_file_of_a_secret_is_read_as_a_variable_is(cloud: Client) -> None:
    cloud.create(SECRET, {"secretId": "key", "replication": {"auto": {}}})
    files = {"name": "files", "secret": {"secret": "key", "items": [{"path": "key"}]}}
    given = {
        "name": "api",
        "location": "us-central1",
        "template": {"containers": [{"image": IMAGE}], "volumes": [files]},
    }
    with pytest.raises(RefusedError, match=r"key/versions/latest was not found"):
        cloud.create(SERVICE, given)
