"""A section of a Hugging Face model card: the measured numbers as a ``model-index``.

Every number stands with its subjects and its interval, the claims with their verdicts, good or bad.
"""

from __future__ import annotations

from typing import Any

from pfactor_bench.claims import required
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.records.record import Record, find_measurement
from pfactor_bench.report.facts import held_out_subjects, metric, regimes, value_with_interval
from pfactor_bench.report.sections.citation import bibtex
from pfactor_bench.report.sections.summary import leak_line, regime_lines, run_again
from pfactor_bench.report.text import Markdown, code_block, md, paragraphs, plain, table
from pfactor_bench.types import Claim, Measurement

#: Metrics over subjects, and what a card calls them.
_METRICS = {
    "skill": "Skill against the train mean",
    "pearson_r": "Pearson's r",
    "r2": "R²",
    "mae": "Mean absolute error",
}


def model_card(record: Record, *, regime: str | None = None) -> str:
    """Return a model card's metadata and a section on how the model was evaluated.

    Parameters
    ----------
    record
        Of the suite that evaluated the model.
    regime
        Which of its regimes; None takes the first.

    Raises
    ------
    UnknownNameError
        If the record has no such regime.
    """
    import yaml

    found = regimes(record)
    chosen = next(iter(found)) if regime is None else regime
    if chosen not in found:
        raise UnknownNameError("regime", chosen, found)
    metadata = {
        "tags": ["eeg", "regression", "pfactor-bench"],
        "model-index": [_model_index(record, chosen)],
    }
    front = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{front}---\n\n{_section(record, chosen)}\n"


def _model_index(record: Record, regime: str) -> dict[str, Any]:
    cohort, target = record.cohort, plain(record.cohort["target"])
    metrics = [
        _metric(name, words, found)
        for name, words in _METRICS.items()
        if (found := metric(record, regime, name)) is not None and found.value is not None
    ]
    return {
        "name": plain(f"{regimes(record)[regime][0]['model']} ({regime})", limit=120),
        "results": [
            {
                "task": {"type": "tabular-regression", "name": f"{target} from EEG, new subjects"},
                "dataset": {
                    "type": plain(cohort["name"]),
                    "name": plain(cohort["name"]),
                    "split": plain(f"{record.split['name']}, held-out subjects"),
                    "revision": plain(cohort["fingerprint"]),
                },
                "metrics": metrics,
            }
        ],
    }


def _metric(name: str, words: str, found: Measurement) -> dict[str, Any]:
    arguments: dict[str, Any] = {"n_subjects": found.n_subjects}
    if found.ci is not None:
        arguments |= {
            "interval_low": found.ci.low,
            "interval_high": found.ci.high,
            "interval_level": found.ci.level,
            "interval_method": plain(found.ci.method),
        }
    return {"type": name, "name": words, "value": found.value, "args": arguments}


def _section(record: Record, regime: str) -> str:
    mine = list(regimes(record)).index(regime)
    about = [claim for claim in record.claims if claim.measurement.startswith(f"{regime}/")]
    parts = [
        md("## Evaluation"),
        _who(record),
        regime_lines(record)[mine],
        leak_line(record),
        _claims(record, about),
        run_again(record),
        code_block([bibtex(record)], language="bibtex"),
    ]
    return paragraphs(*parts)


def _who(record: Record) -> Markdown:
    return md(
        "On {:,} held-out subjects of cohort {}, each predicted by a model that had never seen "
        "them.",
        held_out_subjects(record),
        record.cohort["name"],
    )


def _claims(record: Record, claims: list[Claim]) -> str:
    verdicts = {verdict.claim: verdict.status for verdict in record.verdicts}
    rows = [
        [
            claim.text,
            value_with_interval(find_measurement(record, claim.measurement)),
            Markdown(required(claim.requirement)),
            verdicts.get(claim.id, "not judged"),
        ]
        for claim in claims
    ]
    return table(["claim", "measured", "required", "verdict"], rows) if rows else ""
