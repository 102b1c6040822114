"""The two errors that people read: one in Discord, one in the terminal."""

from __future__ import annotations


class UserError(Exception):
    """A request that cannot be met, told to the member who made it.

    :param what: what happened, one sentence, already translated.
    :param todo: what to do next, one sentence, already translated.
    """

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"{what} {todo}".strip())
        self.what = what
        self.todo = todo


class StartupError(Exception):
    """The process cannot start; the message is one sentence that says what to do.

    :param sentence: shown to the operator as it is, without a traceback.
    :param exit_code: the process's exit status, never 0.
    """

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.exit_code = exit_code
