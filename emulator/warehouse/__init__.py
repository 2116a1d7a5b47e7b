"""The warehouse: BigQuery tables of a world that take rows, on one file."""
