"""script/sandbox."""
