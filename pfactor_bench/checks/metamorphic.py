"""Metamorphic checks: change what an honest study cannot notice, and compare its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks import _changes
from pfactor_bench.checks._core import check
from pfactor_bench.checks._outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks._relation import Trial, compare, describe, evidence_of
from pfactor_bench.sandbox import Failure

if TYPE_CHECKING:
    import numpy as np

    from pfactor_bench.checks._outcomes import Outcome
    from pfactor_bench.checks._probe import Probe, ProbedFold
    from pfactor_bench.types import Cohort

__all__: list[str] = []


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
    The study contract, docs/study-contract.md.
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


@check("LK101", kinds=(1, 2, 3, 12, 14, 17, 18, 19))
def blind_to_held_out_scores(study: Probe) -> Outcome:
    """Redraw the scores of held-out people: their predictions must not move.

    How it is detected
    ------------------
    Fold by fold, the scores of the held-out people, and of nobody else, are moved by random draws
    of 1, 3 and 10 standard deviations, and the study runs again. The fold's predictions are
    compared with those for the unchanged cohort; what unchanged reruns differ by does not count. A
    split that follows the scores is given draws that change no rank.

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
    return _nothing_moved(
        trials,
        study,
        "predictions do not depend on the scores of the people they are made for",
        "the split follows the scores, however little they change",
    )


@check("LK102", kinds=(8, 10, 11, 24, 25))
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
    if not folds:
        return not_applicable("every fold holds out a single person, who has no others beside them")
    trials: list[Trial] = []
    for fold in folds:
        rng = study.rng("signal", fold.name)
        people = _first_and_others(study, fold, rng)
        for person in people:
            others = [name for name in fold.held_out if name != person]
            spoilt = _changes.replace_signal(study.cohort, person, rng)
            trials += compare(study, fold, [(f"signal of {person} replaced", spoilt)], others)
        if any(trial.moved for trial in trials):
            break
    if evidence := evidence_of(trials, study):
        return failed(
            f"predictions moved when only another held-out person's signal was replaced: "
            f"{describe(trials, study)}",
            evidence,
        )
    return _nothing_moved(
        trials,
        study,
        "nobody's prediction depends on the signal of another held-out person",
        "who is held out depends on the signal",
    )


@check("LK103", kinds=(4, 15, 16))
def blind_to_names(study: Probe) -> Outcome:
    """Rename the people, order kept: no prediction may move.

    How it is detected
    ------------------
    Everybody gets a new name that sorts where the old one did, in the subject column and in the
    window names. If the split itself follows the names, single people are renamed instead.

    Why it matters
    --------------
    A name is no brain signal. A prediction that depends on it looks something up: a stored answer,
    a cache, or identity as an input.

    How to fix it
    -------------
    Remove subject and window names from the inputs, and key caches by the cohort's fingerprint.

    What it cannot see
    ------------------
    Identity read from the position in the table (LK104) or from the signal.

    Source
    ------
    Chen et al. 1998 on metamorphic testing, arXiv:2002.12543.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    fold = study.folds[0]
    trials = compare(study, fold, [("everybody renamed", _changes.rename_everybody(study.cohort))])
    if trials[0].split_moved:
        people = study.rng("rename").permutation([*fold.train, *fold.held_out])[:3].tolist()
        draws = [(f"{name} renamed", _changes.rename_one(study.cohort, name)) for name in people]
        trials += compare(study, fold, draws)
    if evidence := evidence_of(trials, study):
        return failed(
            f"predictions moved when people were only renamed: {describe(trials, study)}", evidence
        )
    return _nothing_moved(
        trials, study, "names do not matter", "who is held out depends on people's names"
    )


@check("LK106", kinds=(28,))
def learns_from_training_scores(study: Probe) -> Outcome:
    """Redraw the scores of training people: predictions must move.

    How it is detected
    ------------------
    All scores of one fold's training people are moved by random draws of 3 standard deviations. If
    the split follows the scores, all scores are stretched and shifted instead.

    Why it matters
    --------------
    A study that learns must answer differently when it is taught differently. One that does not
    reads a stale cache or stored answers, or its training does not reach its predictions.

    How to fix it
    -------------
    Put the cohort's fingerprint and the split into the key of every cache, and check that the
    trained model is the one that predicts.

    What it cannot see
    ------------------
    A cache that is used only when the cohort has not changed.

    Source
    ------
    Adebayo et al. 2018, arXiv:1810.03292, whose label-randomisation test is the same idea.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    fold = study.folds[0]
    if not fold.train:
        return not_applicable("everybody is held out somewhere in the fold: nobody only trains it")
    redrawn = _changes.redraw_scores(study.cohort, fold.train, 3.0, study.rng("train", fold.name))
    trials = compare(study, fold, [("training scores redrawn", redrawn)])
    if trials[0].split_moved:
        stretched = _changes.stretch_scores(study.cohort)
        trials += compare(study, fold, [("all scores stretched", stretched)])
    if any(trial.moved for trial in trials):
        return passed("predictions follow the scores that the study is trained on")
    if not any(trial.compared for trial in trials):
        return _nothing_moved(trials, study, "", "the split follows the scores")
    return failed(
        "predictions stay the same although the study was trained on other scores: they come from "
        "somewhere else",
        [trial.row(study) for trial in trials if trial.compared],
    )


def _first_and_others(study: Probe, fold: ProbedFold, rng: np.random.Generator) -> list[str]:
    """Return people to replace; a state that is kept from call to call starts with the first."""
    first = str(study.cohort.subjects[fold.answered.positions[0]])
    others = rng.permutation([name for name in fold.held_out if name != first]).tolist()
    return [first, *others][: study.effort.signal_draws]


def _label_draws(study: Probe, fold: ProbedFold) -> list[tuple[str, Cohort]]:
    return [
        (
            f"scores redrawn, {scale:g} SD, draw {draw}",
            _changes.redraw_scores(
                study.cohort, fold.held_out, scale, study.rng("labels", fold.name, scale, draw)
            ),
        )
        for scale in study.effort.scales
        for draw in range(study.effort.label_draws)
    ]


def _rank_keeping_draws(study: Probe, fold: ProbedFold) -> list[tuple[str, Cohort]]:
    return [
        (
            f"scores redrawn within their ranks, draw {draw}",
            _changes.redraw_within_ranks(
                study.cohort, fold.held_out, study.rng("ranks", fold.name, draw)
            ),
        )
        for draw in range(2 * study.effort.label_draws)
    ]


def _nothing_moved(trials: list[Trial], study: Probe, good: str, split_moved: str) -> Outcome:
    """Return what follows when no compared prediction has moved."""
    n_compared = sum(trial.compared for trial in trials)
    failures = [trial for trial in trials if trial.failure]
    if failures and not n_compared:
        return undecided(
            f"the study fails on the changed cohort: {failures[0].failure}",
            fix="A study must accept any finite scores, names and signals; correct what it says.",
        )
    if not n_compared:
        return warned(
            f"{split_moved}, so there was nothing to compare; that alone is no leak",
            [{"change": trial.change, "fold": trial.fold} for trial in trials],
            fix="Decide the split before looking at scores or names and pass it on, so that this "
            "relation can be tested.",
        )
    return passed(f"{good} ({n_compared} changes, unchanged reruns differ by {study.floor:.2g})")
