"""Store in one SQLite file, with a folder of long values beside it.

Modules here import ``taskrun.durable``, ``taskrun.core`` and ``taskrun.errors``. Begin with ``store`` (the methods of
the store) and ``schema`` (the tables). ``rows`` converts records to rows, ``writes`` contains the write transactions,
``log_end`` the cache that makes them fast, ``value_files`` the files for long values.
"""

from taskrun.stores.sqlite.store import SqliteStore as SqliteStore
