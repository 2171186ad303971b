"""Every error of a mall, grouped by what the caller can do about it.

MallError
|- TransientMallError          try later
|  |- RateLimitedError           not before ``retry_at_seconds``
|  |- UnavailableError           server error, HTML instead of JSON, broken body
|  `- MallTimeoutError           no answer in time
|- AccessError                 a person must act: credentials, scope, consent, address
|- RejectedByMallError         the mall said no; its words are shown
|- NotFoundAtMallError         no such order, line or inquiry
|- UnsupportedByMallError      the mall's API cannot do this; nothing was sent
|- MalformedResponseError      one record cannot be read: quarantine
`- OutcomeUnknownError         a write may or may not have happened: read back first

ConfigurationError             settings, shop file, spec: wrong before anything was sent
"""


class MallError(Exception):
    """Something went wrong between the hub and one shop of a mall.

    ``message`` is technical and holds no secret and no personal datum. ``mall_code`` and
    ``mall_message`` are the mall's own; ``request_id`` is what the mall's support asks for.
    """

    #: key of the sentence that an agent sees (hub/web/locales)
    agent_message = "error.mall"
    #: word used in JSON output
    kind = "mall"

    def __init__(
        self,
        message: str,
        *,
        shop: str | None = None,
        operation: str | None = None,
        status: int | None = None,
        mall_code: str | None = None,
        mall_message: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.shop = shop
        self.operation = operation
        self.status = status
        self.mall_code = mall_code
        self.mall_message = mall_message
        self.request_id = request_id

    def __str__(self) -> str:
        about = [
            f"{name}={value}"
            for name, value in (
                ("shop", self.shop),
                ("operation", self.operation),
                ("status", self.status),
                ("mall_code", self.mall_code),
                ("request_id", self.request_id),
            )
            if value is not None
        ]
        return f"{self.message} ({', '.join(about)})" if about else self.message


class TransientMallError(MallError):
    """Later it may work; reads are repeated, writes only when they are known to be unsent."""

    agent_message = "error.transient"
    kind = "transient"


class RateLimitedError(TransientMallError):
    """The mall asks for a pause of ``wait_seconds`` that is longer than this call may wait."""

    agent_message = "error.rate_limited"
    kind = "rate_limited"

    def __init__(self, message: str, *, wait_seconds: float, **about: str | int | None) -> None:
        super().__init__(message, **about)  # type: ignore[arg-type]  # the keywords of MallError
        self.wait_seconds = wait_seconds


class UnavailableError(TransientMallError):
    """5xx, a page of HTML, or a body that is cut off."""

    agent_message = "error.unavailable"
    kind = "unavailable"


class MallTimeoutError(TransientMallError):
    """No answer in time, or the connection broke."""

    agent_message = "error.timeout"
    kind = "timeout"


class AccessError(MallError):
    """Credentials, scope, consent or network address refused: repeating does not help."""

    agent_message = "error.access"
    kind = "access"


class RejectedByMallError(MallError):
    """The mall understood and refused; ``mall_message`` is shown to the agent."""

    agent_message = "error.rejected"
    kind = "rejected"


class NotFoundAtMallError(MallError):
    """The mall does not know the thing asked for."""

    agent_message = "error.not_found"
    kind = "not_found"


class UnsupportedByMallError(MallError):
    """The API of this mall cannot do it. ``instead`` says where a person can."""

    agent_message = "error.unsupported"
    kind = "unsupported"

    def __init__(self, message: str, *, instead: str | None = None, **about: str | int | None) -> None:
        super().__init__(message, **about)  # type: ignore[arg-type]  # the keywords of MallError
        self.instead = instead


class MalformedResponseError(MallError):
    """An answer, or one record in it, is not of the documented shape. ``path`` says where."""

    agent_message = "error.malformed"
    kind = "malformed"

    def __init__(self, message: str, *, path: str | None = None, **about: str | int | None) -> None:
        super().__init__(message, **about)  # type: ignore[arg-type]  # the keywords of MallError
        self.path = path


class OutcomeUnknownError(MallError):
    """A write was sent and its answer was lost or unclear."""

    agent_message = "error.outcome_unknown"
    kind = "outcome_unknown"


class ConfigurationError(Exception):
    """Something a person wrote is wrong: ``what`` names it with file, line or key; ``fix`` says what to do."""

    def __init__(self, what: str, *, fix: str | None = None) -> None:
        super().__init__(what if fix is None else f"{what}\n  {fix}")
        self.what = what
        self.fix = fix
