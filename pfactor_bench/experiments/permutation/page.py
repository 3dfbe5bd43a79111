"""A permutation test as a page and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.text import count, escape, number, plain

if TYPE_CHECKING:
    from pfactor_bench.experiments.permutation.run import PermutationTest

_HOW = {
    "closed form": "a ridge head on the frozen encoder's features, solved in closed form; the "
    "regime's own head and budget play no part",
    "training": "the regime trained anew, by the fast engine where it can, from the same initial "
    "weights and in the same order of windows",
}


def permutation_sentences(test: PermutationTest) -> list[str]:
    """Return what was found, in plain text."""
    null = test.null
    low, high = null.interval()
    n = len(null.permuted)
    return [
        (
            f"{plain(test.case.regime)}, seed {test.case.seed}: r = {number(null.observed)} over "
            f"{count(test.n_held_out, 'held-out subject', 'held-out subjects')}."
        ),
        (
            f"Targets permuted anew among {test.n_subjects:,} subjects, {count(n, 'time')}: r is "
            f"{_range(test)} and as high as that {count(null.n_as_high, 'time')}."
        ),
        (
            f"p = {number(null.p_value)} (one-sided). The share over all possible permutations "
            f"lies between {low:.2g} and {high:.2g} (95 % interval); {count(n, 'permutation')} can "
            f"show no p below {1 / (n + 1):.2g}."
        ),
    ]


def permutation_page(test: PermutationTest, figure: str) -> str:
    """Return the page.

    Parameters
    ----------
    test
        What was found.
    figure
        The name of the figure's file, without its ending.
    """
    body = " ".join(escape(sentence) for sentence in permutation_sentences(test))
    start = (
        " The encoder that it starts from was made once, from true targets where its source has "
        "any, and is the same for every permutation."
        if test.case.start != "from-scratch"
        else ""
    )
    return (
        f"# {escape(test.suite)}: what chance alone gives\n\n{body}\n\n"
        f"![{escape(_alt_text(test), limit=1000)}]({figure}.png)\n\n"
        "*Grey: r after the whole procedure on permuted targets; the line is the r on the true "
        f"ones. [As vector graphics]({figure}.svg).*\n\n"
        f"How: {_HOW[test.method]}.{start} All windows of a subject share a target before and "
        "after. The observed r is that of the same procedure, so it may differ a little from the "
        "one in the suite's report. Unlike the report's permutations, which permute fixed "
        "predictions' targets that stay, this asks what training itself finds where there is "
        "nothing to find. A small p says that targets and signals are related in these subjects; "
        f"it does not say that nothing leaks.\n"
    )


def draw_permutations(test: PermutationTest) -> dict[str, bytes]:
    """Return the figure as ``svg`` and ``png``."""
    import numpy as np

    from pfactor_bench.report.figures import style
    from pfactor_bench.report.figures.sheet import Sheet

    with style.house_style():
        sheet = Sheet(
            f"Does {style.label(test.case.regime)} find more than chance gives?",
            "grey: r after training on targets permuted among subjects; orange: on the true "
            "targets",
            plot=1.9,
        )
        axes = sheet.axes(0.75, right=2.2)
        heights, edges = np.histogram(test.null.permuted, bins=40, range=(-1, 1))
        axes.fill_between(edges, [*heights, heights[-1]], step="post", color="#BDBDBD", linewidth=0)
        axes.axvline(test.null.observed, color=style.HELD_OUT, linewidth=2.2)
        axes.annotate(
            f"r = {style.signed(test.null.observed)}\np = {number(test.null.p_value)}\n"
            f"{len(test.null.permuted):,} permutations",
            (1, 0.6),
            xycoords="axes fraction",
            xytext=(10, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )
        axes.set(xlim=(-1.02, 1.02), ylim=(0, 1.08 * max(1, heights.max())))
        axes.set_xlabel(f"Pearson's r over {test.n_held_out} held-out subjects")
        axes.set_ylabel("permutations")
        axes.spines[["top", "right"]].set_visible(False)
        return style.encode(sheet.figure, title=sheet.title, description=_alt_text(test))


def _range(test: PermutationTest) -> str:
    import numpy as np

    low, high = np.quantile(test.null.permuted, [0.025, 0.975])
    return f"between {number(low)} and {number(high)} in 95 % of them"


def _alt_text(test: PermutationTest) -> str:
    return "Histogram of r on permuted targets. " + " ".join(permutation_sentences(test))
