"""Who the pipelines are on Google Cloud: a Pulumi program of its own, run by an administrator."""
