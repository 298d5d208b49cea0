"""Every query of admin's store. The rules are those of ``profiles.aql``."""

from __future__ import annotations

from typing import Final

# Users, links, sessions, attempts

USERS: Final = """
FOR u IN admin_users
  RETURN u
"""

USER: Final = """
FOR u IN admin_users FILTER u._key == @key
  RETURN u
"""

USER_BY_EMAIL: Final = """
FOR u IN admin_users FILTER u.email == @email
  RETURN u
"""

OWNERS: Final = """
FOR u IN admin_users FILTER u.role == "owner" AND u.status == "active" AND u.password_hash != ""
  LIMIT 1
  RETURN u._key
"""

LINK: Final = """
FOR l IN admin_links FILTER l._key == @key
  RETURN l
"""

LINKS_OF_USER: Final = """
FOR l IN admin_links FILTER l.user_id == @user_id
  RETURN {key: l._key, kind: l.kind, used_at: l.used_at}
"""

SESSION: Final = """
FOR s IN admin_sessions FILTER s._key == @key
  FOR u IN admin_users FILTER u._key == s.user_key
    RETURN {session: s, user: u}
"""

SESSIONS_OF_USER: Final = """
FOR s IN admin_sessions FILTER s.user_id == @user_id
  RETURN s._key
"""

FAILED_ATTEMPTS: Final = """
RETURN LENGTH(
  FOR a IN admin_attempts FILTER a.account_hash == @account_hash AND a.at > @since
    LIMIT @limit
    RETURN 1
)
"""

# Keys

KEYS: Final = """
FOR k IN admin_keys
  RETURN k
"""

KEY: Final = """
FOR k IN admin_keys FILTER k._key == @key
  RETURN k
"""

KEY_BY_HASH: Final = """
FOR k IN admin_keys FILTER k.secret_hash == @secret_hash
  RETURN k
"""

KEYS_OF: Final = """
FOR k IN admin_keys FILTER k._key IN @keys
  RETURN {key: k._key, last_used_at: k.last_used_at}
"""

# Configuration

ENTRIES: Final = """
FOR c IN admin_config FILTER c.kind == @kind AND c.deleted == false
  RETURN c
"""

ALL_ENTRIES: Final = """
FOR c IN admin_config
  RETURN c
"""

ENTRY: Final = """
FOR c IN admin_config FILTER c._key == @key
  RETURN c
"""

ENTRIES_OF: Final = """
FOR c IN admin_config FILTER c._key IN @keys
  RETURN c
"""

PENDING: Final = """
FOR q IN admin_config_outbox
  SORT q._key ASC
  LIMIT @limit
  FOR c IN admin_config FILTER c._key == q.entry
    RETURN {number: q.number, entry: c}
"""
"""What is pending is a key; the entry itself is read when it is published, so the newest version goes out."""

# Commands, privacy requests, audit

COMMAND: Final = """
FOR c IN admin_commands FILTER c._key == @key
  RETURN c
"""

PRIVACY_REQUEST: Final = """
FOR p IN admin_privacy FILTER p._key == @key
  RETURN p
"""

PRIVACY_REQUESTS: Final = """
FOR p IN admin_privacy OPTIONS {indexHint: "admin_privacy_newest"}
  FILTER p.created_at <= @at
  FILTER p.created_at == @at ? p.place < @place : true
  FILTER @kind == "" ? true : p.kind == @kind
  SORT p.created_at DESC, p.place DESC
  LIMIT @limit
  RETURN p
"""
"""``place`` is hex of the id, because collations differ between engines."""

AUDIT: Final = """
FOR a IN admin_audit FILTER a._key < @before
  SORT a._key DESC
  FILTER @action == "" ? true : a.action == @action
  FILTER @part == "" ? true : STARTS_WITH(a.action, @part)
  FILTER a.at >= @from AND a.at < @to
  LIMIT @limit
  RETURN a
"""

AUDIT_OF_ACTOR: Final = """
FOR a IN admin_audit OPTIONS {indexHint: "admin_audit_actor"}
  FILTER a.actor == @actor AND a.sequence < @before
  SORT a.actor DESC, a.sequence DESC
  FILTER @target == "" ? true : a.target == @target
  FILTER @action == "" ? true : a.action == @action
  FILTER @part == "" ? true : STARTS_WITH(a.action, @part)
  FILTER a.at >= @from AND a.at < @to
  LIMIT @limit
  RETURN a
"""

AUDIT_OF_TARGET: Final = """
FOR a IN admin_audit OPTIONS {indexHint: "admin_audit_target"}
  FILTER a.target == @target AND a.sequence < @before
  SORT a.target DESC, a.sequence DESC
  FILTER @action == "" ? true : a.action == @action
  FILTER @part == "" ? true : STARTS_WITH(a.action, @part)
  FILTER a.at >= @from AND a.at < @to
  LIMIT @limit
  RETURN a
"""

# Upkeep

ENDED_SESSIONS: Final = """
FOR s IN admin_sessions FILTER s.expires_at <= @until_then
  LIMIT @limit
  RETURN s._key
"""

OLD_ATTEMPTS: Final = """
FOR a IN admin_attempts FILTER a.at <= @until_then
  LIMIT @limit
  RETURN a._key
"""

OLD_LINKS: Final = """
FOR l IN admin_links FILTER l.expires_at <= @until_then
  LIMIT @limit
  RETURN l._key
"""

OLD_COMMANDS: Final = """
FOR c IN admin_commands FILTER c.at <= @until_then
  LIMIT @limit
  RETURN c._key
"""

OLD_AUDIT: Final = """
FOR a IN admin_audit FILTER a.at < @before
  LIMIT @limit
  RETURN a._key
"""
