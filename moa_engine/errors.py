"""Every error of the engine, in one tree.

MoaError
├── ConfigError            a setting is wrong; nothing was called, nothing was spent
│   └── EgressRefused      a request would leave for a host that the egress rules do not allow
├── BudgetExceeded         the next call could cost more than is left
├── Unpriced               a hosted endpoint has no known price
├── MaskingFailed          what would be sent could not be checked for secrets
├── RecordError            the record cannot be read or written
│   └── RecordDamaged      the hash chain does not verify
├── DownloadFailed         a model could not be fetched, or is not the one that was asked for
├── RunFailed              no member gave an answer that could be used
└── CallError              one attempt of one generation failed
    ├── Refused            the endpoint will not answer this request; asking again is useless
    │   └── ContextOverflow    the request is longer than the model's context window
    ├── Overloaded         busy or unreachable for now; asking again may help
    ├── TimedOut           no complete answer within the time allowed
    └── BrokenAnswer       an answer came, but it cannot be used
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa_engine.member import Reply


class MoaError(Exception):
    """Base of the engine's errors.

    `message` says what happened and where; `hint` what to do about it ("" if there is nothing to say).
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ConfigError(MoaError):
    """A setting is wrong, unknown or missing."""


class EgressRefused(ConfigError):
    """The egress rules (`local_only`, `allow_hosts`) do not allow this host."""


class BudgetExceeded(MoaError):
    """The next call's worst case does not fit in what is left of the budget."""


class Unpriced(MoaError):
    """The price of a hosted endpoint is not known, so its cost cannot be capped."""


class MaskingFailed(MoaError):
    """What would be sent or kept could not be checked for secrets, so it was not."""


class RecordError(MoaError):
    """The record cannot be opened, read or written."""


class RecordDamaged(RecordError):
    """The record's hash chain does not verify."""


class DownloadFailed(MoaError):
    """A model could not be fetched, or what came is not the file that was asked for."""


class RunFailed(MoaError):
    """No member gave an answer that could be used."""


class CallError(MoaError):
    """One attempt of one generation failed."""

    #: Whether the same request may succeed when it is sent again.
    retryable = False

    #: The code by which the record and reports name this kind of failure.
    code = "failed"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        raw: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status  #: HTTP status, when there was one
        self.retry_after = retry_after  #: seconds the endpoint asked us to wait
        self.raw = raw  #: what the endpoint sent, for the record
        self.reply: Reply | None = None  #: the reply itself, when there was one: it has to be paid


class Refused(CallError):
    """The endpoint will not answer this request (wrong key, unknown model, bad request)."""

    code = "refused"


class ContextOverflow(Refused):
    """The request is longer than the model's context window."""

    code = "context_overflow"


class Overloaded(CallError):
    """Busy or unreachable for now: 408, 409, 425, 429, 5xx, connection refused or reset."""

    code = "overloaded"
    retryable = True


class TimedOut(CallError):
    """No complete answer within the time allowed."""

    code = "timed_out"
    retryable = True


class BrokenAnswer(CallError):
    """An answer came, but it is empty, not JSON, cut off, or not of the type asked for."""

    code = "broken_answer"
    retryable = True
