"""Units from the file, else from channels.tsv, else asked for; and amplitudes that no EEG has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bids_for_tests import load
from edf_for_tests import MICROVOLTS, edf, rhythm, write_edf, write_folder

from pfactor_bench.cohorts.units import microvolts, refuse_amplitudes
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path


def describe(folder: Path, unit: str) -> None:
    """Write one channels.tsv for all recordings."""
    rows = "".join(f"{name}\tEEG\t{unit}\n" for name in MICROVOLTS)
    (folder / "task-rest_channels.tsv").write_text(f"name\ttype\tunits\n{rows}")


def amplitudes(folder: Path, **changes: Any) -> np.ndarray:
    """Return the size of each channel's rhythm, in microvolts."""
    found: np.ndarray = load(folder, **changes).X.std(axis=(0, 2)) * np.sqrt(2)
    return found


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("V", 1e6), ("mV", 1e3), ("uV", 1), ("µV", 1), ("μV", 1), ("UV", 1), ("microvolts", 1)],
)
def test_unit_is_read_however_it_is_written(unit: str, expected: float) -> None:
    """In microvolts."""
    assert microvolts(unit) == expected


@pytest.mark.parametrize("unit", ["", ".V", "n/a", "SD", "degC"])
def test_unit_that_is_no_voltage_is_none(unit: str) -> None:
    """Nothing is guessed."""
    assert microvolts(unit) is None


@pytest.mark.parametrize("unit", ["uV", "\xb5V", "\xc2\xb5V", "uv"])
def test_unit_of_the_file_is_used(tmp_path: Path, unit: str) -> None:
    """In Latin-1, in UTF-8 read as Latin-1, and in lower case, which MNE takes for volts."""
    folder = write_folder(tmp_path / "mine", unit=unit)

    np.testing.assert_allclose(amplitudes(folder), [*MICROVOLTS.values()], rtol=0.1)


@pytest.mark.parametrize("unit", ["", ".V"])
def test_unit_of_channels_tsv_is_used_where_the_file_has_none(tmp_path: Path, unit: str) -> None:
    """MNE would take such samples for volts."""
    folder = write_folder(tmp_path / "mine", unit=unit)
    describe(folder, "µV")

    np.testing.assert_allclose(amplitudes(folder), [*MICROVOLTS.values()], rtol=0.1)


def test_unit_that_nothing_says_is_asked_for(tmp_path: Path) -> None:
    """And can be declared."""
    folder = write_folder(tmp_path / "mine", unit="")
    with pytest.raises(CohortError, match=r"unit of channel 'Fz' is '' .* unit: uV"):
        load(folder)

    np.testing.assert_allclose(amplitudes(folder, unit="uV"), [*MICROVOLTS.values()], rtol=0.1)


def test_declared_unit_that_is_none_is_refused(tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(CohortError, match="unit is 'pT': give V, mV, uV or nV"):
        load(tmp_path, unit="pT")


def test_sidecar_that_disagrees_with_the_file_is_said(tmp_path: Path) -> None:
    """The file's unit stands with its samples."""
    folder = write_folder(tmp_path / "mine", unit="uV")
    describe(folder, "V")

    assert "channels.tsv gives another unit than the file: Fz, Cz, Pz" in load(folder).notes[0]


@pytest.mark.parametrize(("unit", "factor"), [("mV", "0.001"), ("V", "1e-06")])
def test_amplitude_that_no_eeg_has_is_refused_with_its_factor(
    tmp_path: Path, unit: str, factor: str
) -> None:
    """The header's unit may be wrong."""
    with pytest.raises(CohortError, match=f"no EEG has .* a factor of {factor} would"):
        load(write_folder(tmp_path / "mine", unit=unit))


def test_subject_in_another_unit_is_refused(tmp_path: Path) -> None:
    """Though the medians over subjects are usual."""
    folder = write_folder(tmp_path / "mine")
    write_edf(edf(folder), rhythm(5), unit="nV")
    with pytest.raises(CohortError, match=r"subject 'sub-02' .* a factor of 1000 would"):
        load(folder)


def refuse(deviations: np.ndarray, unit: str = "uV") -> None:
    """Check three subjects with two windows each, one row a window."""
    refuse_amplitudes("a", deviations, [*"aabbcc"], ["Cz", "Pz"], unit)


@pytest.mark.parametrize("level", [0.2, 1.0, 10.0, 450.0])
def test_amplitudes_of_eeg_are_accepted(level: float) -> None:
    """From a quiet adult's to a child's that moves, z-scores among them."""
    refuse(np.full((6, 2), level, dtype=np.float32))


@pytest.mark.parametrize(("level", "unit"), [(0.05, "uV"), (501, "uV"), (10, "V"), (0.01, "nV")])
def test_amplitudes_beyond_are_refused(level: float, unit: str) -> None:
    """In whatever unit they are given."""
    with pytest.raises(CohortError, match="channel 'Cz' of cohort 'a' has a median SD of"):
        refuse(np.full((6, 2), level, dtype=np.float32), unit)


def test_unit_that_is_no_voltage_has_no_bounds() -> None:
    """Standard deviations of noise are not microvolts."""
    refuse(np.full((6, 2), 1e-3, dtype=np.float32), "SD")


def test_flat_channels_count_for_nothing() -> None:
    """A reference is flat, and a dead electrode is told elsewhere."""
    deviations = np.full((6, 2), 10, dtype=np.float32)
    deviations[:2], deviations[:, 1] = 0, 0

    refuse(deviations)
