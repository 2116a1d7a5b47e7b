"""Google Cloud as the sandbox plays it: ids, answers, refusals and what controllers do."""
