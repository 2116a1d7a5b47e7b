"""Indexes of vectors for retrieval."""

from typing import Annotated

from pydantic import Field

from catalog.limits import vector_index as limits
from config.fields import Settings
from config.principals import Principal

IndexName = Annotated[str, limits.NAME]


class VectorIndex(Settings):
    """An index that finds the vectors nearest to one, at an address of the platform's network."""

    region: str
    """Region of the index."""
    dimensions: Annotated[int, limits.DIMENSIONS]
    """Numbers in a vector: what the model that makes them says."""
    distance: Annotated[str, limits.DISTANCE] = limits.DISTANCE.default
    """How far vectors are from each other."""
    neighbors: Annotated[int, limits.NEIGHBORS] = limits.NEIGHBORS.default
    """Vectors that are looked at more closely before the nearest are told."""
    shard_size: Annotated[str, limits.SHARD_SIZE] = limits.SHARD_SIZE.default
    """How much of the index a machine holds: about 2, 20 or 50 GiB."""
    min_replicas: Annotated[int, limits.MIN_REPLICAS] = limits.MIN_REPLICAS.default
    """Machines of each shard that always run."""
    max_replicas: Annotated[int, limits.MAX_REPLICAS] = limits.MAX_REPLICAS.default
    """Machines of each shard at most."""
    writers: Annotated[tuple[Principal, ...], Field(exclude=True)] = ()
    """Who may add and remove vectors, in every index of the project: Vertex AI grants none
    alone."""
