"""Functions of strings. What is no string is converted to one, as TO_STRING does."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.doubles.arangodb.aql import operators
from tests.doubles.arangodb.aql.context import Context
from tests.doubles.arangodb.aql.functions.registry import MANY, function, wrong_type
from tests.doubles.arangodb.aql.values import number, text, truth


@function("CONCAT", 1, MANY)
def concat(ctx: Context, *given: Any) -> str:
    """Nulls add nothing; one array counts as many arguments."""
    parts = given[0] if len(given) == 1 and isinstance(given[0], list) else given
    return "".join(text(each) for each in parts)


@function("CONCAT_SEPARATOR", 2, MANY)
def concat_separator(ctx: Context, separator: Any, *given: Any) -> str:
    parts = given[0] if len(given) == 1 and isinstance(given[0], list) else given
    return text(separator).join(text(each) for each in parts if each is not None)


@function("LOWER", 1)
def lower(ctx: Context, value: Any) -> str:
    return text(value).lower()


@function("UPPER", 1)
def upper(ctx: Context, value: Any) -> str:
    return text(value).upper()


@function("TRIM", 1)
def trim(ctx: Context, value: Any) -> str:
    return text(value).strip()


@function("CHAR_LENGTH", 1)
def char_length(ctx: Context, value: Any) -> int:
    return len(text(value))


@function("SUBSTRING", 2, 3)
def substring(ctx: Context, value: Any, start: Any, count: Any = None) -> str:
    """A negative start counts from the end."""
    whole, begin = text(value), int(number(start))
    rest = whole[begin:] if begin >= 0 or -begin <= len(whole) else whole
    return rest if count is None else rest[: max(0, int(number(count)))]


@function("LEFT", 2)
def left(ctx: Context, value: Any, count: Any) -> str:
    return text(value)[: max(0, int(number(count)))]


@function("RIGHT", 2)
def right(ctx: Context, value: Any, count: Any) -> str:
    whole = text(value)
    return whole[max(0, len(whole) - max(0, int(number(count)))) :]


@function("STARTS_WITH", 2, 3)
def starts_with(ctx: Context, value: Any, prefix: Any, least: Any = 1) -> Any:
    """One prefix, or how many of several at least; only strings start with anything."""
    if not isinstance(value, str):
        return False
    prefixes = prefix if isinstance(prefix, list) else [prefix]
    hits = sum(isinstance(each, str) and value.startswith(each) for each in prefixes)
    return hits >= int(number(least))


@function("CONTAINS", 2, 3)
def contains(ctx: Context, value: Any, wanted: Any, as_index: Any = False) -> Any:
    """Whether it is in there; with a third argument that is true, where: -1 for nowhere. "" is nowhere."""
    part = text(wanted)
    place = text(value).find(part) if part else -1
    return place if truth(as_index) else place >= 0


@function("LIKE", 2, 3)
def like(ctx: Context, value: Any, pattern: Any, ignore_case: Any = False) -> bool:
    return operators.like(value, pattern, ignore_case=truth(ignore_case))


@function("REGEX_TEST", 2, 3)
def regex_test(ctx: Context, value: Any, pattern: Any, ignore_case: Any = False) -> bool:
    return operators.regex(text(pattern), truth(ignore_case)).search(text(value)) is not None


@function("SPLIT", 1, 3)
def split(ctx: Context, value: Any, separator: Any = None, limit: Any = None) -> Any:
    if isinstance(separator, list):
        return wrong_type(ctx, "SPLIT")
    parts = [text(value)] if separator is None else list(text(value))
    if separator is not None and text(separator):
        parts = text(value).split(text(separator))
    return parts if limit is None else parts[: int(number(limit))]


@function("SUBSTITUTE", 2, 4)
def substitute(ctx: Context, value: Any, search: Any, replace: Any = "", limit: Any = -1) -> Any:
    """One search string, or an object of search and replacement strings (in no promised order)."""
    if isinstance(search, list):
        return wrong_type(ctx, "SUBSTITUTE")
    result = text(value)
    for each, other in search.items() if isinstance(search, dict) else [(text(search), replace)]:
        result = result.replace(each, text(other), int(number(limit))) if each else result
    return result


@function("SHA1", 1)
def sha1(ctx: Context, value: Any) -> str:
    return hashlib.sha1(text(value).encode(), usedforsecurity=False).hexdigest()


@function("SHA256", 1)
def sha256(ctx: Context, value: Any) -> str:
    return hashlib.sha256(text(value).encode()).hexdigest()


@function("MD5", 1)
def md5(ctx: Context, value: Any) -> str:
    return hashlib.md5(text(value).encode(), usedforsecurity=False).hexdigest()


@function("JSON_STRINGIFY", 1)
def json_stringify(ctx: Context, value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@function("JSON_PARSE", 1)
def json_parse(ctx: Context, value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else wrong_type(ctx, "JSON_PARSE")
    except ValueError:
        return wrong_type(ctx, "JSON_PARSE")
