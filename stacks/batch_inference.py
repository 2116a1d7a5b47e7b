"""Batches: each a job of Cloud Run between the data of the config and its models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.inference.inference_pool import objective_name
from components.serverless.batch_inference import (
    BatchInference,
    BatchInferenceArgs,
    Input,
    Output,
)
from config.batch_inference import BatchInference as Settings
from config.batch_inference import BatchInput, BatchOutput
from config.platform import Platform
from stacks.arguments import to_args
from stacks.backends import backend_name
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.gateway_access import GatewayAccess, network
from stacks.images import Images
from stacks.secrets import Secrets, secret_arguments


@dataclass(frozen=True)
class Batches:
    """Makes the batches of a config."""

    platform: Platform
    foundation: Foundation
    images: Images
    secrets: Secrets
    data: Data
    gateway: GatewayAccess | None
    channels: Sequence[pulumi.Input[str]]

    def build(self) -> Mapping[str, BatchInference]:
        """Make each."""
        gateway = self.gateway
        return {
            name: self._batch(name, batch, gateway)
            for name, batch in self.platform.batch_inference.items()
            if gateway is not None
        }

    def _batch(self, name: str, batch: Settings, gateway: GatewayAccess) -> BatchInference:
        apis = ["run", "iam", "storage", "monitoring"]
        if batch.schedule is not None:
            apis.append("cloudscheduler")
        if {batch.input.table, batch.output.table} != {None}:
            apis.append("bigquery")
        asks = self.platform.binary_authorization is not None
        if asks:
            apis.append("binaryauthorization")
        args = to_args(
            BatchInferenceArgs,
            batch,
            project=self.foundation.services.project_for(*apis, "secretmanager"),
            image=self.images.reference(batch.image),
            input=self._input(batch.input),
            output=self._output(batch.output),
            objective=self._objective(batch),
            vpc=network(self.foundation, batch.region, "all"),
            channels=self.channels,
            binary_authorization=asks,
            deletion_protection=self.platform.deletion_protection,
            **secret_arguments(batch, self.secrets),
        )
        gateway.tell(name, args, (batch.model,))
        return BatchInference(name, args, self.foundation.google)

    def _objective(self, batch: Settings) -> str | None:
        """Return the name of the priority in the pool of the model's first replica set."""
        if batch.objective is None:
            return None
        name, model = self.platform.served_by(batch.model)
        return objective_name(backend_name(name, model.replica_sets[0]), batch.objective)

    def _input(self, place: BatchInput) -> Input:
        found: Input = {"days": place.days} if place.table else {}
        if place.table is not None:
            found["time_column"] = self.platform.data.tables[place.table].partition_field
        return {**found, **self._place(place)}

    def _output(self, place: BatchOutput) -> Output:
        return {**self._place(place)}

    def _place(self, place: BatchOutput) -> Output:
        if place.bucket is not None:
            return {
                "bucket": self.data.lake[place.bucket].bucket_name,
                "prefix": place.prefix or "",
            }
        dataset, _, table = (place.table or "").partition(".")
        return {"table": self.data.warehouse[dataset].table_ids[table]}
