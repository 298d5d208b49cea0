"""What the driver raises, in the words of the port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    ClusterAuthorizationFailedError,
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    OffsetOutOfRangeError,
    RecordListTooLargeError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)

from leocdp.ports.event_log import LogError, LogUnavailable, RecordTooLarge, UnknownTopic

DRIVER_ERRORS: Final = (KafkaError, ConsumerStoppedError, OSError, TimeoutError)
"""All that aiokafka raises when the cluster, the network or the client's state is in the way."""

_TOO_LARGE: Final = (MessageSizeTooLargeError, RecordListTooLargeError)
NOT_LET_IN: Final = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
_NOT_ALLOWED: Final = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
)
_TOO_FEW_COPIES: Final = (NotEnoughReplicasError, NotEnoughReplicasAfterAppendError)


def log_error(error: BaseException, doing: str) -> LogError:
    """The error of the port for one of the driver. ``doing``: what did not work, as the subject of a sentence."""
    told = str(error) or type(error).__name__
    match error:
        case LogError():
            return error
        case _ if isinstance(error, _TOO_LARGE):
            return RecordTooLarge(
                f"{doing}: Kafka refuses a record of this size ({told}). The topic's max.message.bytes is too small."
            )
        case UnknownTopicOrPartitionError():
            return UnknownTopic(
                f"{doing}: the cluster has no such topic ({told}). Was it deleted? Restart to create it."
            )
        case _ if isinstance(error, NOT_LET_IN):
            return LogUnavailable(
                f"{doing}: Kafka does not let us in ({told}). Check the user in LEOCDP_LOG_URL, LEOCDP_LOG_PASSWORD "
                "and LEOCDP_LOG_SASL_MECHANISM."
            )
        case _ if isinstance(error, _NOT_ALLOWED):
            return LogUnavailable(f"{doing}: Kafka does not allow it to this user ({told}). Its ACLs must.")
        case _ if isinstance(error, _TOO_FEW_COPIES):
            return LogUnavailable(f"{doing}: too few brokers hold a copy of the partition ({told}).")
        case OffsetOutOfRangeError():
            return LogUnavailable(f"{doing}: the log does not have the position that was to be read next ({told}).")
        case TimeoutError() | KafkaTimeoutError() | RequestTimedOutError():
            return LogUnavailable(f"{doing}: Kafka did not answer in time.")
    return LogUnavailable(f"{doing}: {told}")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raises LogUnavailable, RecordTooLarge or UnknownTopic instead of what the driver raises."""
    try:
        yield
    except DRIVER_ERRORS as error:
        raise log_error(error, doing) from error
