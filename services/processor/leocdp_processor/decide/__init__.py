"""The decision on one batch: pure, from a snapshot to what is to be written."""
