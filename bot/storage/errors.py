"""Why a database was not opened. Each message is a sentence for the operator."""


class StorageError(Exception):
    """Base: the database cannot be used as it is; the message says what to do."""


class UnsupportedDatabase(StorageError):
    """`DATABASE_URL` names no database that this bot can open."""


class DatabaseInUse(StorageError):
    """Another process has the SQLite file open."""


class MigrationError(StorageError):
    """The database and the migrations of this code do not belong together."""
