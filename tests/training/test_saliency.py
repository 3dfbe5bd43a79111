"""Saliency: whose it is, where it lies, and whether it depends on what was learnt."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.execution.results import read_case, write_case
from pfactor_bench.measurements import cases, saliency
from pfactor_bench.splits.splitters import grouped_k_fold
from pfactor_bench.statistics.shares import bands_at_least, sets_at_least
from pfactor_bench.training.case import run_case
from pfactor_bench.training.device import choose_device
from pfactor_bench.training.saliency import pool_subjects, randomised_weights, saliency_map
from pfactor_bench.types import Budget, Case, ModelSpec, SubjectSaliency

SUBJECTS = np.array(["sub-b", "sub-a", "sub-b", "sub-a"])
TRUTH = np.zeros(4)
N_CHANS, N_TIMES = 3, 40


class Rhythm(nn.Module):
    """A target that is the size of a rhythm in channel 1."""

    def __init__(self, cycles: int = 5) -> None:
        super().__init__()
        weight = torch.zeros(N_CHANS, N_TIMES)
        weight[1] = torch.sin(2 * torch.pi * cycles * torch.arange(N_TIMES) / N_TIMES)
        self.weight = nn.Parameter(weight)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return a target per window."""
        return (X * self.weight).sum(dim=(1, 2))


@pytest.fixture
def windows() -> torch.Tensor:
    """Two windows of each of two subjects."""
    return torch.randn(4, N_CHANS, N_TIMES, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def found(windows):
    """Return the saliency of a model that looks at one channel and one frequency."""
    return saliency_map(Rhythm(), windows, TRUTH, subjects=SUBJECTS, chosen_by="all-held-out")


def test_each_subject_has_a_row(found) -> None:
    """In the order of their names."""
    assert ["sub-a", "sub-b"] == found.by_subject.subjects.tolist()


def test_channel_share_is_all_in_the_channel_that_counts(found) -> None:
    """For every subject."""
    expected = [[0, 1, 0], [0, 1, 0]]
    np.testing.assert_allclose(found.by_subject.channel_share, expected)


def test_spectral_share_peaks_at_the_models_frequency(found) -> None:
    """The fifth frequency above 0."""
    assert [4, 4] == found.by_subject.spectral_share.argmax(axis=1).tolist()


def test_shares_of_a_subject_add_up_to_one(found) -> None:
    """Over frequencies as over channels."""
    np.testing.assert_allclose(found.by_subject.spectral_share.sum(axis=1), 1)


def test_model_that_looks_nowhere_has_no_shares(windows) -> None:
    """Zeros, which a measurement reports as missing."""
    model = Rhythm()
    nn.init.zeros_(model.weight)
    found = saliency_map(model, windows, TRUTH, subjects=SUBJECTS, chosen_by="all-held-out")
    assert found.by_subject.channel_share.max() == 0


def test_subjects_without_a_chosen_window_are_left_out(windows) -> None:
    """The better-predicted half may be one subject's."""
    truth = Rhythm()(nn.functional.normalize(windows)).detach().numpy().astype(float)
    truth[SUBJECTS == "sub-b"] += 1e3
    found = saliency_map(Rhythm(), windows, truth, subjects=SUBJECTS, chosen_by="smallest-error")
    assert ["sub-a"] == found.by_subject.subjects.tolist()


def test_subject_of_two_folds_is_averaged() -> None:
    """A repeated fold is no second subject."""
    one = SubjectSaliency(
        subjects=np.array(["a"]), channel_share=np.array([[1.0, 0.0]]), spectral_share=np.eye(1)
    )
    other = replace(one, channel_share=np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(pool_subjects([one, other]).channel_share, [[0.5, 0.5]])


def test_map_of_a_learnt_channel_changes_when_weights_are_randomised(found) -> None:
    """One channel counts before, all do after."""
    assert abs(found.randomised_similarity) < 0.5


def test_map_that_is_constant_has_no_similarity(windows) -> None:
    """Ranks of equal values say nothing."""
    model = Rhythm()
    nn.init.zeros_(model.weight)
    found = saliency_map(model, windows, TRUTH, subjects=SUBJECTS, chosen_by="all-held-out")
    assert found.randomised_similarity is None


def test_weights_come_back_after_permuting() -> None:
    """The very model that was trained is what is kept."""
    model = Rhythm()
    before = model.weight.detach().clone()
    with randomised_weights(model):
        pass
    assert torch.equal(before, model.weight)


def test_permuting_moves_weights_and_keeps_their_values() -> None:
    """The same numbers elsewhere."""
    model = Rhythm()
    before = model.weight.detach().clone()
    with randomised_weights(model):
        after = model.weight.detach().clone()
    assert not torch.equal(before, after)
    assert torch.equal(before.flatten().sort().values, after.flatten().sort().values)


def test_permuting_leaves_the_global_random_stream_alone() -> None:
    """Or the next fold would start elsewhere."""
    before = torch.get_rng_state()
    with randomised_weights(Rhythm()):
        pass
    assert torch.equal(before, torch.get_rng_state())


def test_every_set_of_channels_is_compared_where_they_are_few() -> None:
    """Of 6 pairs of 4 channels one holds the two largest shares."""
    assert (1, 6) == sets_at_least(np.array([0.1, 0.4, 0.3, 0.2]), [1, 2])


def test_random_sets_are_drawn_where_there_are_many() -> None:
    """The injected pair of 129 is among 8,256, five channels of them beyond counting."""
    shares = np.full(129, 1.0)
    shares[:5] = 2.0
    n_at_least, n_sets = sets_at_least(shares, list(range(5)))
    assert (1, 10_000) == (n_at_least, n_sets)


def test_bands_of_one_width_are_compared() -> None:
    """Of 3 pairs of neighbours one holds the most."""
    assert (1, 3) == bands_at_least(np.array([0.1, 0.4, 0.3, 0.2]), [1, 2])


@pytest.fixture(scope="module")
def cohort():
    """Return a small cohort with a rhythm in it."""
    return COHORTS["synthetic"](n_subjects=12, n_windows=3)


@pytest.fixture(scope="module")
def split(cohort):
    """Every subject held out once."""
    return grouped_k_fold(n_folds=2)(cohort.subjects)


@pytest.fixture(scope="module")
def results(cohort, split):
    """Return two seeds of a small model."""
    model = ModelSpec(name="EEGNet")
    return {
        case: run_case(
            case,
            cohort,
            split,
            Budget(epochs=1),
            device=choose_device("cpu"),
            saliency=("all-held-out",),
        )
        for case in (Case(regime="scratch", model=model, seed=seed) for seed in (1, 2))
    }


def everything(cohort, split, results):
    """Return the numbers of predictions, curves and maps."""
    run = SimpleNamespace(cohort=cohort, split=split, results=results)
    return (*cases.measure(run), *saliency.measure(run))


@pytest.fixture(scope="module")
def measurements(cohort, split, results):
    """Return what is measured of them, by name."""
    return {found.name: found for found in everything(cohort, split, results)}


def test_injected_share_rests_on_the_held_out_subjects(measurements) -> None:
    """Windows and seeds are no sample of subjects."""
    assert measurements["scratch/saliency_all-held-out_injected_share"].n_subjects == 12


def test_injected_share_lies_in_its_interval(measurements) -> None:
    """A claim above chance is judged by the interval."""
    share = measurements["scratch/saliency_all-held-out_injected_share"]
    assert share.ci.low < share.value < share.ci.high


def test_injected_share_is_told_beside_chance(measurements) -> None:
    """Two of eight channels, and every pair of them."""
    note = measurements["scratch/saliency_all-held-out_injected_share"].note
    assert note.startswith("0.250 by chance; ")
    assert "of 28 sets of 2 channels hold at least as much" in note


def test_injected_band_share_is_told_beside_chance(measurements) -> None:
    """Five of a hundred frequencies lie within 1 Hz of the rhythm."""
    note = measurements["scratch/saliency_all-held-out_injected_band_share"].note
    assert note.startswith("9-11 Hz: 0.050 by chance; ")


def test_randomised_similarity_is_a_correlation(measurements) -> None:
    """Of each seed's map."""
    value = measurements["scratch/seed-1/saliency_all-held-out_randomised_similarity"].value
    assert -1 <= value <= 1


def test_randomised_similarity_says_what_it_means(measurements) -> None:
    """A number near 1 is bad news, which nobody can guess."""
    note = measurements["scratch/seed-1/saliency_all-held-out_randomised_similarity"].note
    assert "near 1" in note


def test_share_of_a_subject_without_gradient_is_missing(cohort, split, results) -> None:
    """Never NaN."""
    dark = {
        case: replace(
            result,
            saliency=tuple(
                replace(
                    one,
                    map=np.zeros_like(one.map),
                    by_subject=replace(
                        one.by_subject, channel_share=np.zeros_like(one.by_subject.channel_share)
                    ),
                )
                for one in result.saliency
            ),
        )
        for case, result in results.items()
    }
    found = {m.name: m for m in everything(cohort, split, dark)}
    missing = found["scratch/saliency_all-held-out_injected_share"].missing_because
    assert missing == "the gradient of a held-out subject is 0 everywhere"


def test_saliency_without_subjects_has_no_regime_measurement(cohort, split, results) -> None:
    """A map that someone else made may come without them."""
    bare = {
        case: replace(
            result, saliency=tuple(replace(one, by_subject=None) for one in result.saliency)
        )
        for case, result in results.items()
    }
    names = {m.name for m in everything(cohort, split, bare)}
    assert "scratch/saliency_all-held-out_injected_share" not in names


def test_cohort_without_a_injected_signal_has_no_injected_share(cohort, split, results) -> None:
    """There is no truth to compare with."""
    real = replace(cohort, injected=None)
    assert not [m for m in everything(real, split, results) if "injected" in m.name]


def test_stored_case_gives_the_same_measurements(cohort, split, results, tmp_path) -> None:
    """Nothing of a subject's saliency is lost on disk."""
    stored = {}
    for number, (case, result) in enumerate(results.items()):
        write_case(tmp_path / f"{number}.npz", "key", result)
        stored[case] = read_case(tmp_path / f"{number}.npz", "key")
    assert everything(cohort, split, results) == everything(cohort, split, stored)
