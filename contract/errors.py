"""The few errors that cross a boundary. Their text says what was wrong, where, and what to do."""


class PacesetterError(Exception):
    """Base of every error that a user of Pacesetter may meet."""


class BadInput(PacesetterError):
    """A file, row, parameter or setting from outside cannot be used as it is."""


class ValidationFailed(PacesetterError):
    """A Great Expectations suite failed: what depends on the data must not run."""


class StoreUnreachable(PacesetterError):
    """Redis did not answer within its timeout."""


class NoGeneration(PacesetterError):
    """Nothing has been published yet, or the pointer names a generation that is gone."""


class CorruptValue(PacesetterError):
    """A stored value does not decode: wrong format version, or truncated."""


class PublishRefused(PacesetterError):
    """A generation failed its verification, or another publish moved the pointer first."""


class GateRefused(PacesetterError):
    """The gate does not let a model serve, or has not judged it as things stand now; the live model stays."""


class ArtifactMismatch(PacesetterError):
    """A model directory is not what its manifest says; it must not be served."""


class Overloaded(PacesetterError):
    """The ranker cannot finish within the remaining budget."""


class RankerUnavailable(PacesetterError):
    """No ranker answered in time, or it serves no usable model."""
