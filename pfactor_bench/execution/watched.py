"""How far a run is: one line with the cases under way."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pfactor_bench.terminal.bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pfactor_bench.execution.progress import Progress


@contextmanager
def watched_cases(
    total: int, on_progress: Callable[[Progress], object], *, wanted: bool
) -> Iterator[tuple[Callable[[Progress], None], Callable[[], object], Callable[[str], object]]]:
    """Show how far a run is while it lasts.

    Parameters
    ----------
    total
        Cases of the run.
    on_progress
        Called with every change, too.
    wanted
        Whether anything is shown at all.

    Yields
    ------
    tuple of callable
        One to be called with every change, one from time to time, so that the clock goes on, and
        one with each regime that is audited.
    """
    with progress_bar(total=total, unit="case", desc="loading", wanted=wanted) as bar:

        def tell(progress: Progress) -> None:
            bar.n = progress.done + len(progress.failed)
            failed = f"{len(progress.failed)} failed" if progress.failed else ""
            bar.set_description(", ".join(progress.running[:2]) or "cases", refresh=False)
            bar.set_postfix_str(failed, refresh=False)
            bar.refresh()
            on_progress(progress)

        yield tell, bar.refresh, lambda regime: bar.set_description(f"audit of {regime}")
