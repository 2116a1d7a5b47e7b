"""Data: lake buckets, warehouse datasets and the cache."""
