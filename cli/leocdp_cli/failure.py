"""What ends a command with a sentence instead of a traceback."""

from __future__ import annotations


class CommandFailed(Exception):
    """The text goes to standard error. Exit status: 1 refused or failed, 2 wrong usage, 3 cannot be reached."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


class Unreachable(CommandFailed):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, 3)
