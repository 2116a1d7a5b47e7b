"""ImageMirror: the cluster pulls third-party images from its own project."""

from typing import Any, cast

import pulumi
import pytest

from components.cluster.image_mirror import (
    ImageMirror,
    ImageMirrorArgs,
    full_image_name,
    validate_image_mirror,
)
from tests.unit import examples
from tests.unit.harness import Deploy

REPOSITORY = "gcp:artifactregistry/repository:Repository"
GRANT = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
VPCSC = "gcp:artifactregistry/vpcscConfig:VpcscConfig"
CONSUMER = "gcp:storage/bucketObject:BucketObject"
DIGEST = f"sha256:{'0a' * 32}"
NODES = "nodes@acme.iam.gserviceaccount.com"

ARGS: ImageMirrorArgs = examples.arguments("ImageMirror")
WITH_SAMPLES: ImageMirrorArgs = {
    **ARGS,
    "upstreams": {
        "docker-hub": {"host": "docker.io", "public_repository": "DOCKER_HUB"},
        "google": {"host": "us-docker.pkg.dev", "uri": "https://us-docker.pkg.dev"},
        "samples": {
            "host": "us-docker.pkg.dev/google-samples/containers",
            "uri": "https://us-docker.pkg.dev/google-samples/containers",
        },
    },
}


def test_each_registry_has_a_remote_repository_of_the_region(deploy: Deploy):
    cloud = deploy(lambda: ImageMirror("images", ARGS))
    hub = cloud.one(REPOSITORY, "images-docker-hub")
    kubernetes = cloud.one(REPOSITORY, "images-kubernetes")
    for repository in (hub, kubernetes):
        assert repository.inputs["repositoryId"] == repository.name
        assert repository.inputs["project"] == "acme"
        assert repository.inputs["location"] == "us-central1"
        assert repository.inputs["format"] == "DOCKER"
        assert repository.inputs["mode"] == "REMOTE_REPOSITORY"
        assert repository.inputs["vulnerabilityScanningConfig"] == {"enablementConfig": "INHERITED"}
        assert repository.delete_before_replace
    assert hub.inputs["remoteRepositoryConfig"] == {
        "description": "Pull-through cache of docker.io",
        "dockerRepository": {"publicRepository": "DOCKER_HUB"},
    }
    assert kubernetes.inputs["remoteRepositoryConfig"] == {
        "description": "Pull-through cache of registry.k8s.io",
        "commonRepository": {"uri": "https://registry.k8s.io"},
    }


def test_what_is_old_is_removed_but_for_the_most_recent(deploy: Deploy):
    cloud = deploy(lambda: ImageMirror("images", ARGS))
    for repository in cloud.all(REPOSITORY):
        assert repository.inputs["cleanupPolicyDryRun"] is False
        policies = {p["id"]: p for p in repository.inputs["cleanupPolicies"]}
        assert policies["delete-old"]["condition"] == {"olderThan": "7776000s", "tagState": "ANY"}
        assert policies["delete-untagged"]["condition"] == {
            "olderThan": "604800s",
            "tagState": "UNTAGGED",
        }
        assert policies["keep-recent"]["action"] == "KEEP"
        assert policies["keep-recent"]["mostRecentVersions"] == {"keepCount": 10}


def test_readers_may_read_each_repository_and_nothing_else(deploy: Deploy):
    cloud = deploy(lambda: ImageMirror("images", ARGS))
    assert {
        (grant.inputs["repository"], grant.inputs["role"], grant.inputs["member"])
        for grant in cloud.all(GRANT)
    } == {
        (repository.name, "roles/artifactregistry.reader", f"serviceAccount:{NODES}")
        for repository in cloud.all(REPOSITORY)
    }
    assert {r.type for r in cloud.resources if "iam" in r.type.lower()} == {GRANT}


def test_repositories_wait_for_leave_to_fetch_from_outside_the_perimeter(deploy: Deploy):
    cloud = deploy(lambda: ImageMirror("images", ARGS))
    config = cloud.one(VPCSC)
    assert config.inputs == {
        "project": "acme",
        "location": "us-central1",
        "vpcscPolicy": "ALLOW",
    }
    for repository in cloud.all(REPOSITORY):
        assert cloud.requires(repository, config)


def test_nothing_is_fetched_from_outside_a_perimeter_unless_asked(deploy: Deploy):
    cloud = deploy(lambda: ImageMirror("images", {"project": "acme", "region": "us-central1"}))
    assert not cloud.all(VPCSC)
    assert not cloud.all(GRANT)
    assert len(cloud.all(REPOSITORY)) == 2


def test_repositories_are_not_protected_as_they_fill_again(deploy: Deploy):
    assert not [r for r in deploy(lambda: ImageMirror("images", ARGS)).resources if r.protect]


def test_repository_ids(deploy: Deploy):
    assert deploy(lambda: ImageMirror("images", ARGS).repository_ids).value == {
        key: f"projects/acme/locations/us-central1/repositories/images-{key}"
        for key in ("docker-hub", "kubernetes")
    }


HUB = "us-central1-docker.pkg.dev/acme/images-docker-hub"
KUBERNETES = "us-central1-docker.pkg.dev/acme/images-kubernetes"


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("vllm/vllm-openai:v0.18.1", f"{HUB}/vllm/vllm-openai:v0.18.1"),
        ("docker.io/vllm/vllm-openai:v0.18.1", f"{HUB}/vllm/vllm-openai:v0.18.1"),
        ("nginx", f"{HUB}/library/nginx"),
        ("docker.io/nginx:1.29", f"{HUB}/library/nginx:1.29"),
        (f"vllm/vllm-openai@{DIGEST}", f"{HUB}/vllm/vllm-openai@{DIGEST}"),
        (f"vllm/vllm-openai:v1@{DIGEST}", f"{HUB}/vllm/vllm-openai:v1@{DIGEST}"),
        (
            "registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0",
            f"{KUBERNETES}/gateway-api-inference-extension/epp:v1.5.0",
        ),
    ],
)
def test_reference(deploy: Deploy, image: str, expected: str, preview: bool):
    cloud = deploy(lambda: ImageMirror("images", ARGS).reference(image), preview=preview)
    assert cloud.value == expected


def test_the_longest_host_serves_an_image(deploy: Deploy):
    def program() -> list[pulumi.Output[str]]:
        mirror = ImageMirror("images", WITH_SAMPLES)
        prefix = "us-docker.pkg.dev/google-samples"
        return [
            mirror.reference(f"{prefix}/containers/gke/hello-app:2.0"),
            mirror.reference(f"{prefix}/containers-other/app:1"),
        ]

    assert deploy(program).value == [
        "us-central1-docker.pkg.dev/acme/images-samples/gke/hello-app:2.0",
        "us-central1-docker.pkg.dev/acme/images-google/google-samples/containers-other/app:1",
    ]


def test_what_uses_a_reference_waits_for_the_repository_and_its_grants(deploy: Deploy):
    def program() -> None:
        image = ImageMirror("images", ARGS).reference("vllm/vllm-openai:v0.18.1")
        pulumi.CustomResource(CONSUMER, "pod", {"image": image})

    cloud = deploy(program)
    pod = cloud.one(CONSUMER)
    assert cloud.requires(pod, cloud.one(REPOSITORY, "images-docker-hub"))
    assert cloud.requires(pod, cloud.one(GRANT, "images-docker-hub-.*"))
    assert cloud.requires(pod, cloud.one(VPCSC))


@pytest.mark.parametrize("image", ["ghcr.io/acme/app:1", "localhost/app:1", "registry:5000/app"])
def test_an_image_of_another_registry_is_refused(deploy: Deploy, image: str):
    with pytest.raises(pulumi.InputPropertiesError) as error:
        deploy(lambda: ImageMirror("images", ARGS).reference(image))
    assert str(error.value) == (
        f"ImageMirror images:\n  image: found {image!r}; allowed: images of docker.io, "
        "registry.k8s.io; add its registry to upstreams"
    )


@pytest.mark.parametrize(
    "image", ["", "registry.k8s.io/", "Acme/App:1", "acme/app:", "acme/app@sha256:12", "a b/c"]
)
def test_what_is_no_image_name_is_refused(deploy: Deploy, image: str):
    with pytest.raises(pulumi.InputPropertiesError, match="allowed: a name like vllm/vllm-openai"):
        deploy(lambda: ImageMirror("images", ARGS).reference(image))


def test_names_are_completed_as_runtimes_do():
    assert full_image_name("registry.k8s.io") == "docker.io/library/registry.k8s.io"
    assert full_image_name("localhost/app") == "localhost/app"


def _problems(name: str = "images", **changes: Any) -> dict[str, str]:
    args = cast("ImageMirrorArgs", {**ARGS, **changes})
    return {p["property_path"]: p["reason"] for p in validate_image_mirror(name, args).found}


def test_wrong_arguments_are_named():
    assert _problems() == {}
    assert _problems(upstreams=WITH_SAMPLES["upstreams"]) == {}  # given above
    assert list(_problems("Images")) == ["upstreams.docker-hub", "upstreams.kubernetes"]
    assert _problems(upstreams={}) == {
        "upstreams": "found an empty mapping; allowed: one entry or more; give a registry to mirror"
    }
    assert _problems(readers={"nodes": f"serviceAccount:{NODES}"}) == {
        "readers.nodes": f"found 'serviceAccount:{NODES}'; allowed: the email of a service "
        "account, without a prefix"
    }


def test_wrong_upstreams_are_named():
    assert _problems(
        upstreams={
            "a": {"host": "docker.io", "public_repository": "QUAY"},
            "b": {"host": "docker.io", "uri": "http://docker.io"},
            "c": {"host": "https://ghcr.io"},
            "d": {"host": "quay.io", "public_repository": "DOCKER_HUB", "uri": "https://quay.io"},
        }
    ) == {
        "upstreams.a.public_repository": "found 'QUAY'; allowed: DOCKER_HUB; choose one of them",
        "upstreams.b.uri": "found 'http://docker.io'; allowed: an address that begins https://",
        "upstreams.b.host": "found 'docker.io', which upstreams.a has; give each host once",
        "upstreams.c.host": "found 'https://ghcr.io'; allowed: a registry host like "
        "registry.k8s.io, with a path where it is one repository, no scheme",
        "upstreams.c": "found neither; allowed: one of public_repository and uri",
        "upstreams.d": "found public_repository and uri; allowed: one of public_repository and uri",
    }


def test_wrong_arguments_are_refused_at_construction(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError, match="ImageMirror images:"):
        deploy(lambda: ImageMirror("images", {**ARGS, "upstreams": {}}))
