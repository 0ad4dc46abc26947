"""A worker that dies in the middle of its work, inside a test's own process."""


class Killed(BaseException):
    """The process ends here, as by SIGKILL: nothing catches it, nothing is tidied up."""
