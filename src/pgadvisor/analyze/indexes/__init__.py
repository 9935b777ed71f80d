"""Rules about indexes that are missing."""
