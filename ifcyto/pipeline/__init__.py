"""The pipeline: the only place where the rooms meet."""
