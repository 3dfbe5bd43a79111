"""Where each seed's prediction is most sensitive, circular choices marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import metric, regimes, value_of, value_or_reason, windows_chosen
from pfactor_bench.report.section import Section
from pfactor_bench.report.text import bullets, md, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown

_HOW_TO_READ_MAPS = md(
    "Time is that within a window. Where windows are not locked to an event, no moment of one "
    "means anything in the brain: a peak in time then shows the network's saliency for any window."
)
_HOW_TO_READ_SHARES = md(
    "A share describes these models and is no claim; its interval over subjects is of their maps: "
    "to tell a share from chance, look at how many other sets of channels, or bands, hold as much."
)


def _is_shown(record: Record) -> bool:
    return any(case.get("saliency") for case in record.cases)


def _text(record: Record) -> list[Markdown]:
    rows = [
        _row(record, case["id"], saliency)
        for case in record.cases
        for saliency in case.get("saliency", ())
    ]
    headers = ["case", "averaged over", "peak channel", "peak time (s)", "largest"]
    headers += ["injected share", "similarity after randomising"]
    injected = (record.cohort.get("injected") or {}).get("ch_names", ())
    share = len(injected) / len(record.cohort["ch_names"])
    about = md(
        "Size of the prediction's gradient, in {} per {}.{} {}",
        record.cohort["target"],
        record.cohort["unit"],
        md(" By chance the injected channels would hold {:.3f} of it.", share) if injected else "",
        _HOW_TO_READ_MAPS,
    )
    return [table(headers, rows), about, _remarks(record)]


def _row(record: Record, case: str, saliency: Mapping[str, Any]) -> list[object]:
    chosen = saliency["chosen_by"]
    return [
        case,
        md("{}{}", windows_chosen(chosen), md(" (**circular**)" if saliency["circular"] else "")),
        saliency["peak_channel"],
        f"{saliency['peak_time']:.2f}",
        f"{saliency['max']:.2e}",
        *(
            value_of(metric(record, case, f"saliency_{chosen}_{name}"))
            for name in ("injected_share", "randomised_similarity")
        ),
    ]


def _remarks(record: Record) -> Markdown:
    """Say how much lies where the signal was injected, and what randomising the weights showed."""
    found = [one for one in record.measurements if "/saliency_" in one.name]
    lines = [
        md("{}: {}{}.", one.name, value_or_reason(one), md(", {}" if one.note else "", one.note))
        for one in found
        if one.case in regimes(record)
    ]
    lines += [_HOW_TO_READ_SHARES] if lines else []
    meanings = {one.note for one in found if one.name.endswith("_similarity") and one.note}
    lines += [md("Similarity after randomising: {}.", meaning) for meaning in sorted(meanings)]
    return bullets(lines)


SECTION = Section(order=130, heading="Saliency", text=_text, is_shown=_is_shown)
