"""States join to the same person in every order and grouping."""

from __future__ import annotations

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from leocdp.domain.events import Envelope
from leocdp.domain.profiles.apply import addition, join_event, traits_of
from leocdp.domain.profiles.joins import copy_state, fold, join_into, later
from leocdp.domain.profiles.state import ConsentCell, IdentifierCell, Register, State
from tests.fakes import strategies as events_of
from tests.fakes.world import SERVER, START, envelope, key

times = st.integers(0, 3)
registers = st.builds(Register, st.sampled_from((None, 1, "pro")), times, st.sampled_from(("m1", "m2")), st.just("s"))
counts = st.dictionaries(st.sampled_from(("track", "page")), st.integers(1, 3), max_size=2)


def named(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Register]]:
    return st.dictionaries(st.sampled_from(names), registers, max_size=2)


@st.composite
def states(draw: st.DrawFn, number: int) -> State:
    """A state as leaf ``number`` may have it: identifiers are its own, equal registers have equal values."""
    words = st.dictionaries(st.sampled_from("ab"), st.builds(ConsentCell, st.booleans(), times), max_size=2)
    span = draw(st.none() | st.tuples(times, times))
    at = draw(times)
    state = State(
        traits=_plain(draw(named(("plan", "age")))),
        total=draw(times),
        by_type=draw(counts),
        by_name=draw(counts),
        first_seen=min(span) if span else None,
        last_seen=max(span) if span else None,
        firsts=_plain(draw(named(("touch",)))),
        lasts=_plain(draw(named(("touch", "locale")))),
        consents={purpose: found for purpose in ("marketing", "sharing") if (found := draw(words))},
        labels=_plain(draw(named(("vip",)))),
        cannot_link=_plain(draw(named(("prf_1", "prf_2")))),
    )
    state.identifiers = {f"email:x{number}": IdentifierCell(at, at, "s", "m")}
    return state


def _plain(cells: dict[str, Register]) -> dict[str, Register]:
    """A message writes one value: the value follows from time and message."""
    return {name: replace(cell, value=f"{name}{cell.at}{cell.message_id}") for name, cell in cells.items()}


@given(states(1), states(2), states(3))
def test_the_join_commutes_and_associates(a: State, b: State, c: State) -> None:
    assert fold([a, b]) == fold([b, a])
    assert fold([fold([a, b]), c]) == fold([a, fold([b, c])])
    assert fold([a, State()]) == a


@given(states(1), states(2))
def test_a_join_changes_its_target_only(a: State, b: State) -> None:
    kept_a, kept_b = deepcopy(a), deepcopy(b)
    joined = join_into(copy_state(a), b)
    joined.consents.setdefault("marketing", {})["z"] = ConsentCell(True, 1)
    joined.identifiers["z"] = IdentifierCell(1, 1, "s", "m")
    assert (a, b) == (kept_a, kept_b)


@given(states(1))
def test_everything_but_sums_is_idempotent(a: State) -> None:
    twice = fold([a, a])
    assert twice.total == 2 * a.total
    assert replace(twice, total=a.total, by_type=a.by_type, by_name=a.by_name) == a


@given(data=st.data(), events=events_of.plain_events(pool=("x1",), most=10))
def test_states_do_not_depend_on_the_order_of_events(data: st.DataObject, events: list[Envelope]) -> None:
    assert absorbed(events) == absorbed(data.draw(st.permutations(events)))


@given(events=events_of.plain_events(pool=("x1",), most=10), cut=st.integers(0, 10))
def test_a_fold_of_parts_is_the_whole(events: list[Envelope], cut: int) -> None:
    """Which is why an event may be added to its leaf and to its person alike."""
    parts = [absorbed(events[:cut]), absorbed(events[cut:])]
    assert fold(parts) == absorbed(events)


def absorbed(events: list[Envelope]) -> State:
    state = State()
    for event in events:
        join_event(state, addition(event, [key("x1")]))
    return state


def test_an_equal_time_is_decided_by_the_message_id() -> None:
    low, high = Register("a", 5, "m1"), Register("b", 5, "m2")
    assert later(low, high) is later(high, low) is high


def test_null_removes_a_trait_and_keeps_its_time() -> None:
    state = State()
    for number, value in ((1, "pro"), (3, None), (2, "late")):
        event = envelope("x1", number, type="identify", traits={"plan": value})
        join_event(state, addition(event, []))
    assert state.traits["plan"] == Register(None, START + 3000, "m00003", SERVER.id)


def test_objects_are_replaced_whole() -> None:
    state = State()
    for number, value in ((1, {"a": 1}), (2, {"b": 2})):
        event = envelope("x1", number, type="identify", traits={"address": value})
        join_event(state, addition(event, []))
    assert state.traits["address"].value == {"b": 2}


def test_only_identify_sets_traits() -> None:
    for kind in ("track", "page", "screen", "group", "alias"):
        assert traits_of(envelope("x1", 1, type=kind, traits={"plan": "pro"})) == {}


def test_names_are_counted_of_tracks_pages_and_screens() -> None:
    state = State()
    cases = [("track", "Paid"), ("page", "Home"), ("page", None), ("screen", "Cart"), ("identify", "x"), ("group", "y")]
    for number, (kind, name) in enumerate(cases, 1):
        join_event(state, addition(envelope("x1", number, type=kind, name=name), []))
    assert state.by_name == {"Paid": 1, "Home": 1, "Cart": 1}
    assert state.by_type == {"track": 1, "page": 2, "screen": 1, "identify": 1, "group": 1}
    assert (state.total, state.first_seen, state.last_seen) == (6, START + 1000, START + 6000)
