"""Conditions as SQL: what an index can say is said in SQL, what only the meaning itself can say is asked of it."""
