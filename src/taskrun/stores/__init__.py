"""The stores that come with taskrun: in memory, and SQLite."""
