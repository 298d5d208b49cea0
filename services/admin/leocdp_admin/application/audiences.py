"""What is asked of segments: who would be in, who is, how many, and why."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final

from leocdp.contracts.config_entries import SegmentConfig, segment_config
from leocdp.domain.errors import Invalid
from leocdp.domain.segments.audience import member_key
from leocdp.domain.segments.explain import Explained, explain
from leocdp.domain.segments.nodes import All, Any_, Node, Not, Path, Trait, ValueTest
from leocdp.domain.segments.parse import parse_condition, to_json
from leocdp.domain.segments.printing import dotted
from leocdp.domain.segments.references import references
from leocdp.domain.segments.subject import Setting, subject_of
from leocdp.domain.segments.words import describe
from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import Bucket, ProfileReader, Question
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.definitions import SEGMENT, Definitions
from leocdp_admin.application.errors import Forbidden, Unacceptable
from leocdp_admin.application.known_names import known_names
from leocdp_admin.application.masking import masked
from leocdp_admin.application.profile_shape import profile_row
from leocdp_admin.application.questions import Questions
from leocdp_admin.application.refs import find_root
from leocdp_admin.application.segment_shape import shown_version
from leocdp_admin.application.segments import Segments
from leocdp_admin.application.settings_in_force import SettingsInForce
from leocdp_admin.application.shapes.base import ListOf, PageAsked, moment, moment_or_none
from leocdp_admin.application.shapes.segments import (
    ExplainedShape,
    ExplanationShape,
    GrowthShape,
    HeldAsText,
    MemberRow,
    OverlapPart,
    OverlapShape,
    PreviewAsked,
    PreviewShape,
    SeenEvent,
    SizePoint,
)
from leocdp_admin.application.trail import AuditTrail

CSV_PAGE: Final = 1_000
MOST_HINTS: Final = 5
DAY_MS: Final = 86_400_000
HOURS_UP_TO_DAYS: Final = 3


class Audiences:
    """Raises NotFound (``segment_not_found``, ``profile_not_found``), Unacceptable, Forbidden."""

    def __init__(
        self,
        definitions: Definitions,
        segments: Segments,
        questions: Questions,
        reader: ProfileReader,
        settings: SettingsInForce,
        trail: AuditTrail,
        clock: Clock,
    ) -> None:
        self._definitions = definitions
        self._segments = segments
        self._questions = questions
        self._reader = reader
        self._settings = settings
        self._trail = trail
        self._clock = clock

    async def preview(self, actor: Actor, asked: PreviewAsked) -> PreviewShape:
        """How many people a condition has, at once from a sample where there are many, and some of them."""
        actor.require("segments:read", "segments:write")
        try:
            condition = parse_condition(asked.condition, known=await known_names(self._settings))
        except Invalid as error:
            raise Unacceptable(error.problems) from error
        question = await self._questions.ask(condition)
        size = await self._reader.size_of(question, sample=not asked.exact)
        hits = await self._reader.matching(question, limit=asked.sample) if asked.sample else []
        total = (await self._reader.counts()).people
        texts = [await self._held_as_text(question, path) for path in numeric_traits(condition)[:MOST_HINTS]]
        await self._trail.record(actor.did("segment.preview", at=self._clock.now(), count=size.count))
        return masked(
            PreviewShape(
                count=size.count,
                exact=size.exact,
                error=size.error,
                total=total,
                sample=[profile_row(hit) for hit in hits],
                description=describe(condition, actor.language or "en", await self._segments.names()),
                held_as_text=[one for one in texts if one.count],
            ),
            actor,
        )

    async def _held_as_text(self, question: Question, path: Path) -> HeldAsText:
        """Every text begins with nothing."""
        text = replace(question, condition=Trait(path, ValueTest("starts_with", "")))
        size = await self._reader.size_of(text, sample=True)
        return HeldAsText(trait=dotted(path), count=size.count, exact=size.exact)

    async def members(self, actor: Actor, segment_id: str, asked: PageAsked) -> ListOf[MemberRow]:
        actor.require("segments:read", "segments:write")
        config = await self._config(segment_id)
        if config.current is None:
            return ListOf[MemberRow](data=[])
        key = member_key(config.id, config.current.version)
        page = await self._reader.members(key, limit=asked.limit, cursor=asked.cursor)
        rows = [MemberRow(**profile_row(each.person).model_dump(), entered_at=moment(each.since)) for each in page.data]
        await self._trail.record(actor.did("segment.members", segment_id, at=self._clock.now(), count=len(rows)))
        return masked(ListOf[MemberRow](data=rows, next=page.next), actor)

    async def members_csv(self, actor: Actor, segment_id: str) -> AsyncIterator[str]:
        """All members: profile id, name, status, contacts, and when they entered. Nothing is held in memory."""
        actor.require("segments:read", "segments:write")
        if actor.masked:
            raise Forbidden("Your role does not allow exports. Ask an owner.", "role_not_allowed")
        config = await self._config(segment_id)
        await self._trail.record(actor.did("segment.export", segment_id, at=self._clock.now()))
        return self._csv(config)

    async def growth(self, actor: Actor, segment_id: str, *, days: int) -> GrowthShape:
        actor.require("segments:read", "segments:write")
        config = await self._config(segment_id)
        if config.current is None:
            return GrowthShape(points=[])
        since = self._clock.now() - days * DAY_MS
        points: Sequence[Bucket] = await self._reader.member_series(
            member_key(config.id, config.current.version),
            since=since,
            bucket="hour" if days <= HOURS_UP_TO_DAYS else "day",
        )
        return GrowthShape(points=[SizePoint(at=moment(each.at), size=each.count) for each in points])

    async def overlap(self, actor: Actor, segment_ids: Sequence[str]) -> OverlapShape:
        actor.require("segments:read", "segments:write")
        keys: dict[str, str] = {}
        sizes: dict[str, int] = {}
        for segment_id in dict.fromkeys(segment_ids):
            config = await self._config(segment_id)
            sizes[segment_id] = 0
            if config.current:
                key = member_key(config.id, config.current.version)
                keys[key] = segment_id
                sizes[segment_id] = await self._reader.member_count(key)
        found = await self._reader.overlap(list(keys)) if keys else {}
        parts = [
            OverlapPart(segments=sorted(keys[key] for key in together), count=count)
            for together, count in found.items()
        ]
        return OverlapShape(parts=sorted(parts, key=lambda part: (len(part.segments), part.segments)), sizes=sizes)

    async def explain(self, actor: Actor, segment_id: str, ref: str) -> ExplanationShape:
        """Why a person is in or out, and when that may change: for each part of the condition."""
        actor.require("segments:read", "segments:write")
        actor.require("profiles:read")
        config = await self._config(segment_id)
        root = await find_root(self._reader, actor, ref, await self._settings.identity_rules())
        condition = parse_condition(shown_version(config).condition)
        question = await self._questions.ask(condition)
        found = references(condition)
        events = await self._reader.event_facts(root.leaf_ids, names=found.event_names, types=found.event_types)
        subject = subject_of(root, segments=question.segments, half_lives=question.half_lives, now=question.now)
        explained = explain(condition, subject, events, question.now, Setting(question.zone))
        names = await self._segments.names()
        language = actor.language or "en"
        since = None
        if config.current and root.audience:
            since = root.audience.members.get(member_key(config.id, config.current.version))
        await self._trail.record(actor.did("segment.explain", root.id, at=self._clock.now(), segment=segment_id))
        return masked(
            ExplanationShape(
                profile_id=root.id,
                segment_id=segment_id,
                member=since is not None,
                entered_at=moment_or_none(since),
                tree=_explained(explained, language, names),
                text=describe(condition, language, names),
            ),
            actor,
        )

    async def _config(self, segment_id: str) -> SegmentConfig:
        return segment_config(await self._definitions.get(SEGMENT, segment_id))

    async def _csv(self, config: SegmentConfig) -> AsyncIterator[str]:
        yield _row(["profile_id", "name", "status", "email", "phone", "entered_at"])
        if config.current is None:
            return
        key, cursor, more = member_key(config.id, config.current.version), None, True
        while more:
            page = await self._reader.members(key, limit=CSV_PAGE, cursor=cursor)
            yield "".join(
                _row(
                    [
                        each.person.id,
                        each.person.name,
                        each.person.status,
                        _first(each.person.identifiers, "email"),
                        _first(each.person.identifiers, "phone"),
                        moment(each.since).isoformat().replace("+00:00", "Z"),
                    ]
                )
                for each in page.data
            )
            cursor, more = page.next, page.next is not None


def numeric_traits(node: Node) -> list[Path]:
    """Traits that a condition compares with numbers, and does not cast, each once."""
    if isinstance(node, All | Any_):
        return list(dict.fromkeys(path for part in node.parts for path in numeric_traits(part)))
    if isinstance(node, Not):
        return numeric_traits(node.part)
    if not isinstance(node, Trait) or node.test.as_number:
        return []
    literals = (node.test.value, *node.test.values)
    return [node.path] if any(isinstance(one, int | float) and not isinstance(one, bool) for one in literals) else []


def _explained(found: Explained, language: str, names: dict[str, str]) -> ExplainedShape:
    return ExplainedShape(
        condition=to_json(found.node),
        text=describe(found.node, language, names),
        holds=found.holds,
        until=moment_or_none(found.next),
        seen=found.seen,
        events=[SeenEvent(at=moment(each.at), message_id=each.message_id, value=each.value) for each in found.events],
        parts=[_explained(part, language, names) for part in found.parts],
    )


def _first(identifiers: Sequence[tuple[str, str]], kind: str) -> str:
    return next((value for one, value in identifiers if one == kind), "")


_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def _row(cells: Sequence[Any]) -> str:
    """A line of CSV. What a spreadsheet would take for a formula is quoted as text."""
    line = io.StringIO()
    csv.writer(line).writerow([_plain(str(cell)) for cell in cells])
    return line.getvalue()


def _plain(cell: str) -> str:
    is_number = cell[:1] in "+-" and cell[1:].isdigit()
    return f"'{cell}" if cell.startswith(_FORMULA) and not is_number else cell
