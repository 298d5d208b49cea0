"""What is wrong with the environment, in sentences that name the variables; never their values."""

from __future__ import annotations

from pydantic import ValidationError

PREFIX = "LEOCDP_"


def explain(error: ValidationError) -> str:
    """One line per setting that cannot be used."""
    return "\n".join(
        f"{PREFIX}{'_'.join(map(str, each['loc'])).upper()} cannot be used: {each['msg']}." for each in error.errors()
    )
