"""The sheet that a report's smaller figures are drawn on: title, caption, and axes below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.figures.style import encode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches. As wide as the report's main figure, so that points are points in all of them.
_WIDTH = 10.4
_EDGE = 0.12
_TITLE = 11


class Drawing:
    """A figure and the title that its files carry."""

    def __init__(self, figure: Figure, title: str) -> None:
        self.figure = figure
        self.title = title

    def encode(self, name: str, *, description: str) -> dict[str, bytes]:
        """Return ``<name>.svg`` and ``<name>.png``: the same bytes for the same drawing."""
        encoded = encode(self.figure, title=self.title, description=description)
        return {f"{name}.{kind}": content for kind, content in encoded.items()}


class Sheet(Drawing):
    """A figure with its title and caption on top.

    Parameters
    ----------
    title
        What the figure answers.
    caption
        What its marks mean.
    plot
        Height of the axes, in inches.
    above, below
        Room for title and caption over them, and for ticks and labels under them.
    """

    def __init__(
        self, title: str, caption: str, *, plot: float, above: float = 0.72, below: float = 0.55
    ) -> None:
        from matplotlib.figure import Figure

        self._plot = plot
        self._below = below
        self._height = above + plot + below
        super().__init__(Figure(figsize=(_WIDTH, self._height)), title)
        left = _EDGE / _WIDTH
        top = 1 - 0.1 / self._height
        self.figure.text(left, top, title, va="top", size=_TITLE, weight="bold")
        self.figure.text(left, 1 - 0.34 / self._height, caption, va="top")

    def axes(self, left: float, *, right: float = _EDGE, until: float = _WIDTH) -> Axes:
        """Return axes from `left` inches to `right` inches before `until`."""
        width = until - right - left
        return self.figure.add_axes(
            (left / _WIDTH, self._below / self._height, width / _WIDTH, self._plot / self._height)
        )
