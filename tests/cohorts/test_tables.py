"""Tables as text: quotes, encodings, names that look like numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from pfactor_bench.cohorts.tables import as_numbers, read_columns, same_but_spelling

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, content: str | bytes, name: str = "a.tsv") -> dict[str, list[str]]:
    """Read a table of this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_columns(path)


@pytest.mark.parametrize("remark", ['"tired', 'slept"', "6'2\"", '""', '"'])
def test_quote_in_a_tsv_is_a_character(tmp_path: Path, remark: str) -> None:
    """It opens nothing that a later row would close."""
    text = f'id\tremark\ttarget\na\tnone\t1\nb\t{remark}\t2\nc\t"half\t3\n'

    assert read(tmp_path, text) == {
        "id": ["a", "b", "c"],
        "remark": ["none", remark, '"half'],
        "target": ["1", "2", "3"],
    }


def test_quotes_of_a_csv_hold_commas(tmp_path: Path) -> None:
    """As spreadsheets write them."""
    assert read(tmp_path, 'a,b\n"x, y",2\n', "a.csv") == {"a": ["x, y"], "b": ["2"]}


def test_quote_that_a_csv_never_closes_is_refused(tmp_path: Path) -> None:
    """It would swallow all rows after it."""
    with pytest.raises(ValueError, match="unexpected end of data"):
        read(tmp_path, 'a,b\n"x,2\ny,3\n', "a.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    """A byte order mark is no part of a column's name, and an umlaut no reason to refuse."""
    assert read(tmp_path, "id\tname\n1\tMüller\n".encode(encoding)) == {
        "id": ["1"],
        "name": ["Müller"],
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_no_cells(tmp_path: Path, end: str) -> None:
    """Of any system; and characters that only resemble one end no row."""
    assert read(tmp_path, f"a\tb{end}1\tx\u2028y{end}") == {"a": ["1"], "b": ["x\u2028y"]}


def test_names_stay_text(tmp_path: Path) -> None:
    """``01`` is not 1."""
    assert read(tmp_path, "id\n01\n1_000\n1e5\n")["id"] == ["01", "1_000", "1e5"]


@pytest.mark.parametrize("suffix", ["tsv", "csv"])
def test_column_that_stands_twice_is_refused(tmp_path: Path, suffix: str) -> None:
    """One of the two would be taken in silence."""
    mark = {"tsv": "\t", "csv": ","}[suffix]
    with pytest.raises(ValueError, match="column 'b' stands twice"):
        read(tmp_path, f"a{mark}b{mark}b\n1{mark}2{mark}3\n", f"a.{suffix}")


def test_quoted_header_of_a_tsv_is_refused(tmp_path: Path) -> None:
    """No column would have the name that is asked for."""
    with pytest.raises(ValueError, match='column "id" stands in quotes'):
        read(tmp_path, '"id"\t"target"\n"01"\t1\n')


@pytest.mark.parametrize("content", [b"", b"\n\n", "id\n".encode("utf-16-le")])
def test_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, or in an encoding that nothing gives away."""
    with pytest.raises(ValueError, match=r"it is empty|NUL"):
        read(tmp_path, content)


def test_row_with_too_many_cells_is_refused(tmp_path: Path) -> None:
    """They would move its values."""
    with pytest.raises(ValueError, match="the row of '1' has 3 cells, the header 2"):
        read(tmp_path, "a\tb\n1\t2\t3\n")


def test_column_of_numbers_is_numeric() -> None:
    """With gaps where there are some."""
    column = as_numbers(pd.Series(["1", "-2.5", "n/a", "3e2"]))

    assert column[[0, 1, 3]].tolist() == [1.0, -2.5, 300.0]
    assert pd.isna(column[2])


@pytest.mark.parametrize("name", ["01", "007", "1_000", "12a", "١", "0x10", "inf"])
def test_column_with_a_name_stays_text(name: str) -> None:
    """One is enough: 01 and 1 would become the same."""
    assert as_numbers(pd.Series(["1", name])).tolist() == ["1", name]


def test_names_that_differ_in_zeros_or_case_are_paired() -> None:
    """And no others: 10 is not 1."""
    pairs = same_but_spelling(["sub-01", "sub-A10", "sub-100"], ["sub-1", "sub-a010", "sub-10"])

    assert pairs == [("sub-01", "sub-1"), ("sub-A10", "sub-a010")]
