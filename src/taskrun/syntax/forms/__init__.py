"""syntax/forms."""
