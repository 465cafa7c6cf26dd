"""Store in one SQLite file, with a folder of files for long values beside it.

Modules here import ``taskrun.durable``, ``taskrun.core`` and ``taskrun.errors``. Begin with ``store`` (the methods of
the store) and ``schema`` (the tables). ``rows`` converts records to rows, ``writes`` and ``delete`` are the write
transactions, ``log_end`` is the cache that makes them fast, ``value_files`` has the files for long values, ``errors``
explains errors of SQLite.
"""

from taskrun.stores.sqlite.store import SqliteStore as SqliteStore
