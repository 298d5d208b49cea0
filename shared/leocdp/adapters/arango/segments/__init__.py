"""Segments in ArangoDB: who is due, who is a member, and conditions as queries."""
