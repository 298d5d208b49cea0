"""The state of one form on a page: what was typed, and what is wrong with it, by field."""

from __future__ import annotations

from dataclasses import dataclass, field

from leocdp_admin.application.errors import Conflict, RequestError
from leocdp_admin.forms.problem_words import problem_text
from leocdp_admin.i18n.catalogues import N_
from leocdp_admin.i18n.localisation import Localisation

CONFLICTS = {
    "source_exists": ("name", N_("Another source has this name already.")),
    "user_exists": ("email", N_("Somebody with this e-mail address is here already.")),
}


class Blanks(dict[str, str]):
    """Answers an empty string for a key that is not there, and stays as it is."""

    def __missing__(self, key: str) -> str:
        return ""


@dataclass(slots=True)
class Form:
    """``values`` and ``problems`` answer an empty string for fields that are not there."""

    values: Blanks = field(default_factory=Blanks)
    problems: Blanks = field(default_factory=Blanks)
    prefix: str = ""
    """Keeps the ids of fields apart where several forms stand on one page."""

    @classmethod
    def of(cls, **values: str) -> Form:
        return cls(Blanks(values))

    @property
    def ok(self) -> bool:
        return not self.problems

    def blame(self, name: str, sentence: str) -> None:
        """The first problem of a field is the one shown."""
        if name not in self.problems:
            self.problems[name] = sentence

    def need(self, name: str, l10n: Localisation) -> None:
        """The field must not be empty."""
        if not self.values[name].strip():
            self.blame(name, l10n.gettext("Please fill this in."))

    def refused(self, error: RequestError, l10n: Localisation, *, otherwise: str) -> None:
        """Put what the application says beside the fields it is about; ``otherwise`` for what is about none.

        Raises the error again when it is not about the form at all.
        """
        if isinstance(error, Conflict) and error.public_code in CONFLICTS:
            name, sentence = CONFLICTS[error.public_code]
            self.blame(name, l10n.gettext(sentence))
        elif error.problems:
            for path, problem in error.problems:
                self.blame(path.split(".")[0].split("[")[0] or otherwise, problem_text(problem, l10n))
        else:
            raise error
