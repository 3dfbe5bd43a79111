"""The matrix as a heat map, and the severity-response curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.detection.trials import DOORS
from pfactor_bench.report.figures.style import INK, QUIET, SMALL, encode, house_style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["draw_matrix", "draw_severities"]

_COLUMNS_OF_CURVES = 6


def draw_matrix(record: Mapping[str, Any]) -> dict[str, bytes]:
    """Return ``matrix.svg`` and ``matrix.png``: kind by door."""
    from matplotlib.figure import Figure

    kinds = record["kinds"]
    with house_style():
        figure = Figure(figsize=(8.5, 10.0), layout="constrained")
        axes = figure.subplots()
        _heat(axes, [kind["doors"] for kind in kinds], tuple(DOORS), "found through")
        axes.set_yticks(
            range(len(kinds)), [f"{_short(kind['title'])}  {kind['kind']}" for kind in kinds]
        )
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        encoded = encode(
            figure,
            title="How often each kind of leak is found",
            description="Rows are leak types; columns are doors; cells give found of injected.",
        )
    return {f"matrix.{kind}": content for kind, content in encoded.items()}


def _short(title: str) -> str:
    return title if len(title) <= 52 else f"{title[:51]}…"  # noqa: PLR2004 - what fits


def _heat(
    axes: Axes, rows: Sequence[Mapping[str, Any]], columns: tuple[str, ...], title: str
) -> None:
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    shares = np.full((len(rows), len(columns)), np.nan)
    for y, row in enumerate(rows):
        for x, name in enumerate(columns):
            cell = row.get(name)
            if cell is None or not cell["n"]:
                axes.text(x, y, "·", ha="center", va="center", color=QUIET)
                continue
            shares[y, x] = cell["rate"]
            dark = cell["rate"] > 0.6  # noqa: PLR2004 - white text is read better there
            axes.text(
                x,
                y,
                f"{cell['found']}/{cell['n']}",
                ha="center",
                va="center",
                color="white" if dark else INK,
                fontsize=SMALL - 1,
            )
    shades = LinearSegmentedColormap.from_list("found", ["#F6E3D7", "#9DC3DE", "#0072B2"])
    axes.imshow(shares, cmap=shades, vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    axes.set_title(title, fontsize=SMALL, loc="left")


def draw_severities(record: Mapping[str, Any]) -> dict[str, bytes]:
    """Return ``severities.svg`` and ``severities.png``: a panel per leak that has a severity."""
    from matplotlib.figure import Figure

    curves = record["severities"]
    n_rows = max(1, -(-len(curves) // _COLUMNS_OF_CURVES))
    with house_style():
        figure = Figure(figsize=(11.5, 1.75 * n_rows), layout="constrained")
        panels = figure.subplots(n_rows, _COLUMNS_OF_CURVES, squeeze=False).ravel()
        for axes, curve in zip(panels, curves, strict=False):
            _curve(axes, curve)
        for axes in panels[len(curves) :]:
            axes.set_visible(False)
        encoded = encode(
            figure,
            title="How often a leak is found, by its severity",
            description="Whiskers are 95 % intervals.",
        )
    return {f"severities.{kind}": content for kind, content in encoded.items()}


def _curve(axes: Axes, curve: Mapping[str, Any]) -> None:
    points = [point for point in curve["points"] if point["n"]]
    for x, point in enumerate(points):
        axes.plot([x, x], [point["low"], point["high"]], color=QUIET, linewidth=0.8)
    places = range(len(points))
    axes.plot(places, [point["rate"] for point in points], "o-", color="#0072B2", markersize=4)
    axes.set_xticks(places, [f"{point['severity']:g}" for point in points])
    axes.set_ylim(-0.08, 1.08)
    axes.set_yticks([0, 1], ["0", "1"])
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{curve['kind']} {curve['leak']}", fontsize=SMALL - 1, loc="left")
    axes.set_xlabel(_two_lines(curve["severity_means"]), fontsize=SMALL - 2)


def _two_lines(text: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, 26))
