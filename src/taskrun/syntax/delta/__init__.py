"""syntax/delta."""
