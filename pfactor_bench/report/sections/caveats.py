"""What a reader must know before quoting a number: computed from the record, asked or not.

A caveat is one function from the record to sentences, registered in `_CAVEATS`. It returns none
where it does not apply, so that every sentence in a report is about that report.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pfactor_bench.claims import MIN_SUBJECTS_TO_HOLD
from pfactor_bench.report.facts import (
    BASELINE,
    held_out_subjects,
    mean_over_seeds,
    metric,
    outcome,
    regimes,
    value_of,
    value_with_interval,
)
from pfactor_bench.report.section import Section
from pfactor_bench.report.text import bullets, count, joined, md, number, probability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown

#: So many failed cases are named.
_MOST_MISSING = 10


def caveats(record: Record) -> list[Markdown]:
    """Return every caveat that applies, the gravest first."""
    return [sentence for caveat in _CAVEATS for sentence in caveat(record)]


def null_r_probability(r: float, n: int) -> float:
    """Return how often unrelated normal targets of `n` subjects correlate at least as far from 0.

    Parameters
    ----------
    r
        The observed correlation.
    n
        Subjects, 3 or more.

    Returns
    -------
    float
        Exact two-sided probability from Student's t with ``n - 2`` degrees of freedom, by the
        finite series of Abramowitz & Stegun (1964), 26.7.3 and 26.7.4.
    """
    degrees = n - 2
    sine = min(abs(r), 1.0)
    cosine_squared = 1 - sine**2
    odd = degrees % 2
    term = math.sqrt(cosine_squared) if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 if odd else 1, degrees - 1, 2):
        term *= cosine_squared * k / (k + 1)
        total += term
    inside = 2 / math.pi * (math.asin(sine) + sine * total) if odd else sine * total
    return max(0.0, 1 - inside)


def _leak_found(record: Record) -> Iterator[Markdown]:
    failed = [finding.label for finding in record.findings if finding.status == "fail"]
    if failed:
        yield md(
            "**Quote no number from here yet**: {} failed ({}). A leak can make any of them too "
            "good.",
            count(len(failed), "check"),
            joined(", ", failed),
        )


def _missing_cases(record: Record) -> Iterator[Markdown]:
    if record.missing:
        names = [case["id"] for case in record.missing]
        more = len(names) - _MOST_MISSING
        yield md(
            "**{} of {} {} missing**: {}{} failed. What they belong to has no value here; the "
            "first reason: {}.",
            len(names),
            count(len(record.cases) + len(names), "case"),
            "is" if len(names) == 1 else "are",
            joined(", ", names[:_MOST_MISSING]),
            md(" and {} more", more) if more > 0 else "",
            record.missing[0]["reason"],
        )


def _train_mean(record: Record) -> Iterator[Markdown]:
    for regime in regimes(record):
        skill = metric(record, regime, "skill")
        if skill is None or skill.value is None:
            why = skill.missing_because if skill else "it was not measured"
            yield md("In {}, skill has no value: {}.", regime, why)
            continue
        yield md(
            "**Was the train mean beaten?** {} {}: its squared error over subjects is {}, that of "
            "predicting the train mean for every subject {}; skill is {}.",
            regime,
            outcome(record, regime),
            value_of(metric(record, regime, "mse")),
            value_of(metric(record, BASELINE, "mse")),
            value_with_interval(skill),
        )


def _few_subjects(record: Record) -> Iterator[Markdown]:
    n = held_out_subjects(record)
    if n < MIN_SUBJECTS_TO_HOLD:
        yield md(
            "**{} held out.** With fewer than {} no claim about subjects can hold, however good "
            "the number looks, and an interval over so few is a rough guess itself.",
            count(n, "subject was", "subjects were"),
            MIN_SUBJECTS_TO_HOLD,
        )


def _best_seed_r(record: Record) -> Iterator[Markdown]:
    n = held_out_subjects(record)
    for regime, cases in regimes(record).items():
        by_seed = {
            case["seed"]: found.value
            for case in cases
            if (found := metric(record, case["id"], "pearson_r")) and found.value is not None
        }
        if not by_seed or n < 3:  # noqa: PLR2004 - two subjects always lie on a line
            continue
        seed = max(by_seed, key=lambda key: abs(by_seed[key]))
        r = by_seed[seed]
        sentence = md(
            "**r = {} ({}, seed {}) rests on {} and one seed.** If predictions and targets were "
            "unrelated, an r at least this far from 0 would still come up with probability {}",
            number(r),
            regime,
            seed,
            count(n, "subject", "subjects"),
            probability(null_r_probability(r, n)),
        )
        if n == 4:  # noqa: PLR2004 - the one n whose null r is uniform
            sentence = md(
                "{} (with 4 subjects every r is equally likely then: r > 0.5 has 25%)", sentence
            )
        if len(by_seed) > 1:
            sentence = md(
                "{}. Over {} seeds r runs from {} to {}; their mean is {}",
                sentence,
                len(by_seed),
                number(min(by_seed.values())),
                number(max(by_seed.values())),
                value_with_interval(metric(record, regime, "pearson_r")),
            )
        yield md("{}.", sentence)


def _best_epoch(record: Record) -> Iterator[Markdown]:
    for regime in regimes(record):
        best = metric(record, regime, "best_val_r")
        if best is None or best.value is None:
            continue
        last = mean_over_seeds(record, regime, "val_r")
        at_the_end = " After the last epoch, which is what everything else here reports, it is {}."
        yield md(
            "**`best_val_r` = {} ({}) is a maximum over epochs on the very windows it is reported "
            "for**, so it is too good even where there is nothing to find.{}",
            number(best.value),
            regime,
            "" if last is None else md(at_the_end, number(last)),
        )


def _shrunken_predictions(record: Record) -> Iterator[Markdown]:
    for regime in regimes(record):
        ratio = metric(record, regime, "sd_ratio")
        if ratio is not None and ratio.value is not None:
            yield md(
                "The predictions of {} differ between subjects by {:.0f}% of what the true targets "
                "do (standard deviations).",
                regime,
                100 * ratio.value,
            )


def _windows(record: Record) -> Iterator[Markdown]:
    yield md(
        "The {:,} held-out windows come from {}. Numbers over windows stand beside those over "
        "subjects for comparison with other work; they are no larger sample.",
        sum(fold["n_test_windows"] for fold in record.split["folds"]),
        count(held_out_subjects(record), "subject", "subjects"),
    )


def _pooled_folds(record: Record) -> Iterator[Markdown]:
    n_folds = len(record.split["folds"])
    r = metric(record, BASELINE, "pearson_r")
    if n_folds > 1 and r is not None and r.value:
        yield md(
            "r is taken over subjects of {} folds, each predicted by a model trained on others. "
            "That alone moves r: where the subjects held out have high targets, the mean of the "
            "others is low. Predicting each fold's train mean gives r = {} here, so 0 is not its "
            "null: a claim about r is judged within folds (`within_fold_r`).",
            n_folds,
            number(r.value),
        )


def _ensembles(record: Record) -> Iterator[Markdown]:
    folds = record.split["folds"]
    n_times = sum(len(fold["test_subjects"]) for fold in folds) / max(1, held_out_subjects(record))
    if n_times > 1:
        yield md(
            "Subjects are held out {:.3g} times on average, and their predictions averaged: the "
            "skill is that of an ensemble, which is better than one model's.",
            n_times,
        )


def _circular_saliency(record: Record) -> Iterator[Markdown]:
    circular = {
        saliency["chosen_by"]
        for case in record.cases
        for saliency in case.get("saliency", ())
        if saliency["circular"]
    }
    for choice in sorted(circular):
        yield md(
            "**Saliency over windows chosen by {} is circular**: the true targets chose the "
            "windows, so it shows where the model looks when it happens to be right.",
            choice,
        )


def _constant_predictions(record: Record) -> Iterator[Markdown]:
    for case in record.cases:
        found = metric(record, case["id"], "pearson_r")
        if found is not None and found.value is not None and found.note:
            yield md("In {}, {}.", case["id"], found.note)


#: In the order in which a reader should meet them.
_CAVEATS: tuple[Callable[[Record], Iterator[Markdown]], ...] = (
    _leak_found,
    _missing_cases,
    _train_mean,
    _few_subjects,
    _best_seed_r,
    _best_epoch,
    _shrunken_predictions,
    _constant_predictions,
    _pooled_folds,
    _ensembles,
    _windows,
    _circular_saliency,
)

SECTION = Section(
    order=40,
    heading="What to know before quoting a number",
    text=lambda record: [bullets(caveats(record))],
)
