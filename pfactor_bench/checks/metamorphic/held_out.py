"""Metamorphic checks: change what an honest study cannot notice, and compare its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.relation import (
    Trial,
    compare,
    describe,
    evidence_of,
    nothing_moved,
)
from pfactor_bench.studies import changes
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe, ProbedFold
    from pfactor_bench.types import Cohort

__all__: list[str] = []

#: Where scores are gathered, in standard deviations: far above all others, and far below.
_FAR = (10.0, -10.0)


@check("LK100", kinds=())
def keeps_the_contract(study: Probe) -> Outcome:
    """Run the study as it is, and see that it answers.

    How it is detected
    ------------------
    The study runs on the unchanged cohort in a process of its own, with limits on time and memory.
    Its table must keep the contract: known windows, each once a fold, finite predictions.

    Why it matters
    --------------
    A study that does not answer cannot be audited; one that changes what it is handed would spoil
    every comparison that is not shielded from it, its author's own among them.

    How to fix it
    -------------
    Correct what the explanation names. Copy arrays before changing them.

    What it cannot see
    ------------------
    Whether the predictions are any good.

    Source
    ------
    The study contract, version 1: `pfactor_bench.studies.contract`.
    """
    if isinstance(study.answer, Failure):
        return undecided(
            f"the study gave no answer: {study.answer.reason}",
            fix="Run the study on the cohort by itself until it returns a table of predictions.",
        )
    n_folds, notes = len(study.answer.folds), study.answer.notes
    if notes:
        return warned(f"the study answers, but {notes[0]}", [{"noticed": note} for note in notes])
    return passed(f"the study answers with predictions for {n_folds} folds")


@check("LK101", kinds=(1, 2, 3, 12, 14, 17, 18, 19, 23, 27))
def blind_to_held_out_scores(study: Probe) -> Outcome:
    """Redraw the scores of held-out people: their predictions must not move.

    How it is detected
    ------------------
    Fold by fold, the scores of the held-out people, and of nobody else, are moved by random draws
    of 1, 3 and 10 standard deviations, or gathered far above or below all others, and the study
    runs again. The fold's predictions are compared with those for the unchanged cohort; what
    unchanged reruns differ by does not count. A split that follows the scores is given draws that
    change no rank; one that follows the signals as well, once they are noise, is a warning, since
    it may have been chosen by how well it came out.

    Why it matters
    --------------
    Held-out scores are what is to be predicted. If a prediction changes when only they change, the
    study has used them: by training on the same people, choosing features, epochs, settings or
    seeds by test performance, or scaling and correcting predictions with test scores.

    How to fix it
    -------------
    Find every use of the scores before predictions are final, and restrict it to training people:
    fit, select, stop, tune and calibrate on them alone.

    What it cannot see
    ------------------
    Uses that change no prediction, such as reporting the best of several finished tables, and
    choices that happen to come out alike in every draw.

    Source
    ------
    Chen et al. 1998 on metamorphic testing, arXiv:2002.12543; Kapoor & Narayanan 2023,
    doi:10.1016/j.patter.2023.100804.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    trials: list[Trial] = []
    for fold in study.folds:
        found = compare(study, fold, _label_draws(study, fold))
        if all(trial.split_moved for trial in found):
            found += compare(study, fold, _rank_keeping_draws(study, fold))
        trials += found
        if any(trial.moved for trial in found):
            break
    if evidence := evidence_of(trials, study):
        return failed(
            f"predictions of held-out people moved when only their own scores were redrawn: "
            f"{describe(trials, study)}",
            evidence,
        )
    if any(trial.compared for trial in trials) and (chosen := _splits_by_result(trials, study)):
        return warned(
            "who is held out together follows the scores and the signals, as in a split that was "
            "kept for its result",
            [trial.row(study) for trial in chosen],
            fix="Decide the split before looking at scores or results, and keep the one seed that "
            "was declared.",
        )
    return nothing_moved(
        trials,
        study,
        "predictions do not depend on the scores of the people they are made for",
        "the split follows the scores, however little they change",
    )


@check("LK102", kinds=(8, 10, 11, 22, 24, 25, 27))
def blind_to_other_held_out_people(study: Probe) -> Outcome:
    """Replace one held-out person's signal: the others' predictions must not move.

    How it is detected
    ------------------
    All windows of one held-out person become loud noise of another mean and other correlations
    between channels. The predictions of the other people held out with them are compared.

    Why it matters
    --------------
    If one test person's signal reaches another's prediction, something was fitted on test data: a
    scaler, PCA, ICA, alignment or harmonisation over everybody, batch statistics of the test batch,
    or a state that is kept from one prediction to the next.

    How to fix it
    -------------
    Fit every transformation on training people inside the fold (a scikit-learn Pipeline does), put
    the network into eval mode, and predict each person as if they were the only one.

    What it cannot see
    ------------------
    Folds with one held-out person, and transformations that no extreme signal changes.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.2.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    folds = [fold for fold in study.folds if len(fold.held_out) > 1]
    if study.hides_folds:
        return not_applicable(
            "the study does not tell its folds apart, so nobody is known to be held out together: "
            "name them in a column 'fold'"
        )
    if not folds:
        return not_applicable("every fold holds out a single person, who has no others beside them")
    trials: list[Trial] = []
    for fold in folds:
        rng = study.rng("signal", fold.name)
        people = _first_and_others(study, fold, rng)
        for person in people:
            others = [name for name in fold.held_out if name != person]
            spoilt = changes.replace_signal(study.cohort, person, rng)
            trials += compare(study, fold, [(f"signal of {person} replaced", spoilt)], others)
        if any(trial.moved for trial in trials):
            break
    if evidence := evidence_of(trials, study):
        return failed(
            f"predictions moved when only another held-out person's signal was replaced: "
            f"{describe(trials, study)}",
            evidence,
        )
    return nothing_moved(
        trials,
        study,
        "nobody's prediction depends on the signal of another held-out person",
        "who is held out depends on the signal",
    )


def _first_and_others(study: Probe, fold: ProbedFold, rng: np.random.Generator) -> list[str]:
    """Return people to replace; a state that is kept from call to call starts with the first."""
    first = str(study.cohort.subjects[fold.answered.positions[0]])
    others = rng.permutation([name for name in fold.held_out if name != first]).tolist()
    return [first, *others][: study.effort.signal_draws]


def _label_draws(study: Probe, fold: ProbedFold) -> list[tuple[str, Cohort]]:
    gathered = [
        (
            f"scores gathered {distance:+g} SD from the mean",
            changes.gather_scores(
                study.cohort, fold.held_out, distance, study.rng("gather", fold.name, distance)
            ),
        )
        for distance in _FAR
    ]
    return gathered + [
        (
            f"scores redrawn, {scale:g} SD, draw {draw}",
            changes.redraw_scores(
                study.cohort, fold.held_out, scale, study.rng("labels", fold.name, scale, draw)
            ),
        )
        for scale in study.effort.scales
        for draw in range(study.effort.label_draws)
    ]


def _splits_by_result(trials: Sequence[Trial], study: Probe) -> list[Trial]:
    """Return the draws of noise in which others are held out together, of a split that scores move.

    Signals alone may say whose recording is of use, scores alone may balance a split. Both together
    are what a result is made of.
    """
    if not any(trial.split_moved for trial in trials):
        return []
    noise = [(f"all signal replaced, draw {draw}", one) for draw, one in enumerate(study.noise())]
    return [trial for trial in compare(study, study.folds[0], noise) if trial.split_moved]


def _rank_keeping_draws(study: Probe, fold: ProbedFold) -> list[tuple[str, Cohort]]:
    return [
        (
            f"scores redrawn within their ranks, draw {draw}",
            changes.redraw_within_ranks(
                study.cohort, fold.held_out, study.rng("ranks", fold.name, draw)
            ),
        )
        for draw in range(2 * study.effort.label_draws)
    ]
