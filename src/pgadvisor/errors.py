"""The errors pgadvisor raises, in PostgreSQL's own manner: a message and a hint.

The message is lower case without a full stop; the hint is a sentence that says what to do.
Doors turn them into an exit code (cli) or a problem document (api); nobody else catches the root.
"""

__all__ = [
    "AdvisorError",
    "ClusterFailed",
    "ConfigInvalid",
    "ExtensionMissing",
    "ImportUnreadable",
    "LogConflict",
    "LogUnreadable",
    "NotExplainable",
    "NotFound",
    "NotParsable",
    "PrivilegeMissing",
    "SchemaOutdated",
    "StoreUnavailable",
    "TargetUnreachable",
    "UnsafeStatement",
]


class AdvisorError(Exception):
    """Root of all errors that pgadvisor raises on purpose.

    >>> str(TargetUnreachable("connection refused", hint="Check that the server is running."))
    'connection refused'
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigInvalid(AdvisorError):
    """A setting has a value that cannot be used."""


class ClusterFailed(AdvisorError):
    """A private PostgreSQL cluster could not be made, started or stopped."""


class TargetUnreachable(AdvisorError):
    """The watched server cannot be connected to, or the connection was lost."""


class ExtensionMissing(AdvisorError):
    """An extension that is needed is not installed, not preloaded or too old."""


class PrivilegeMissing(AdvisorError):
    """The role may not read what is needed."""


class NotParsable(AdvisorError):
    """A text is not SQL that PostgreSQL's parser accepts, or was cut off."""

    def __init__(self, message: str, *, hint: str = "", position: int | None = None) -> None:
        super().__init__(message, hint=hint)
        #: zero-based character offset in the text, where the parser named one
        self.position = position


class NotExplainable(AdvisorError):
    """The planner gives no plan for a statement, for the reason in the message."""


class UnsafeStatement(AdvisorError):
    """A statement could change something, so it is not sent to the target."""


class LogUnreadable(AdvisorError):
    """A server log cannot be read or is in none of the known formats."""


class LogConflict(AdvisorError):
    """A piece of a log does not follow what was read, or another process reads the same log."""

    def __init__(self, message: str, *, hint: str = "", offset: int | None = None) -> None:
        super().__init__(message, hint=hint)
        #: the first byte of the log that was not read yet, where that is known
        self.offset = offset


class ImportUnreadable(AdvisorError):
    """History to import cannot be read, or what its columns mean cannot be told."""


class StoreUnavailable(AdvisorError):
    """The store cannot be connected to, or the connection was lost."""


class SchemaOutdated(AdvisorError):
    """The store's schema is older or newer than this pgadvisor."""


class NotFound(AdvisorError):
    """What was asked for is not in the store."""
