"""What deciding costs per event, apart from loading and committing.

``python -m tests.bench.decide_cost [--people 20000] [--batches 10]``

Load model: batches of 4,000 events on a store in memory, one new person to four known ones, 3 identifiers each; half
of the events are tracks, a quarter pages, a quarter identify calls with three traits. A decision is pure, so each is
repeated and its fastest run counts; garbage collection as in the service. CPU time of the process, in microseconds
per event; the store is reconciled.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from random import Random
from statistics import median

from leocdp.domain.events import Envelope
from leocdp.domain.identity.identifiers import Identifier
from leocdp_processor.__main__ import calm_garbage_collection
from leocdp_processor.decide.batch import decide, load_request
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import RULES, START, envelope

BATCH = 4_000
REPEATS = 5
PAGE = {"url": "https://shop.vn/ao-dai", "referrer": "https://www.google.com/"}
KINDS = ("track", "track", "page", "identify")


def event(random: Random, person: int, number: int) -> Envelope:
    kind = random.choice(KINDS)
    traits = {"name": f"Khách {person}", "plan": random.choice(("free", "pro")), "email": f"k{person}@shop.vn"}
    return envelope(
        "",
        number,
        type=kind,
        name={"track": "Order Completed", "page": "Home"}.get(kind),
        traits=traits if kind == "identify" else {},
        context={"locale": "vi-VN", "page": PAGE},
        identifiers=(
            Identifier("user_id", f"u{person}"),
            Identifier("email", f"k{person}@shop.vn"),
            Identifier("anonymous_id", f"5e0f{person}-7a1b"),
        ),
    )


def batches(random: Random, people: int, count: int) -> list[list[Envelope]]:
    """First the known people, then batches of new and known ones; numbers go up over all."""
    made = [[event(random, start + n, start + n) for n in range(BATCH)] for start in range(0, people, BATCH)]
    known = number = len(made) * BATCH
    new = known
    for _ in range(count):
        batch = []
        for _ in range(BATCH):
            number += 1
            new += (is_new := random.random() < 0.2)
            batch.append(event(random, new if is_new else random.randrange(known), number))
        made.append(batch)
    return made


def fastest(work: Callable[[], object]) -> float:
    """CPU µs per event of the fastest of several runs."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times) / BATCH * 1e6


def measure(made: Sequence[Sequence[Envelope]], warm: int) -> tuple[list[float], list[float]]:
    store, requests, decisions = MemoryStore(), [], []
    for number, batch in enumerate(made):
        snapshot = store.load_now(load_request(batch, RULES))
        if number >= warm:
            requests.append(fastest(lambda batch=batch: load_request(batch, RULES)))  # type: ignore[misc]
            decisions.append(fastest(lambda batch=batch, snapshot=snapshot: decide(batch, snapshot, RULES, START)))  # type: ignore[misc]
        store.commit_now(decide(batch, snapshot, RULES, START), (), START)
    assert len(store.events) == sum(map(len, made)), "events sent and events applied differ"
    return requests, decisions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--batches", type=int, default=10)
    asked = parser.parse_args()
    calm_garbage_collection()
    made = batches(Random(1), asked.people, asked.batches)
    rows = zip(("load_request", "decide"), measure(made, len(made) - asked.batches), strict=True)
    print(f"{'CPU µs per event':<18}{'median':>8}{'min':>8}{'max':>8}")
    for name, found in rows:
        print(f"{name:<18}{median(found):>8.1f}{min(found):>8.1f}{max(found):>8.1f}")


if __name__ == "__main__":
    main()
