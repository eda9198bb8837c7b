"""The error of the data exit."""


class DataExitError(Exception):
    """The reason why there is no archive, or why one is not imported: a sentence for the operator."""
