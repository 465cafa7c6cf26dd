"""The stage after weave: replaces programs by equivalent ones that cost less to run."""
