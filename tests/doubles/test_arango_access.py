"""Who may do what, and what the double refuses because it does not know it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from arango.client import ArangoClient
from arango.collection import StandardCollection
from arango.database import StandardDatabase

from tests.doubles.arango_errors import answered
from tests.doubles.arangodb.double import Double, running
from tests.doubles.conftest import DATABASE, PASSWORD

Connect = Callable[..., StandardDatabase]
ROOT = ("root", "")


@contextmanager
def refusing(what: str) -> Iterator[Double]:
    """A double that has to refuse something, and says so at the end."""
    with pytest.raises(AssertionError, match=re.escape(what)), running() as double:
        yield double


def test_passwords_are_checked(double: Double, db: StandardDatabase, connect: Connect) -> None:
    """401 with number 11, for a wrong password, an unknown user and none at all."""
    with answered(401, 11):
        connect(password="wrong").version()
    with answered(401, 11):
        connect(user="nobody").version()
    assert httpx.get(f"{double.url}/_api/version", timeout=60).status_code == 401
    assert httpx.get(f"{double.url}/_admin/server/availability", timeout=60).json()["mode"] == "default"


def test_tokens(double: Double, db: StandardDatabase) -> None:
    """A token for a name and a password; good for an hour, and not to be made up."""
    client = ArangoClient(hosts=double.url)
    by_token = client.db(DATABASE, username="root", password=PASSWORD, auth_method="jwt")
    assert by_token.version() == "3.11.14"
    forged = httpx.get(f"{double.url}/_api/version", headers={"authorization": "bearer a.b.c"}, timeout=60)
    assert forged.status_code == 401
    client.close()


def test_users_do_what_they_were_granted(db: StandardDatabase, connect: Connect, people: StandardCollection) -> None:
    """No grant on the database: 401. Reading only: writes are 403, number 1004; a collection may differ."""
    system = connect("_system")
    system.create_user("reader", "pw")
    with answered(401, 11):
        connect(user="reader", password="pw").collections()
    system.update_permission("reader", "ro", DATABASE)
    db.create_collection("own")
    system.update_permission("reader", "rw", DATABASE, "own")
    reader = connect(user="reader", password="pw")
    people.insert({"_key": "a"})
    assert reader.collection("people").get("a")
    reader.collection("own").insert({})
    for change in (
        lambda: reader.collection("people").insert({}),
        lambda: reader.aql.execute("INSERT {} INTO people"),
        lambda: reader.begin_transaction(write="people"),
    ):
        with answered(403, 1004):
            change()
    with answered(403, 11):
        reader.create_collection("more")
    with answered(401, 11):
        connect("_system", user="reader", password="pw").create_database("more")
    with answered(409, 1702):
        system.create_user("reader", "pw")


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("GET", "/_api/gharial", None, "GET /_api/gharial"),
        ("POST", "/_api/import?collection=people", "[]", "/_api/import"),
        ("POST", "/_api/document/people?overwrite=true", "{}", "overwrite"),
        ("POST", "/_api/document/people?overwriteMode=update", "{}", "keepNull"),
        ("POST", "/_api/document/people?versionAttribute=v", "{}", "versionAttribute"),
        ("POST", "/_api/cursor", '{"query": "RETURN 1", "options": {"fullCount": true}}', "fullCount"),
        ("POST", "/_api/cursor", '{"query": "RETURN 1", "options": {"cache": true}}', "cache"),
        ("POST", "/_api/index?collection=people", '{"type": "inverted", "fields": ["a"]}', "inverted"),
        ("POST", "/_api/index?collection=people", '{"type": "persistent", "fields": ["a"], "x": 1}', "x in"),
        ("POST", "/_api/collection", '{"name": "c", "numberOfShards": 3}', "shards"),
        ("POST", "/_api/collection", '{"name": "c", "computedValues": []}', "computedValues"),
    ],
)
def test_what_is_not_known_is_refused_and_fails_the_test(method: str, path: str, body: str | None, named: str) -> None:
    with refusing("does not know") as double:
        _create_people(double)
        answer = httpx.request(method, f"{double.url}/_db/_system{path}", content=body, auth=ROOT)
        assert answer.status_code == 501
        assert answer.json()["error"] is True
        assert named in answer.json()["errorMessage"]


def test_headers_that_change_the_meaning_are_refused() -> None:
    with refusing("x-arango-async") as double:
        headers = {"x-arango-async": "true"}
        assert httpx.get(f"{double.url}/_api/version", headers=headers, auth=ROOT, timeout=60).status_code == 501


def test_what_silently_leaves_a_transaction_is_refused() -> None:
    """Collections are created outside of it, whatever the header says; undeclared reads have no documented rules."""
    with refusing("did not declare") as double:
        _create_people(double)
        client = ArangoClient(hosts=double.url)
        mine = client.db("_system", username="root", password="").begin_transaction(read=[])
        headers = {"x-arango-trx-id": mine.transaction_id}
        body = '{"name": "more"}'
        made = httpx.post(f"{double.url}/_api/collection", content=body, headers=headers, auth=ROOT, timeout=60)
        assert made.status_code == 501
        read: Any = httpx.get(f"{double.url}/_api/document/people/a", headers=headers, auth=ROOT, timeout=60)
        assert read.status_code == 501
        client.close()


def _create_people(double: Double) -> None:
    client = ArangoClient(hosts=double.url)
    client.db("_system", username="root", password="").create_collection("people")
    client.close()


def test_a_mistake_in_the_double_fails_the_test() -> None:
    with refusing("KeyError") as double:
        answer = httpx.post(f"{double.url}/_api/database", content="{}", auth=ROOT, timeout=60)
        assert answer.status_code == 500


def test_bodies_that_are_no_json_are_600(double: Double) -> None:
    answer = httpx.post(f"{double.url}/_api/cursor", content="{", auth=("root", PASSWORD), timeout=60)
    assert (answer.status_code, answer.json()["errorNum"]) == (400, 600)
