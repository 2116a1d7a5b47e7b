"""What of pipelines is there already, read from the cloud and held against what is asked of it.

As with clusters, what the packs ask of a topic, bucket or dataset that is made is asked here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from catalog.problems import KeyPath, Problem
from config.pipelines import Pipeline
from config.platform import Platform
from stacks.estate import raise_for, read
from stacks.facts import UNSET, UNTOLD, Fact, There, at, words


def check_messages(platform: Platform, provider: gcp.Provider) -> None:
    """Raise pulumi.RunError for topics, buckets and datasets that aren't there or don't fit."""
    options = pulumi.InvokeOptions(provider=provider)
    raise_for(
        problem
        for name, pipeline in platform.pipelines.items()
        for problem in _Reader(platform, name, pipeline, options).problems()
    )


@dataclass(frozen=True)
class _Reader:
    platform: Platform
    name: str
    pipeline: Pipeline
    options: pulumi.InvokeOptions

    def _path(self, key: str) -> KeyPath:
        return ("pipelines", self.name, "existing", key)

    def problems(self) -> Iterator[Problem]:
        there = self.pipeline.existing
        if there.topic is not None:
            yield from self._topic(there.topic)
        if there.archive_bucket is not None:
            yield from self._bucket(there.archive_bucket)
        if there.results_dataset is not None:
            yield from self._dataset(there.results_dataset)

    def _topic(self, full: str) -> Iterator[Problem]:
        _, project, _, name = full.split("/")
        path = self._path("topic")
        found, problems = read(
            path,
            full,
            "a topic",
            lambda: gcp.pubsub.get_topic(name=name, project=project, opts=self.options),
        )
        yield from problems
        if found is None:
            return
        there = There(path, full, f"gcloud pubsub topics update {full}")
        stored = at(found, "message_storage_policies.allowed_persistence_regions")
        regions = sorted(self.platform.regions)
        if stored is not UNTOLD and (stored == UNSET or not {*stored} <= {*regions}):
            state = "any region" if stored == UNSET else words(stored)
            yield there.refused(
                f"messages may be stored in {state}",
                f"regions of the platform alone: {words(regions)}",
                f"--message-storage-policy-allowed-regions={','.join(regions)}",
            )
        yield from self._encrypted(there, found, "kms_key_name", "--topic-encryption-key=<key>")

    def _bucket(self, name: str) -> Iterator[Problem]:
        path = self._path("archive_bucket")
        found, problems = read(
            path, name, "a bucket", lambda: gcp.storage.get_bucket(name=name, opts=self.options)
        )
        yield from problems
        if found is None:
            return
        there = There(path, name, f"gcloud storage buckets update gs://{name}")
        for fact in (
            self._place(self.pipeline.region.upper()),
            Fact(
                "uniform_bucket_level_access",
                (True,),
                "rights by IAM alone",
                "--uniform-bucket-level-access",
            ),
            Fact(
                "public_access_prevention",
                ("enforced",),
                "messages that nobody makes public",
                "--public-access-prevention",
            ),
        ):
            yield from there.unmet(found, fact)
        key = "encryptions.default_kms_key_name"
        yield from self._encrypted(there, found, key, "--default-encryption-key=<key>")

    def _dataset(self, name: str) -> Iterator[Problem]:
        path, project = self._path("results_dataset"), self.platform.project.id
        found, problems = read(
            path,
            name,
            "a dataset",
            lambda: gcp.bigquery.get_dataset(dataset_id=name, project=project, opts=self.options),
        )
        yield from problems
        if found is None:
            return
        there = There(path, name, f"bq update {project}:{name}")
        yield from there.unmet(found, self._place(self.pipeline.region))
        key = "default_encryption_configurations.kms_key_name"
        yield from self._encrypted(there, found, key, "--default_kms_key=<key>")

    def _place(self, region: str) -> Fact:
        return Fact("location", (region,), f"the region of pipeline {self.name}")

    def _encrypted(self, there: There, found: object, path: str, flags: str) -> Iterator[Problem]:
        if self.platform.encryption is not None and at(found, path) == UNSET:
            yield there.refused(f"{path} is not set", "a key of one's own, for encryption", flags)
