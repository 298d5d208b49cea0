"""The functions that the double evaluates, by name."""

from tests.doubles.arangodb.aql.functions.calls import call

__all__ = ["call"]
