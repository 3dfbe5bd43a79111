"""What a study says that it may use of held-out subjects, and is then held to."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

from pfactor_bench.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Declaration", "declaration_of", "declare"]

_Study = TypeVar("_Study")

#: The attribute of a study that holds its declaration as plain values.
_ATTRIBUTE = "pfactor_bench_declaration"
_ACCESS = re.compile(r"none|own-unlabelled|all-unlabelled|own-labelled-[1-9]\d*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Declaration:
    """What a study declares.

    Parameters
    ----------
    access
        To held-out subjects: ``none``, each window is predicted as if it were alone;
        ``own-unlabelled``, all windows of the same subject; ``all-unlabelled``, those of all
        held-out subjects; ``own-labelled-K``, K windows of the same subject with their target.
        None where nothing is said, which is held to ``own-unlabelled`` and told so.
    inputs
        Columns of the cohort's table that enter the model.
    trained_on
        What a model that is not trained here was trained on, in words.
    """

    access: str | None = None
    inputs: tuple[str, ...] = ()
    trained_on: str = ""

    @property
    def knows_own_targets(self) -> bool:
        """Whether some windows of a held-out subject are labelled."""
        return (self.access or "").startswith("own-labelled")


def declare(
    *, access: str = "none", inputs: Sequence[str] = (), trained_on: str = ""
) -> Callable[[_Study], _Study]:
    """Return a decorator with which a study declares what it uses; an audit holds it to that.

    Parameters
    ----------
    access, inputs, trained_on
        See `Declaration`.

    Raises
    ------
    StudyError
        If the access is unknown, or inputs are not a list of names.

    Examples
    --------
    >>> from pfactor_bench import declare
    >>> @declare(access="own-unlabelled", inputs=["age"])
    ... def study(cohort, *, seed): ...
    """
    if not _ACCESS.fullmatch(access):
        raise StudyError(
            f"unknown access {access!r}: declare 'none', 'own-unlabelled', 'all-unlabelled' or "
            f"'own-labelled-K' with a number for K"
        )
    if isinstance(inputs, str):
        raise StudyError(f"inputs is {inputs!r}: give a list of columns, [{inputs!r}]")
    declaration = Declaration(access=access, inputs=tuple(inputs), trained_on=trained_on)

    def mark(study: _Study) -> _Study:
        setattr(study, _ATTRIBUTE, asdict(declaration))
        return study

    return mark


def declaration_of(study: object) -> Declaration:
    """Return what a study declares; nothing, where it declares nothing."""
    values = getattr(study, _ATTRIBUTE, None)
    if not isinstance(values, dict):
        return Declaration()
    return Declaration(**{**values, "inputs": tuple(values.get("inputs", ()))})
