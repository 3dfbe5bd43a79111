"""participants.tsv as data sets really have it: quotes, encodings, codes for gaps, spellings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from bids_for_tests import edit_participants, load, recording

from pfactor_bench.cohorts.bids.participants import read_participants
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, text: str, encoding: str = "utf-8") -> None:
    """Write participants.tsv."""
    folder.mkdir(exist_ok=True)
    (folder / "participants.tsv").write_bytes(text.encode(encoding))


def test_quote_in_a_remark_moves_no_target(tmp_path: Path) -> None:
    """Rows between two of them were swallowed, and a subject got another one's target."""
    rows = "".join(f"sub-0{n}\t{'none' if n % 2 else chr(34)}\t{n}\n" for n in range(1, 7))
    write(tmp_path / "a", "participant_id\tremark\ttarget\n" + rows)
    subjects, _ = read_participants(tmp_path / "a", "target")

    assert subjects["target"].to_dict() == {f"sub-0{n}": str(n) for n in range(1, 7)}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_encoding_is_no_reason_to_lose_a_subject(tmp_path: Path, encoding: str) -> None:
    """A byte order mark before participant_id, an umlaut in a remark."""
    write(tmp_path / "a", "participant_id\tname\ttarget\n01\tMüller\t1\n", encoding)
    subjects, _ = read_participants(tmp_path / "a", "target")

    assert subjects.loc["sub-01", "name"] == "Müller"


def test_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Either might be the target."""
    write(tmp_path / "a", "participant_id\ttarget\ttarget\n01\t1\t2\n")
    with pytest.raises(CohortError, match="column 'target' stands twice"):
        read_participants(tmp_path / "a", "target")


def test_number_with_underscores_is_refused(tiny_bids: Path) -> None:
    """Python alone would take it for 1000."""
    edit_participants(tiny_bids, "-1.5", "1_000")
    with pytest.raises(CohortError, match=r"'target' of subject 'sub-02' .* is '1_000'"):
        load(tiny_bids)


@pytest.mark.parametrize(
    "description",
    [
        {"MissingValue": -999},
        {"missing_values": ["-999", "-998"]},
        {"Levels": {"-999": "missing"}},
        {"Levels": {"-999.0": {"Description": "data not available"}}},
    ],
    ids=str,
)
def test_code_that_is_declared_missing_is_no_target(
    tiny_bids: Path, description: dict[str, object]
) -> None:
    """It would be the lowest of all."""
    edit_participants(tiny_bids, "-1.5", "-999")
    (tiny_bids / "participants.json").write_text(json.dumps({"target": description}))

    assert load(tiny_bids).notes == (
        "1 values of target are missing, as participants.json declares (-999)",
        "1 subjects without target left out: sub-02",
    )


def test_value_that_is_not_declared_missing_stays(tiny_bids: Path) -> None:
    """Another column's code says nothing about this one."""
    edit_participants(tiny_bids, "-1.5", "-999")
    (tiny_bids / "participants.json").write_text('{"age": {"MissingValue": -999}, "target": null}')

    assert -999 in load(tiny_bids).y


def test_capped_age_is_a_number_and_said(tiny_bids: Path) -> None:
    """BIDS writes 89+ for every subject older; as a word it would empty the column of numbers."""
    edit_participants(tiny_bids, "\t50\t", "\t89+\t")
    cohort = load(tiny_bids)

    assert cohort.table["age"].tolist()[::2] == [20, 30, 40, 89]
    assert cohort.notes == ("age of 1 subjects is read '89+' as '89'",)


def test_spellings_of_sex_become_one_and_are_said(tiny_bids: Path) -> None:
    """M, m and male are no three groups."""
    edit_participants(tiny_bids, "30\tM", "30\tmale")
    edit_participants(tiny_bids, "40\tF", "40\tf")
    cohort = load(tiny_bids)

    assert cohort.table["sex"].tolist()[::2] == ["F", "M", "F", "M"]
    assert cohort.notes == ("sex of 2 subjects is read 'f' as 'F', 'male' as 'M'",)


def test_codes_with_leading_zeros_stay_text(tiny_bids: Path) -> None:
    """Sites 01 and 1 are two."""
    edit_participants(tiny_bids, "\tage\t", "\tsite\t")
    edit_participants(tiny_bids, "\t20\t", "\t030\t")

    assert load(tiny_bids).table["site"].tolist()[:4] == ["030", "030", "30", "30"]


def test_names_in_two_spellings_stop_with_both(tiny_bids: Path) -> None:
    """Nobody would be left, and the reason would be hard to see."""
    edit_participants(tiny_bids, "sub-0", "sub-")
    with pytest.raises(CohortError, match=r"differ in case or zeros only .*: sub-01 and sub-1"):
        load(tiny_bids)


def test_hidden_files_of_a_system_are_no_recordings(tiny_bids: Path) -> None:
    """As macOS leaves ``._`` files on a shared disk."""
    path = recording(tiny_bids)
    path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7")

    assert load(tiny_bids).notes == ()


@pytest.mark.parametrize(
    "content",
    ["/annex/objects/MD5E-s1--d41d8cd98f00b204e9800998ecf8427e.edf\n", "version https://git-lfs"],
)
def test_pointer_in_place_of_one_run_is_named(tiny_bids: Path, content: str) -> None:
    """The subject's other run must not hide it."""
    path = recording(tiny_bids)
    path.with_name("sub-02_task-rest_run-2_eeg.edf").write_text(content)

    assert load(tiny_bids).notes == (
        "1 recordings whose content is not here left out: sub-02_task-rest_run-2_eeg.edf",
    )


def test_dangling_link_in_place_of_one_run_is_named(tiny_bids: Path) -> None:
    """The subject's other run must not hide it."""
    path = recording(tiny_bids).with_name("sub-02_task-rest_run-2_eeg.edf")
    path.symlink_to("never-fetched")

    assert load(tiny_bids).notes == (
        "1 recordings whose content is not here left out: sub-02_task-rest_run-2_eeg.edf",
    )
