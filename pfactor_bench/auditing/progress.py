"""How far an audit is: one line that names the check under way."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pfactor_bench.checks import catalogue
from pfactor_bench.report.text import plain
from pfactor_bench.terminal.bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pfactor_bench.types import Finding

__all__ = ["watched_audit"]


@contextmanager
def watched_audit(
    name: str, on_finding: Callable[[Finding], object], *, wanted: bool
) -> Iterator[Callable[[Finding], None]]:
    """Show how far an audit is while it lasts.

    Parameters
    ----------
    name
        Of what is audited.
    on_finding
        Called with every finding, too.
    wanted
        Whether anything is shown at all.

    Yields
    ------
    callable
        To be called with every finding as soon as there is one.
    """
    codes = [entry.code for entry in catalogue()]
    follows = dict(zip(codes, [*codes[1:], ""], strict=True))
    bar = progress_bar(
        total=len(codes), unit="check", desc=f"audit of {plain(name, limit=40)}", wanted=wanted
    )

    def tell(finding: Finding) -> None:
        bar.set_postfix_str(follows.get(finding.code, ""), refresh=False)
        bar.update()
        on_finding(finding)

    with bar:
        # It runs before the first check, and longest.
        bar.set_postfix_str("running it")
        yield tell
