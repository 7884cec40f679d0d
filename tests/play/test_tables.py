"""A table of one's own: what can be read, and a sentence for each that cannot."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from doltap.play import spellings, tables
from doltap.play.refusals import _TEXTS, RefusedError
from doltap.play.tables import Choice

HEAD = "a,b,kind\n"
GOOD = "".join(f"{i},{i * i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(12))


def table_of(text):
    return tables.read(text.encode(), "table.csv")


def first(table):
    return Choice(**table.describe()["choice"])


def use(text, **changes):
    """The table as a page uses it: its first choice, or another one."""
    table = table_of(text)
    choice = Choice(**{**vars(first(table)), **changes})
    return table.points(choice), *table.labels(choice)


def test_the_last_column_of_words_is_the_label():
    places, labels, names = use(HEAD + GOOD)
    assert names == ("no", "yes")
    assert list(labels[:3]) == [0, 1, 0]
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(places.std(axis=0), 1)


def test_a_column_that_is_called_so_is_the_label_and_one_of_dates_is_not():
    rows = "".join(f"{i},2024-01-{i + 1:02},{i / 2},{i % 2}\n" for i in range(12))
    assert first(table_of("id,date,a,result\n" + rows)).label == 3
    rows = "".join(f"{i % 2},{i},{i / 2}\n" for i in range(12))
    assert first(table_of("Label,a,b\n" + rows)).label == 0


def test_a_column_of_many_numbers_is_a_value():
    text = "a,b,c\n" + "".join(f"{i},{i % 3},{i * 1.5}\n" for i in range(12))
    _, labels, names = use(text)
    assert names == ()
    assert labels.mean() == pytest.approx(0)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949"])
def test_tables_of_spreadsheets_are_read(encoding, delimiter, end):
    text = ("가로,세로,종류\n" + GOOD.replace("yes", "참")).replace(",", delimiter).replace("\n", end)
    table = tables.read(text.encode(encoding), "table.csv")
    assert table.columns == ("가로", "세로", "종류")
    assert table.labels(first(table))[1] == ("no", "참")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_european_table_has_decimal_commas(encoding):
    text = "Größe;Höhe;Art\n" + "".join(
        f"{i},5;1.00{i % 10},25;{'süß' if i % 2 else 'x'}\n" for i in range(12)
    )
    table = tables.read(text.encode(encoding), "table.csv")
    assert table.columns == ("Größe", "Höhe", "Art")
    assert table.numbers(0)[:2] == [0.5, 1.5]
    assert table.numbers(1)[:2] == [1000.25, 1001.25]
    assert table.labels(first(table))[1] == ("süß", "x")


@pytest.mark.parametrize(
    ("cells", "delimiter", "number"),
    [
        (["1,5", "2"], "\t", 1.5),
        (["1,234", "2,345"], ";", 1.234),
        (["1,234", "1,5"], "\t", 1.234),
        (["1.234", "1,5"], ";", 1234),
        (["1,234", "2.5"], ",", 1234),
        (["1,234", "1,234,567"], ",", 1234),
        (["1,234.5", "1"], ",", 1234.5),
        (["-1,5e3", "1"], ";", -1500),
        (["1.234", "2"], ",", 1.234),
        ([".5", "1e-3"], ",", 0.5),
        (["1,234", "2,345"], ",", None),
        (["1,5", "2.5"], ";", None),
        (["1.2.3", "1"], ",", None),
        (["1_0", "1"], ",", None),
        (["inf", "1"], ",", None),
    ],
    ids=str,
)
def test_a_comma_is_read_where_it_can_mean_one_thing_only(cells, delimiter, number):
    assert spellings.marks_of(cells, delimiter).number(cells[0]) == number


@pytest.mark.parametrize(
    "content",
    [
        ("アイ,b,種類\n" + GOOD.replace("yes", "花")).encode("shift_jis"),
        ("длина,b,вид\n" + GOOD.replace("yes", "да")).encode("cp1251"),
        b"\x81\xff" + (HEAD + GOOD).encode(),
    ],
    ids=["Japanese", "Russian", "neither"],
)
def test_an_encoding_that_cannot_be_told_is_refused_by_its_name(content):
    with pytest.raises(RefusedError, match="encoding of the table: expected UTF-8, UTF-16, CP949") as refused:
        tables.read(content, "table.csv")
    assert "CSV UTF-8" in str(refused.value)
    assert "인코딩" in refused.value.told("ko")


def test_columns_that_are_called_alike_are_told_apart():
    assert table_of("a,a,\n" + GOOD).columns == ("a (1)", "a (2)", "#3")


def test_a_dash_is_a_gap_among_numbers_and_a_class_among_labels():
    text = HEAD + "".join(f"{i},{i % 5},{'+-'[i % 2]}\n" for i in range(12))
    assert use(text)[2] == ("+", "-")
    with pytest.raises(RefusedError, match=r"a gap \('-'\) in row 14"):
        use(text + "-,1,+\n")


def test_rows_are_counted_as_a_spreadsheet_counts_them():
    with pytest.raises(RefusedError, match="'x' in row 15"):
        use("\n" + HEAD + "\n" + GOOD[: GOOD.index("\n11") + 1] + "x,1,yes\n")


def test_a_table_without_a_header_has_numbered_columns():
    assert table_of(GOOD).columns == ("#1", "#2", "#3")
    assert len(table_of(GOOD).rows) == 12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least 10 rows, got 0"),
        (HEAD, "at least 10 rows, got 0"),
        (HEAD + GOOD[:20], "at least 10 rows"),
        (HEAD + GOOD * 900, "at most 10000 rows, got 10800"),
        ("a,b\n" + "1,2\n" * 12, "three columns or more"),
        (",".join("abc" * 50) + "\n", "at most 100 columns, got 150"),
        (HEAD + GOOD + "1,2\n", "row 14 of the table: expected 3 cells, as in the first row, got 2"),
        ("a\0,b,c\n" * 12, "a workbook"),
        (HEAD + '1,2,"' + "x" * 200_000 + '"\n' + GOOD, "the text of a CSV file"),
        (HEAD + GOOD.replace("1,", "1,5,"), "a decimal comma"),
        (HEAD + GOOD + '"1,234",1,yes\n', "'1,234' in row 14 (1 such rows): a decimal comma, or one"),
        (HEAD + "many,1,yes\n" + GOOD, "column 'a': expected numbers, got 'many' in row 2 (1 such rows)"),
        (HEAD + "1e999,1,yes\n" + GOOD, "between -1e100 and 1e100, got '1e999' in row 2"),
        (
            HEAD + GOOD.replace(",", "e-300,"),
            "far enough apart to compute with, got nothing but '0e-300' to '11e-",
        ),
        (HEAD + "".join(f"1.{i:016},{i},{'ab'[i % 2]}\n" for i in range(12)), "far enough apart"),
        (HEAD + GOOD + ",1,yes\nNaN,2,no\n", "a value in every row, got a gap ('') in row 14 (2 such rows)"),
        (HEAD + GOOD + "5,1,?\n", "column 'kind': expected a value in every row, got a gap ('?') in row 14"),
        (HEAD + GOOD.replace("yes", "no"), "expected two classes or more, got 'no' in every row"),
        (HEAD + "".join(f"{i},{i % 5},w{i}\n" for i in range(12)), "at most 8 classes, got 12"),
        (HEAD + "".join(f"0.1,{i},{'ab'[i % 2]}\n" for i in range(12)), "values that differ, got '0.1'"),
    ],
    ids=lambda each: each[:24] if len(each) < 60 else each[:12],
)
def test_a_table_that_cannot_be_used_is_refused_in_a_sentence(text, said):
    with pytest.raises(RefusedError) as refused:
        use(text)
    assert said in str(refused.value)
    assert said[1:] in refused.value.told("en")
    assert refused.value.told("ko").endswith(("요.", "다."))
    assert "{" not in refused.value.told("ko")


def test_columns_of_the_largest_and_smallest_numbers_are_used():
    places, _, _ = use(HEAD + "".join(f"{i}e98,{i * i}e-98,{'ab'[i % 2]}\n" for i in range(12)))
    np.testing.assert_allclose(places.std(axis=0), 1)


def test_a_value_needs_numbers():
    with pytest.raises(RefusedError, match=r"column 'kind': expected numbers, got 'no' in row 2 \(12 such"):
        use(HEAD + GOOD, is_value=True)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(6_000_000)
    with pytest.raises(RefusedError, match="at most 5 megabytes"):
        tables.read_file(path)


@pytest.mark.parametrize("name", ["nothing.csv", "."])
def test_a_file_that_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(RefusedError, match="a file with a table"):
        tables.read_file(tmp_path / name)


def test_what_a_table_says_of_itself_cannot_command_a_terminal():
    with pytest.raises(RefusedError) as refused:
        use("a\x1b[2J,b,kind\n" + "x,1,yes\n" + GOOD)
    assert "\x1b" not in str(refused.value)
    assert "\x1b" not in refused.value.told("ko")


@pytest.mark.parametrize("code", _TEXTS)
def test_every_refusal_has_the_same_gaps_in_both_languages(code):
    names = [
        "path",
        "why",
        "most",
        "count",
        "least",
        "row",
        "columns",
        "column",
        "value",
        "name",
        "expected",
        "port",
        "low",
        "high",
        "seconds",
    ]
    one = RefusedError(code, **{name: f"<{name}>" for name in names})
    for name in names:
        if name not in ("expected", "count", "columns"):
            assert (f"<{name}>" in one.told("en")) == (f"<{name}>" in one.told("ko")), name
    assert pickle.loads(pickle.dumps(one)).told("ko") == one.told("ko")
