"""How a call to a replica can fail."""


class EndpointUnreachable(Exception):
    """Nothing was answered: the request may be tried elsewhere."""


class ClosedUnanswered(EndpointUnreachable):
    """The replica closed the connection before the first byte of its answer."""


class AnswerCutOff(EndpointUnreachable):
    """The replica went away in the middle of its answer, of which the caller has seen nothing."""


class UpstreamTimeout(Exception):
    """The model did not answer in its time."""


class UpstreamMisbehaved(Exception):
    """The model answered something that is not an answer; the message says what, for logs and people."""
