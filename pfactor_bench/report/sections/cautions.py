"""What a reader must know before quoting a number: computed from the record, asked or not.

A caution is one function from the record to sentences, registered in `_CAUTIONS`. It returns none
where it does not apply, so that every sentence in a report is about that report.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pfactor_bench.claims import MIN_SUBJECTS_TO_HOLD
from pfactor_bench.report.facts import (
    BASELINE,
    held_out_people,
    mean_over_seeds,
    metric,
    outcome,
    regimes,
    value_of,
    value_with_interval,
)
from pfactor_bench.report.text import count, escape, number, probability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pfactor_bench.records.record import Record

__all__ = ["cautions", "null_r_probability"]

#: So many failed cases are named.
_MOST_MISSING = 10


def cautions(record: Record) -> list[str]:
    """Return every caution that applies, the gravest first, escaped for Markdown."""
    return [sentence for caution in _CAUTIONS for sentence in caution(record)]


def null_r_probability(r: float, n: int) -> float:
    """Return how often unrelated normal scores of `n` people correlate at least as far from 0.

    Parameters
    ----------
    r
        The observed correlation.
    n
        People, 3 or more.

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


def _leak_found(record: Record) -> Iterator[str]:
    failed = [finding for finding in record.findings if finding.status == "fail"]
    if failed:
        codes = ", ".join(escape(finding.label) for finding in failed)
        yield (
            f"**Quote no number from here yet**: {count(len(failed), 'check')} failed ({codes}). "
            f"A leak can make any of them too good."
        )


def _missing_cases(record: Record) -> Iterator[str]:
    if record.missing:
        total = len(record.cases) + len(record.missing)
        names = ", ".join(escape(case["id"]) for case in record.missing[:_MOST_MISSING])
        more = len(record.missing) - _MOST_MISSING
        yield (
            f"**{len(record.missing)} of {count(total, 'case')} "
            f"{'is' if len(record.missing) == 1 else 'are'} missing**: "
            f"{names}{f' and {more} more' if more > 0 else ''} failed. What they belong to has no "
            f"value here; the first reason: {escape(record.missing[0]['reason'])}."
        )


def _train_mean(record: Record) -> Iterator[str]:
    for regime in regimes(record):
        skill = metric(record, regime, "skill")
        if skill is None or skill.value is None:
            why = skill.missing_because if skill else "it was not measured"
            yield f"In {escape(regime)}, skill has no value: {escape(why)}."
            continue
        yield (
            f"**Was the train mean beaten?** {escape(regime)} {outcome(record, regime)}: its "
            f"squared error over people is {value_of(metric(record, regime, 'mse'))}, that of "
            f"predicting the train mean for everybody "
            f"{value_of(metric(record, BASELINE, 'mse'))}; skill is {value_with_interval(skill)}."
        )


def _few_people(record: Record) -> Iterator[str]:
    n = held_out_people(record)
    if n < MIN_SUBJECTS_TO_HOLD:
        yield (
            f"**{count(n, 'person was', 'people were')} held out.** With fewer than "
            f"{MIN_SUBJECTS_TO_HOLD} no claim about people can hold, however good the number "
            f"looks, and an interval over so few is a rough guess itself."
        )


def _best_seed_r(record: Record) -> Iterator[str]:
    n = held_out_people(record)
    for regime, cases in regimes(record).items():
        by_seed = {
            case["seed"]: found.value
            for case in cases
            if (found := metric(record, case["id"], "pearson_r")) and found.value is not None
        }
        if not by_seed or n < 3:  # noqa: PLR2004 - two people always lie on a line
            continue
        seed = max(by_seed, key=lambda key: abs(by_seed[key]))
        r = by_seed[seed]
        sentence = (
            f"**r = {number(r)} ({escape(regime)}, seed {escape(seed)}) rests on "
            f"{count(n, 'person', 'people')} and one seed.** If predictions and scores were "
            f"unrelated, an r at least this far from 0 would still come up with probability "
            f"{probability(null_r_probability(r, n))}"
        )
        if n == 4:  # noqa: PLR2004 - the one n whose null r is uniform
            sentence += " (with 4 people every r is equally likely then: r > 0.5 has 25%)"
        if len(by_seed) > 1:
            sentence += (
                f". Over {len(by_seed)} seeds r runs from {number(min(by_seed.values()))} to "
                f"{number(max(by_seed.values()))}; their mean is "
                f"{value_with_interval(metric(record, regime, 'pearson_r'))}"
            )
        yield f"{sentence}."


def _best_epoch(record: Record) -> Iterator[str]:
    for regime in regimes(record):
        best = metric(record, regime, "best_val_r")
        if best is None or best.value is None:
            continue
        last = mean_over_seeds(record, regime, "val_r")
        at_the_end = (
            ""
            if last is None
            else f" After the last epoch, which is what everything else here reports, it is "
            f"{number(last)}."
        )
        yield (
            f"**`best_val_r` = {number(best.value)} ({escape(regime)}) is a maximum over epochs on "
            f"the very windows it is reported for**, so it is too good even where there is "
            f"nothing to find.{at_the_end}"
        )


def _spread(record: Record) -> Iterator[str]:
    for regime in regimes(record):
        ratio = metric(record, regime, "sd_ratio")
        if ratio is not None and ratio.value is not None:
            yield (
                f"The predictions of {escape(regime)} differ between people by "
                f"{100 * ratio.value:.0f}% of what the true scores do (standard deviations)."
            )


def _windows(record: Record) -> Iterator[str]:
    n_windows = sum(fold["n_test_windows"] for fold in record.split["folds"])
    people = count(held_out_people(record), "person", "people")
    yield (
        f"The {n_windows:,} held-out windows come from {people}. Numbers over windows stand beside "
        f"those over people for comparison with other work; they are no larger sample."
    )


def _pooled_folds(record: Record) -> Iterator[str]:
    n_folds = len(record.split["folds"])
    r = metric(record, BASELINE, "pearson_r")
    if n_folds > 1 and r is not None and r.value:
        yield (
            f"r is taken over people of {n_folds} folds, each predicted by a model trained on "
            f"others. That alone moves r: where the people held out score high, the mean of the "
            f"others is low. Predicting each fold's train mean gives r = {number(r.value)} here, "
            f"so compare with that, not with 0."
        )


def _circular_saliency(record: Record) -> Iterator[str]:
    circular = {
        saliency["chosen_by"]
        for case in record.cases
        for saliency in case.get("saliency", ())
        if saliency["circular"]
    }
    for choice in sorted(circular):
        yield (
            f"**Saliency over windows chosen by {escape(choice)} is circular**: the true scores "
            f"chose the windows, so it shows where the model looks when it happens to be right."
        )


def _constant_predictions(record: Record) -> Iterator[str]:
    for case in record.cases:
        found = metric(record, case["id"], "pearson_r")
        if found is not None and found.value is not None and found.note:
            yield f"In {escape(case['id'])}, {escape(found.note)}."


#: In the order in which a reader should meet them.
_CAUTIONS: tuple[Callable[[Record], Iterator[str]], ...] = (
    _leak_found,
    _missing_cases,
    _train_mean,
    _few_people,
    _best_seed_r,
    _best_epoch,
    _spread,
    _constant_predictions,
    _pooled_folds,
    _windows,
    _circular_saliency,
)
