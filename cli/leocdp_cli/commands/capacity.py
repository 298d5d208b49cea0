"""``leocdp capacity``: which servers people and events need."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from leocdp_cli.capacity import figures as f
from leocdp_cli.capacity.model import Demand, Line, Plan, plan
from leocdp_cli.commands.options import AsJson
from leocdp_cli.output import show_json, table


def register(app: typer.Typer) -> None:
    app.command("capacity")(capacity)


def capacity(
    profiles: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="People, anonymous ones included.")],
    events_per_day: Annotated[int, typer.Option(min=1, max=10_000_000_000, help="On average.")],
    event_bytes: Annotated[int, typer.Option(min=50, max=32_768, help="Of one event as it is sent.")] = f.EVENT_BYTES,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="The database must hold so many days of events.")] = 365,
    retention_days: Annotated[
        int, typer.Option(min=1, max=f.LOG_DAYS_AT_MOST, help="The log must hold so many days of events.")
    ] = f.LOG_DAYS,
    identifiers: Annotated[int, typer.Option(min=1, max=100, help="Of one person.")] = f.IDENTIFIERS,
    peak: Annotated[float, typer.Option(min=1, max=100, help="Busiest seconds against the average.")] = f.PEAK,
    as_json: AsJson = False,
) -> None:
    """Compute disks, CPU and memory from people and events, say which tier fits, and what is full first.

    Each line tells whether it rests on a measured figure or an estimate; docs/capacity.md has the arithmetic. Exit
    status 1 when no tier fits.
    """
    demand = Demand(profiles, events_per_day, event_bytes, days, peak, retention_days, identifiers)
    plans = [plan(demand, tier) for tier in f.TIERS]
    fitting = next((each.tier.name for each in plans if each.fits), "")
    if as_json:
        show_json({"demand": asdict(demand), "fits": fitting or None, "tiers": [_shape(each) for each in plans]})
    else:
        typer.echo("\n\n".join([_asked(demand), *map(_told, plans), _verdict(plans, fitting)]))
    if not fitting:
        raise typer.Exit(1)


def _asked(demand: Demand) -> str:
    return (
        f"{demand.profiles:,} people, {demand.events_per_day:,} events a day of {demand.event_bytes:,} bytes: "
        f"{demand.average:,.1f} events/s on average, {demand.busiest:,.0f} when it is busiest."
    )


def _told(each: Plan) -> str:
    rows = [
        [line.role, line.what, _amount(line.need), _amount(line.have), line.unit, f"{line.share:.0%}", _mark(line)]
        for line in each.lines
    ]
    return "\n".join(
        [
            f"{each.tier.name} ({each.tier.servers} servers): {'fits' if each.fits else 'does not fit'}",
            _servers(each),
            table(["ROLE", "WHAT", "NEEDS", "HAS", "", "SHARE", "BASIS"], rows),
            f"The log holds {each.log_days:,.1f} days. The database's disk is four fifths full after "
            f"{_days(each.full_after_days)} (estimate).",
            f"The database's cache holds the profiles of {each.cached_people:.0%} of the people (estimate).",
            _most(each),
        ]
    )


def _servers(each: Plan) -> str:
    sizes = f.SERVERS
    return "\n".join(
        f"  {count} × {role}: {sizes[role].cpus} CPUs, {sizes[role].memory_gb} GB, {sizes[role].disk_gb} GB of disk"
        for role, count in each.tier.roles.items()
    )


def _most(each: Plan) -> str:
    if not each.most_events_per_day:
        return f"With any number of events too little of: {each.first}."
    return f"Up to {each.most_events_per_day:,} events a day; then too little of: {each.first}."


def _verdict(plans: list[Plan], fitting: str) -> str:
    if fitting:
        return f"Take {fitting}."
    lacking = ", ".join(line.what for line in plans[-1].lines if not line.fits)
    return f"No tier fits: {lacking}. See docs/capacity.md for what can be enlarged."


def _mark(line: Line) -> str:
    return line.basis if line.fits else f"{line.basis}; TOO MUCH"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def _days(days: float) -> str:
    return f"{days / 365:,.1f} years" if days >= 730 else f"{days:,.0f} days"


def _shape(each: Plan) -> dict[str, Any]:
    return {
        "tier": each.tier.name,
        "servers": {role: {"count": count, **asdict(f.SERVERS[role])} for role, count in each.tier.roles.items()},
        "fits": each.fits,
        "lines": [{**asdict(line), "share": round(line.share, 4), "fits": line.fits} for line in each.lines],
        "log_days": round(each.log_days, 2),
        "full_after_days": round(each.full_after_days, 1),
        "most_events_per_day": each.most_events_per_day,
        "first": each.first,
        "cached_people": round(each.cached_people, 3),
    }
