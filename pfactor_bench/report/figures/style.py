"""One visual language for every figure: palette, type, and text that data cannot disturb.

Colours are those of Okabe & Ito (2008), "Color universal design",
https://jfly.uni-koeln.de/color/, which readers with colour-vision deficiency can tell apart.
"""

from __future__ import annotations

import io
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pfactor_bench.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRAIN = "#0072B2"
HELD_OUT = "#D55E00"
INJECTED = "#D55E00"
BASELINE = "#000000"
INK = "#262626"
QUIET = "#6B6B6B"
SEED_COLORS = ("#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#404040")
SEED_MARKERS = ("o", "^", "s", "D", "v", "P", "X")
SMALL = 9

#: What predicting the train mean looks like in every panel.
DASHED: dict[str, Any] = {"color": BASELINE, "linewidth": 1.1, "linestyle": (0, (4, 2.5))}

_FONT = "DejaVu Sans"
_DPI = 150
_COMPRESSION = 3
_LABEL_DISTANCE = 0.4
_SETTINGS: dict[Any, Any] = {
    "font.family": [_FONT],  # ships with matplotlib, so it is the same everywhere
    "font.size": SMALL,
    "axes.labelsize": SMALL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "text.color": INK,
    "text.parse_math": False,  # a "$" in a subject's name is a dollar
    "svg.fonttype": "path",  # a viewer without the font shows the same figure
    "svg.hashsalt": "pfactor-bench",  # ids must not differ between two runs
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the project's settings alone, whatever the user's matplotlibrc says."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def encode(figure: Figure, *, title: str, description: str) -> dict[str, bytes]:
    """Return a figure as SVG and PNG, byte for byte the same for the same figure."""
    metadata = {
        "Title": plain(title),
        "Description": plain(description, limit=2000),
        "Creator": None,
        "Date": None,
    }
    svg = io.BytesIO()
    figure.savefig(svg, format="svg", dpi=_DPI, metadata=metadata)
    return {"svg": svg.getvalue(), "png": _as_png(figure)}


def _as_png(figure: Figure) -> bytes:
    """Return a figure as pixels without transparency, which costs time and space and is not used.

    Squeezing it harder takes half as long again and saves a hundredth of the size.
    """
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(_DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
    png = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        png, "png", compress_level=_COMPRESSION, dpi=(_DPI, _DPI)
    )
    return png.getvalue()


def label(text: object, *, limit: int = 24) -> str:
    """Return text from data as a figure can show it: short, on one line, in glyphs of the font."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont(_FONT))
    return "".join(
        character if font.get_char_index(ord(character)) else "\N{WHITE SQUARE}"
        for character in plain(text, limit=limit)
    )


def signed(value: float, decimals: int = 2) -> str:
    """Return a number with a minus sign as wide as a plus."""
    return f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def apart(positions: Sequence[float], gap: float) -> list[float]:
    """Move positions as little as keeps neighbours `gap` apart, for labels at the ends of lines."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    moved = list(positions)
    for _ in range(100):
        for low, high in itertools.pairwise(order):
            overlap = gap - (moved[high] - moved[low])
            if overlap > 0:
                moved[low] -= overlap / 2
                moved[high] += overlap / 2
    return moved


def quiet_frame(axes: Axes) -> None:
    """Leave the two spines that carry ticks, and line up the labels of axes that stand in a row."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=3)
    axes.yaxis.set_label_coords(-_LABEL_DISTANCE / inches(axes)[0], 0.5)


def figure_of(axes: Axes) -> Figure:
    """Return the figure that axes stand in."""
    from matplotlib.figure import Figure

    # Axes may stand in a part of a figure; the project's never do.
    assert isinstance(axes.figure, Figure)  # noqa: S101
    return axes.figure


def inches(axes: Axes) -> tuple[float, float]:
    """Return how wide and how high axes are."""
    box, figure = axes.get_position(), figure_of(axes)
    return box.width * figure.get_figwidth(), box.height * figure.get_figheight()


def label_ends(axes: Axes, ends: list[tuple[str, str, float]]) -> None:
    """Name lines where they end, right of the axes, where no data can be covered."""
    low, high = axes.get_ylim()
    positions = [(value - low) / (high - low) for _, _, value in ends]
    tallest = max(text.count("\n") for text, _, _ in ends) + 1
    gap = 0.135 * (1 + tallest) / 2 / inches(axes)[1]
    for (text, color, _), position in zip(ends, apart(positions, gap), strict=True):
        axes.annotate(
            text,
            (1.0, position),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=color,
            linespacing=1.05,
            annotation_clip=False,
        )
