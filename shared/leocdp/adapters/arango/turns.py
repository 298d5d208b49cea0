"""Transactions one after the other: each takes the turn by changing the head, and commits all or nothing.

The head is one document of a store. Two transactions cannot both change it, so all writing of all processes stands in
one order, and what a transaction reads after it has taken its turn is what its writing will be based on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any, Final, Generic, Protocol, TypeVar
from uuid import uuid4

import msgspec

from leocdp.adapters.arango.database import Database, Document, Documents, Transaction
from leocdp.adapters.arango.failures import Failure, Kind, LeftAlone
from leocdp.adapters.arango.pauses import Pauses
from leocdp.kit.logs import get_logger

logger = get_logger(__name__)

KEY: Final = "head"
REMEMBERED: Final = 64
"""Tokens of the last transactions, by which a commit whose answer was lost finds out whether it counts."""
PATIENCE: Final = 20.0
"""Seconds that a transaction waits for its turn."""
TRIES: Final = 3
"""How often a transaction is tried on a server that does not answer."""
FINDING_OUT: Final = 10.0
"""Seconds spent on finding out whether a commit counts whose answer was lost."""


class Head(Protocol):
    """What every head has besides the numbers of its store; a dataclass."""

    recent: list[str]


H = TypeVar("H", bound=Head)
T = TypeVar("T")


@dataclass(frozen=True)
class Ledger(Generic[H]):
    """Where a store has its head, and what its transactions concern."""

    collection: str
    kind: type[H]
    collections: tuple[str, ...]
    sync: bool = False
    """Whether a commit waits for the disk."""

    def head_of(self, document: Mapping[str, Any]) -> H:
        """Raises msgspec.ValidationError for a document of another form."""
        return msgspec.convert(document, self.kind)

    def read(self, database: Documents) -> H:
        """As the last commit left it. Raises Failure, also where there is no store yet."""
        document = database.document(self.collection, KEY)
        if document is None:
            raise Failure(Kind.NOT_THERE, "The database holds no such store yet")
        return self.head_of(document)


def head_document(head: Head) -> Document:
    return {"_key": KEY, **msgspec.to_builtins(head)}


class Held(Failure):
    """A barrier stands: nothing is committed until ``until`` (ms UTC), or until it is lifted."""

    def __init__(self, until: int) -> None:
        super().__init__(Kind.HELD, "Nothing is committed while a backup is made")
        self.until = until


class TurnTaken(Exception):
    """Another transaction has the turn, or had it after ours began."""


class OutcomeUnknown(Failure):
    """Whether the commit counts could not be found out."""


class Turns(Generic[H]):
    """Runs work in transactions. For one thread.

    The work changes the head in place, and may be called again from the beginning.
    """

    def __init__(
        self,
        ledger: Ledger[H],
        stopping: Event,
        patience: float = PATIENCE,
        finding_out: float = FINDING_OUT,
        *,
        held: Callable[[H], Held | None] = lambda _: None,
    ) -> None:
        """``held``: whether the head says that a barrier stands; it may take away one that has ended. It is called
        after the turn was taken, so whoever sets one knows that every transaction before it is over, and every later
        one sees it."""
        self._ledger = ledger
        self._stopping = stopping
        self._patience = patience
        self._finding_out = finding_out
        self._held = held

    def run(self, database: Database, work: Callable[[Transaction, H], T]) -> T:
        """What ``work`` returns, once that is committed. Raises Held, Failure, and whatever ``work`` raises."""
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
            except (OutcomeUnknown, LeftAlone, Held):
                raise
            except Failure as error:
                failed += 1
                if error.kind not in (Kind.UNAVAILABLE, Kind.GONE) or failed >= TRIES or not pauses.another():
                    raise

    def _once(self, database: Database, work: Callable[[Transaction, H], T]) -> T:
        transaction = database.begin(self._ledger.collections, sync=self._ledger.sync)
        token = uuid4().hex
        try:
            head = self._take_turn(transaction, token)
            if (held := self._held(head)) is not None:
                raise held
            result = work(transaction, head)
            head.recent = [*head.recent[1 - REMEMBERED :], token]
            transaction.insert(self._ledger.collection, [head_document(head)], "replace")
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
                head = self._ledger.read(database)
            except Failure as error:
                logger.debug("a commit's outcome cannot be looked up now", reason=str(error))
                head = None
            if head is not None and token in head.recent:
                return True
            if head is not None and ended:
                return False
            if not pauses.another():
                sentence = "ArangoDB did not tell whether the last commit counts; what is stored will tell"
                raise OutcomeUnknown(Kind.UNAVAILABLE, sentence)

    def _take_turn(self, transaction: Transaction, token: str) -> H:
        """Lock the head by changing it, and read it. It stays ours until the transaction ends."""
        ledger = self._ledger
        try:
            return ledger.head_of(transaction.patch_one(ledger.collection, {"_key": KEY, "turn": token}))
        except Failure as error:
            if error.kind is Kind.CONFLICT:
                raise TurnTaken from error
            if error.kind is Kind.MISSING:
                raise Failure(Kind.NOT_THERE, "The database holds no such store yet", error.number) from error
            raise


def _abort(transaction: Transaction) -> bool:
    """Whether the transaction is over for certain. One that cannot be reached is ended by the server when idle."""
    try:
        transaction.abort()
    except Failure as error:
        logger.debug("a transaction could not be aborted", reason=str(error))
        return error.kind is Kind.GONE
    return True
