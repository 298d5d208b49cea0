"""Transactions one after the other: each takes the turn by changing the head, and commits all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Final, TypeVar
from uuid import uuid4

from leocdp.adapters.arango.database import Database, Transaction
from leocdp.adapters.arango.failures import Failure, Kind, LeftAlone
from leocdp.adapters.arango.pauses import Pauses
from leocdp.adapters.arango.profiles import head as heads
from leocdp.adapters.arango.profiles.head import Head, head_of
from leocdp.adapters.arango.profiles.schema import COLLECTION_NAMES
from leocdp.kit.logs import get_logger

logger = get_logger(__name__)

PATIENCE: Final = 20.0
"""Seconds that a transaction waits for its turn."""
TRIES: Final = 3
"""How often a transaction is tried on a server that does not answer."""
FINDING_OUT: Final = 10.0
"""Seconds spent on finding out whether a commit counts whose answer was lost."""

T = TypeVar("T")
Work = Callable[[Transaction, Head], T]
"""Changes the head in place. May be called again from the beginning."""


class TurnTaken(Exception):
    """Another transaction has the turn, or had it after ours began."""


class OutcomeUnknown(Failure):
    """Whether the commit counts could not be found out. The stored positions say it, once they can be read."""


class Turns:
    """Runs work in transactions. For one thread."""

    def __init__(self, stopping: Event, patience: float = PATIENCE, finding_out: float = FINDING_OUT) -> None:
        self._stopping = stopping
        self._patience = patience
        self._finding_out = finding_out

    def run(self, database: Database, work: Work[T]) -> T:
        """What ``work`` returns, once that is committed. Raises Failure, and whatever ``work`` raises."""
        pauses = Pauses(self._stopping, self._patience)
        failed = 0
        while True:
            try:
                return self._once(database, work)
            except TurnTaken as error:
                if not pauses.another():
                    sentence = (
                        f"Another transaction has held the turn for {self._patience:.0f} s. One that was begun by a "
                        "process that is gone ends by itself (--transaction.streaming-idle-timeout)"
                    )
                    raise Failure(Kind.UNAVAILABLE, sentence) from error
            except (OutcomeUnknown, LeftAlone):
                raise
            except Failure as error:
                failed += 1
                if error.kind not in (Kind.UNAVAILABLE, Kind.GONE) or failed >= TRIES or not pauses.another():
                    raise

    def _once(self, database: Database, work: Work[T]) -> T:
        transaction = database.begin(COLLECTION_NAMES)
        token = uuid4().hex
        try:
            head = _take_turn(transaction, token)
            result = work(transaction, head)
            head.recent = [*head.recent[1 - heads.REMEMBERED :], token]
            transaction.insert(heads.COLLECTION, [head.document()], "replace")
        except BaseException:
            _abort(transaction)
            raise
        self._commit(database, transaction, token)
        return result

    def _commit(self, database: Database, transaction: Transaction, token: str) -> None:
        try:
            transaction.commit()
        except Failure as error:
            if error.kind is Kind.CONFLICT or not self._counts(database, transaction, token):
                raise
            logger.info("a commit whose answer was lost counts")

    def _counts(self, database: Database, transaction: Transaction, token: str) -> bool:
        """Whether the transaction was committed. Raises OutcomeUnknown when it cannot be found out in time."""
        pauses = Pauses(self._stopping, self._finding_out)
        while True:
            # After this it is not committed any more, if it was not yet.
            ended = _abort(transaction)
            try:
                document = database.document(heads.COLLECTION, heads.KEY)
            except Failure:
                document = None
            if document is not None and token in head_of(document).recent:
                return True
            if document is not None and ended:
                return False
            if not pauses.another():
                sentence = "ArangoDB did not tell whether the last commit counts: the stored positions will"
                raise OutcomeUnknown(Kind.UNAVAILABLE, sentence)


def _take_turn(transaction: Transaction, token: str) -> Head:
    """Lock the head by changing it, and read it. It stays ours until the transaction ends."""
    try:
        return head_of(transaction.patch_one(heads.COLLECTION, {"_key": heads.KEY, "turn": token}))
    except Failure as error:
        if error.kind is Kind.CONFLICT:
            raise TurnTaken from error
        if error.kind is Kind.MISSING:
            raise Failure(Kind.NOT_THERE, "The database holds no profile store yet", error.number) from error
        raise


def _abort(transaction: Transaction) -> bool:
    """Whether the transaction is over for certain. One that cannot be reached is ended by the server when idle."""
    try:
        transaction.abort()
    except Failure as error:
        logger.debug("a transaction could not be aborted", reason=str(error))
        return error.kind is Kind.GONE
    return True
