"""Facts about Google Cloud as dated, sourced tables: machines, prices, releases, services."""
