"""Text from data means nothing to Markdown."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfactor_bench.report.text import (
    bullets,
    code_block,
    count,
    escape,
    joined,
    md,
    number,
    paragraphs,
    picture,
    plain,
    probability,
    table,
)

MARKUP = [
    "a|b",
    "<script>alert(1)</script>",
    "<!--",
    "[link](http://x.test)",
    "![image](x)",
    "`code`",
    "**bold** __bold__ _it_ *it* ~~gone~~ $x$",
    "&lt;&#124;",
    "\\|",
    "\\",
    "line\nbreak\r\n\u2028\u2029\x85\x0b\x0c",
    "\x1b[31mred\x1b[0m\x1b]8;;http://x.test\x07link\x1b]8;;\x07",
    "\u202eright to left\u202c\u2066\u200f\u200b\ufeff",
    "# heading",
    "- item",
    "1. item",
    "===",
    "www.x.test http://x.test me@x.test @user",
    "\ud800",
    "x" * 10_000,
]
hostile = st.one_of(
    st.sampled_from(MARKUP), st.text(), st.lists(st.sampled_from(MARKUP)).map("".join)
)
UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*[`*\[\]~$]")


@given(hostile)
def test_escaped_text_opens_no_tag_and_ends_no_cell(text: str) -> None:
    """Neither a pipe nor an angle bracket survives."""
    assert not set("|<>") & set(escape(text))


@given(hostile)
def test_escaped_text_is_one_line(text: str) -> None:
    """No line ends inside a table's row."""
    assert len(escape(text).splitlines()) <= 1


@given(hostile)
def test_escaped_text_opens_no_inline_markup(text: str) -> None:
    """Every character that opens a link, code, emphasis or mathematics follows a backslash."""
    assert UNESCAPED.search(escape(text)) is None


@given(hostile)
def test_escaped_text_does_not_escape_what_follows(text: str) -> None:
    """A backslash at the end would take the cell's border with it."""
    trailing = re.search(r"\\*$", escape(text))
    assert trailing is not None
    assert len(trailing[0]) % 2 == 0


@given(hostile)
def test_ampersands_begin_only_our_entities(text: str) -> None:
    """What looks like an entity in data is shown, not interpreted."""
    assert re.search(r"&(?!(?:amp|lt|gt|#124);)", escape(text)) is None


@given(hostile)
def test_plain_text_has_no_invisible_characters(text: str) -> None:
    """Control characters, direction marks and lone surrogates are gone."""
    assert all(unicodedata.category(character)[0] != "C" for character in plain(text))


@given(hostile)
def test_plain_text_is_short(text: str) -> None:
    """A long text is cut, an escape sequence never is."""
    assert len(plain(text)) <= 500


@settings(deadline=None)
@given(st.lists(st.tuples(hostile, hostile), min_size=1, max_size=4))
def test_hostile_cells_leave_a_table_its_shape(pairs: list[tuple[str, str]]) -> None:
    """A table has as many rows and columns as it was given."""
    drawn = table(["a", "b"], [[a, b] for a, b in pairs]).splitlines()
    assert [3] * (len(pairs) + 2) == [line.count("|") for line in drawn]


@settings(deadline=None)
@given(hostile)
def test_whatever_is_put_into_markdown_is_escaped(text: str) -> None:
    """By the function that puts it there, so that nobody has to remember."""
    safe = escape(text)
    assert md("**{}**", text) == f"**{safe}**"
    assert bullets([text]) == f"- {safe}"
    assert joined(", ", [text, text]) == f"{safe}, {safe}"
    assert paragraphs("a", text) == ("a\n\n" + safe if text else "a")
    assert picture("p", alt="a", caption=text).split("\n\n*")[1].startswith(safe)


@given(hostile)
def test_markdown_is_not_escaped_again(text: str) -> None:
    """Whichever way it is put together."""
    once = md("**{}**", text)
    assert escape(once) is once
    assert md("{}", once) == bullets([once]).removeprefix("- ") == paragraphs(once) == once


def test_numbers_in_markdown_take_a_format() -> None:
    """They hold nothing to escape."""
    assert md("{:,} of {:.1f}, {}", 1234, 0.25, "a|b") == "1,234 of 0.2, a&#124;b"


@given(hostile)
def test_commands_cannot_close_their_fence(text: str) -> None:
    """However many backticks a command holds, the fence has more."""
    opening, body, closing = code_block([text]).split("\n")
    assert opening.removesuffix("sh") == closing
    assert closing not in body


@pytest.mark.parametrize("address", ["http://x.test", "www.x.test", "me@x.test", "mailto:x"])
def test_addresses_do_not_become_links(address: str) -> None:
    """GitHub links addresses without markup, unless something invisible stands inside."""
    assert "\u2060" in escape(address)


@pytest.mark.parametrize("text", ["p_factor", "sub-01", "from-scratch/seed-42", "0.3", "-1 to 1"])
def test_ordinary_names_stay_readable(text: str) -> None:
    """The raw file reads well too."""
    assert escape(text) == text


@pytest.mark.parametrize("text", ["- x", "+ x", "# x", "1. x", "2) x", "===", "---"])
def test_escaped_text_begins_no_block(text: str) -> None:
    """A list, heading or rule in data stays a line of text."""
    assert "\\" in escape(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0.000"),
        (-0.11028, "-0.110"),
        (0.8526, "0.853"),
        (-256.479, "-256.5"),
        (0.00012, "1.2e-04"),
        (12345.6, "1.235e+04"),
    ],
)
def test_numbers_keep_what_matters(value: float, expected: str) -> None:
    """Three decimals, unless they would hide the number or drown it."""
    assert expected == number(value)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.25, "25%"), (0.0123, "1.2%"), (1e-9, "below 0.1%")]
)
def test_probabilities_are_per_cent(value: float, expected: str) -> None:
    """Two digits are all that a reader needs."""
    assert expected == probability(value)


def test_one_is_singular() -> None:
    """One subject is not one subjects."""
    assert count(1, "subject", "subjects") == "1 subject"
