"""Reads the watched server: read-only, time-limited, every statement marked as ours."""
