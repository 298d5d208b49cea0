"""From a request to items in the log: read, parse, authorise, place, store, answer; for every wire protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from starlette.types import Receive, Scope

from leocdp.contracts.log_records import TARGET_RECORD_BYTES, Item, RejectedItem, RequestBlock, encode_block
from leocdp.contracts.topics import partition_for
from leocdp.kit.clients import Clients
from leocdp.ports.clock import Clock
from leocdp_observer import body as bodies
from leocdp_observer import credentials
from leocdp_observer.clients import kept_address, user_agent
from leocdp_observer.cors import origin_allowed
from leocdp_observer.ingest import RETRY_AFTER, Ingest, PlacedBlock
from leocdp_observer.limits import RateLimit
from leocdp_observer.protocols.wire import Call, Parsed, RefusedItem, Reply, Route
from leocdp_observer.refusals import Refusal
from leocdp_observer.rejects import Rejects, Sampler, kept_payload
from leocdp_observer.sources import Source, Sources
from leocdp_observer.tally import Tally

MAX_PATH = 200


def not_configured() -> Refusal:
    message = "The observer is starting and does not know the sources yet: send this again."
    return Refusal("configuration_not_loaded", message, status=503, retry_after=RETRY_AFTER)


@dataclass(slots=True)
class EdgeState:
    """What comes up after the process has: the log, and the configuration in it."""

    partitions: int = 0
    """Of the accepted topic; 0 while the log has not been reached yet."""
    configured: Callable[[], bool] = lambda: False
    """Whether everything that admin has published so far is known."""


@dataclass(frozen=True, slots=True)
class Collector:
    """Takes the requests of all collection routes."""

    state: EdgeState
    sources: Sources
    ingest: Ingest
    rejects: Rejects
    limit: RateLimit
    clients: Clients
    sampler: Sampler
    tally: Tally
    clock: Clock
    body_timeout: float

    async def collect(self, route: Route, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Reply:
        """The answer to one request, once its items are durable. Raises Refusal, body.Disconnected."""
        call = Call(scope["path"], scope["query_string"], headers, b"")
        header = headers.get(b"authorization")
        key = credentials.basic_key(header) if header is not None else None
        try:
            call.body = await bodies.read(receive, headers, self.body_timeout)
            received_at = self.clock.now()
            parsed = route.parse(call)
            key = key or parsed.write_key or self._other_key(call)
            source = self._authorise(key, headers)
        except Refusal as refusal:
            self._note(refusal, route, call, scope, key)
            raise
        accepted, refused = len(parsed.items), parsed.refused
        if accepted:
            blocks = self._blocks(route, parsed, source, scope, headers, received_at)
            # Nothing but the blocks is needed while the request waits, and there may be thousands that wait.
            call.body = b""
            del parsed
            await self.ingest.store(blocks)
            self.tally.accepted(accepted)
        if refused:
            self._reject(refused, route, call, scope, source, key, received_at)
        return route.reply(accepted, refused)

    def _other_key(self, call: Call) -> str | None:
        return credentials.query_key(call.query) or credentials.header_key(call.headers.get(b"x-write-key"))

    def _authorise(self, key: str | None, headers: Mapping[bytes, bytes]) -> Source:
        """The source of a key that may send now. Raises Refusal."""
        if key is None:
            raise Refusal("missing_write_key", "Send the write key: as user of Basic auth or in the body.", status=401)
        source = self.sources.find(key)
        if source is None:
            self._check_configured()
            raise Refusal("unknown_write_key", "No source has this write key: copy it again.", status=401)
        if not source.config.enabled:
            raise Refusal("source_disabled", "This source is switched off.", status=403)
        if not source.open:
            origin = headers.get(b"origin")
            if origin is not None and not origin_allowed(origin.decode("latin-1"), source.config.origins):
                message = "This page's origin is not on the source's list of allowed origins."
                raise Refusal("origin_not_allowed", message, status=403)
        wait = self.limit.take(source.id)
        if wait:
            raise Refusal("rate_limited", "Too many requests with this write key.", status=429, retry_after=wait)
        return source

    def _check_configured(self) -> None:
        """A key that nobody has told us of is our fault for as long as we have not read the configuration."""
        if not self.state.configured():
            raise not_configured()

    def _blocks(
        self,
        route: Route,
        parsed: Parsed,
        source: Source,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        received_at: int,
    ) -> list[PlacedBlock]:
        partitions = self.state.partitions
        if not partitions:
            raise Refusal(
                "log_unavailable", "The event log cannot be reached yet.", status=503, retry_after=RETRY_AFTER
            )
        address = self._address(scope, headers, source)
        agent = user_agent(headers.get(b"user-agent"))
        blocks = []
        for partition, items in _by_partition(parsed, partitions):
            block = RequestBlock(
                received_at,
                source.id,
                route.protocol,
                items,
                parsed.sent_at,
                parsed.context,
                parsed.integrations,
                address,
                agent,
                source.authenticated,
                source.id_space,
                source.shared_device,
            )
            encoded = encode_block(block)
            if len(encoded) <= TARGET_RECORD_BYTES:
                blocks.append((partition, encoded))
            else:
                blocks += [(partition, encode_block(replace(block, items=part))) for part in _parts(items)]
        return blocks

    def _address(self, scope: Scope, headers: Mapping[bytes, bytes], source: Source | None) -> str:
        """The client's address as far as the source keeps it; of strangers only the network."""
        policy = source.config.ip_policy if source is not None else "shorten"
        client = scope["client"]
        if policy == "drop" or client is None:
            return ""
        address = self.clients.address(client[0], headers.get(b"x-forwarded-for"))
        return address if policy == "keep" else kept_address(address, policy)

    def _note(self, refusal: Refusal, route: Route, call: Call, scope: Scope, key: str | None) -> None:
        """Count a refused request, and keep it for its owner to see if the client will not send it again."""
        if not refusal.final:
            return
        key = key or self._other_key(call)
        source = self.sources.find(key) if key else None
        whole = RefusedItem(-1, refusal.reason, refusal.message, call.body)
        if source is not None or self.sampler.take(refusal.reason):
            self._reject([whole], route, call, scope, source, key, self.clock.now())
        else:
            self.tally.rejected(refusal.reason)

    def _reject(
        self,
        refused: Sequence[RefusedItem],
        route: Route,
        call: Call,
        scope: Scope,
        source: Source | None,
        key: str | None,
        received_at: int,
    ) -> None:
        address = self._address(scope, call.headers, source)
        items = []
        for one in refused:
            self.tally.rejected(one.code)
            payload, size, digest = kept_payload(one.payload, key)
            items.append(
                RejectedItem(
                    at=received_at,
                    source_id=source.id if source is not None else "",
                    protocol=route.protocol,
                    path=call.path[:MAX_PATH],
                    code=one.code,
                    message=one.message,
                    payload=payload,
                    message_id=one.message_id,
                    type=one.type,
                    index=one.index,
                    size=size,
                    sha256=digest,
                    ip=address,
                    name=one.name,
                )
            )
        self.rejects.add(items)


def _by_partition(parsed: Parsed, partitions: int) -> Iterable[tuple[int, list[Item]]]:
    """The items of a request per partition, in their order."""
    if len(parsed.items) == 1:
        key, item = parsed.items[0]
        return [(partition_for(key, partitions), [item])]
    groups: dict[int, list[Item]] = {}
    for key, item in parsed.items:
        partition = partition_for(key, partitions)
        found = groups.get(partition)
        if found is None:
            groups[partition] = [item]
        else:
            found.append(item)
    return groups.items()


def _parts(items: list[Item]) -> list[list[Item]]:
    """Items of one partition that are more than a record should hold."""
    parts: list[list[Item]] = [[]]
    size = 0
    for item in items:
        if parts[-1] and size + len(item.body) > TARGET_RECORD_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(item)
        size += len(item.body)
    return parts
