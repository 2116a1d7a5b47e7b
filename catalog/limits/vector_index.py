"""Limits of indexes of vectors."""

from typing import Final

from catalog.limits import Choice, Range, label

NAME: Final = label(30, "it is the name of the index, its endpoint and its deployment")
DIMENSIONS: Final = Range(1, 8000, "dimensions")
"""https://cloud.google.com/vertex-ai/docs/vector-search/configuring-indexes"""
DISTANCE: Final = Choice(("dot-product", "cosine", "squared-l2"), default="dot-product")
NEIGHBORS: Final = Range(1, 1000, "neighbors", default=150)
SHARD_MACHINES: Final = {
    "small": "e2-standard-2",
    "medium": "e2-standard-16",
    "large": "e2-highmem-16",
}
"""The least machine that holds a shard of each size.
https://cloud.google.com/vertex-ai/docs/vector-search/create-manage-index#index-size"""
SHARD_SIZE: Final = Choice(tuple(SHARD_MACHINES), default="small")
MIN_REPLICAS: Final = Range(1, 100, "replicas", default=1)
MAX_REPLICAS: Final = Range(1, 100, "replicas", default=1)
