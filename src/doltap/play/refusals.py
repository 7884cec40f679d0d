"""What the playground refuses, and why, in English and Korean.

An error tells it to a terminal as every error of doltap does; a page asks for the sentence.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from doltap.errors import DataError, printable
from doltap.reporting.language import with_particles

__all__ = ["RefusedError", "told"]


class _Text(NamedTuple):
    """The parts of an error in English, and one sentence in Korean."""

    subject: str
    expected: str
    got: str
    fix: str
    korean: str


class RefusedError(DataError):
    """Something the playground cannot do, with the reason in two languages.

    Args:
        code: which of the reasons.
        values: what stands in the gaps of the text.

    >>> RefusedError("few", count=3, least=10).told("en")[:43]
    'The table: expected at least 10 rows, got 3'
    """

    # The one it is printed in.
    language = "en"

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = {
            name: value if isinstance(value, int) else printable(value) for name, value in values.items()
        }
        parts = [part.format(**self.values) for part in _TEXTS[code][:4]]
        super().__init__(parts[0], expected=parts[1], got=parts[2], fix=parts[3])

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.code, self.values)

    def __str__(self) -> str:
        return self.told("ko") if self.language == "ko" else super().__str__()

    def told(self, language: str) -> str:
        """The whole of it in one or two sentences."""
        if language == "ko":
            return with_particles(_TEXTS[self.code].korean.format(**self.values))
        subject = self.subject[:1].upper() + self.subject[1:]
        return f"{subject}: expected {self.parts['expected']}, got {self.parts['got']}. {self.parts['fix']}"


def _again(code: str, values: dict[str, Any]) -> RefusedError:
    return RefusedError(code, **values)


def told(language: str, english: str, korean: str) -> str:
    """One of two texts.

    >>> told("ko", "stopped", "멈췄습니다")
    '멈췄습니다'
    """
    return korean if language == "ko" else english


_TEXTS = {
    "missing": _Text(
        "--data",
        "a file with a table",
        "'{path}' ({why})",
        "Give the path of a CSV file.",
        "--data에는 CSV 파일의 경로가 필요한데 '{path}'을(를) 읽을 수 없습니다({why}). 경로를 확인하세요.",
    ),
    "large": _Text(
        "the table",
        "at most {most} megabytes",
        "more",
        "Take a sample of its rows: a few hundred show as much.",
        "표는 {most}메가바이트까지 쓸 수 있는데 그보다 큽니다. 행을 몇백 개만 뽑아서 쓰세요.",
    ),
    "many": _Text(
        "the table",
        "at most {most} rows",
        "{count}",
        "Take a sample of them: a few hundred show as much.",
        "표의 행은 {most}개까지 쓸 수 있는데 {count}개입니다. 몇백 개만 뽑아서 쓰세요.",
    ),
    "few": _Text(
        "the table",
        "at least {least} rows",
        "{count}",
        "Add rows: the network needs some to learn and some to be tested.",
        "표에 행이 {least}개 이상 있어야 하는데 {count}개뿐입니다. 학습할 행과 시험할 행이 모두 필요합니다.",
    ),
    "binary": _Text(
        "the table",
        "the text of a CSV file",
        "something else, such as a workbook",
        "Save the table as CSV in UTF-8 (Excel: Save As, 'CSV UTF-8').",
        "표는 CSV 파일의 글이어야 하는데 엑셀 통합 문서처럼 다른 것입니다. "
        "엑셀이면 다른 이름으로 저장에서 ‘CSV UTF-8’을 골라 다시 저장하세요.",
    ),
    "encoding": _Text(
        "the encoding of the table",
        "UTF-8, UTF-16, CP949 or Windows-1252",
        "bytes that are none of these for certain",
        "Save the table as CSV in UTF-8 (Excel: Save As, 'CSV UTF-8').",
        "표의 글자 인코딩은 UTF-8, UTF-16, CP949, Windows-1252 가운데 하나여야 하는데 어느 것인지 알 수 "
        "없습니다. 엑셀이면 다른 이름으로 저장에서 ‘CSV UTF-8’을 골라 다시 저장하세요.",
    ),
    "narrow": _Text(
        "the table",
        "three columns or more, between commas, semicolons or tabs",
        "{count}",
        "Two columns of numbers are the inputs, one is the label.",
        "표에는 쉼표, 쌍반점, 탭으로 나뉜 열이 세 개 이상 있어야 하는데 {count}개입니다. "
        "숫자 열 두 개는 입력, 나머지 하나는 레이블입니다.",
    ),
    "wide": _Text(
        "the table",
        "at most {most} columns",
        "{count}",
        "Keep the columns you want to look at.",
        "표의 열은 {most}개까지 쓸 수 있는데 {count}개입니다. 보고 싶은 열만 남기세요.",
    ),
    "ragged": _Text(
        "row {row} of the table",
        "{columns} cells, as in the first row",
        "{count}",
        "Is a comma in a text or a number (a decimal comma) without quotes around it, or a quote never "
        "closed?",
        "표의 {row}행에는 첫 행처럼 칸이 {columns}개 있어야 하는데 {count}개입니다. "
        "따옴표 없는 글이나 숫자 안에 쉼표(소수점 쉼표)가 있거나, 닫지 않은 따옴표가 있지 않은지 보세요.",
    ),
    "text": _Text(
        "column '{column}'",
        "numbers",
        "'{value}' in row {row} ({count} such rows)",
        "Choose another column, or clean this one.",
        "'{column}' 열에는 숫자가 있어야 하는데 {row}행에 '{value}'이(가) 있습니다(모두 {count}행). "
        "다른 열을 고르거나 이 열을 고치세요.",
    ),
    "comma": _Text(
        "column '{column}'",
        "numbers whose comma can mean one thing only",
        "'{value}' in row {row} ({count} such rows): a decimal comma, or one between thousands",
        "Write a decimal point and no comma between thousands (1234.5), or save the table with semicolons "
        "between the cells and decimal commas throughout.",
        "'{column}' 열의 {row}행에 있는 '{value}'의 쉼표가 소수점인지 천 단위 구분인지 알 수 없습니다(모두 "
        "{count}행). 소수점은 점으로 쓰고 천 단위 쉼표는 빼거나(1234.5), 칸은 쌍반점으로 나누고 소수점은 "
        "모두 쉼표로 써서 저장하세요.",
    ),
    "size": _Text(
        "column '{column}'",
        "numbers between -1e100 and 1e100",
        "'{value}' in row {row} ({count} such rows)",
        "Write them in another unit, or choose another column.",
        "'{column}' 열의 숫자는 -1e100과 1e100 사이여야 하는데 {row}행에 '{value}'이(가) 있습니다(모두 "
        "{count}행). 다른 단위로 쓰거나 다른 열을 고르세요.",
    ),
    "fine": _Text(
        "column '{column}'",
        "numbers far enough apart to compute with",
        "nothing but '{low}' to '{high}'",
        "Take away what they have in common, write them in another unit, or choose another column.",
        "'{column}' 열의 숫자가 '{low}'에서 '{high}'까지로 너무 가까워 계산할 수 없습니다. "
        "같은 부분을 빼거나, 다른 단위로 쓰거나, 다른 열을 고르세요.",
    ),
    "gaps": _Text(
        "column '{column}'",
        "a value in every row",
        "a gap ('{value}') in row {row} ({count} such rows)",
        "Fill the gaps, leave these rows out, or choose another column.",
        "'{column}' 열은 모든 행에 값이 있어야 하는데 {row}행에 없습니다('{value}', 모두 {count}행). "
        "빈칸을 채우거나, 그 행을 빼거나, 다른 열을 고르세요.",
    ),
    "constant": _Text(
        "column '{column}'",
        "values that differ",
        "'{value}' in every row",
        "There is nothing to see along it; choose another column.",
        "'{column}' 열의 값이 모두 '{value}'입니다. 볼 것이 없으니 다른 열을 고르세요.",
    ),
    "one class": _Text(
        "the label column '{column}'",
        "two classes or more",
        "'{value}' in every row",
        "There is nothing to tell apart; choose another column.",
        "레이블 열 '{column}'에는 클래스가 둘 이상 있어야 하는데 모든 행이 '{value}'입니다. "
        "구별할 것이 없으니 다른 열을 고르세요.",
    ),
    "classes": _Text(
        "the label column '{column}'",
        "at most {most} classes",
        "{count}",
        "Choose another column; one of numbers can be predicted as a number.",
        "레이블 열 '{column}'의 클래스는 {most}개까지 쓸 수 있는데 {count}개입니다. "
        "다른 열을 고르거나, 숫자 열이면 숫자로 예측하세요.",
    ),
    "no table": _Text(
        "data 'table'",
        "a table",
        "none",
        "Open a CSV file first.",
        "표가 아직 없습니다. 먼저 CSV 파일을 여세요.",
    ),
    "no experiment": _Text(
        "the program",
        "an experiment that has begun",
        "none",
        "Choose data and a network first.",
        "아직 시작한 실험이 없습니다. 먼저 데이터와 신경망을 고르세요.",
    ),
    "busy": _Text(
        "the program",
        "the step that is being made to end in {seconds} seconds",
        "one that takes longer",
        "Training is paused: ask again in a moment.",
        "지금 하고 있는 한 걸음이 {seconds}초 안에 끝나지 않았습니다. 학습은 멈추어 두었으니 "
        "잠시 뒤에 다시 누르세요.",
    ),
    "setting": _Text(
        "the setting '{name}'",
        "{expected}",
        "{value}",
        "Choose it on the page.",
        "'{name}' 설정에 쓸 수 없는 값입니다: {value}. 화면에 있는 것 가운데 고르세요.",
    ),
    "port": _Text(
        "port {port}",
        "a free port",
        "one that cannot be opened ({why})",
        "Leave --port out, and a free one is found; or end the program that uses it (ports below 1024 may "
        "belong to the system).",
        "{port}번 포트를 열 수 없습니다({why}). --port를 빼면 빈 포트를 알아서 찾습니다. "
        "아니면 그 포트를 쓰는 프로그램을 끝내세요. 1024보다 작은 포트는 시스템의 것일 수 있습니다.",
    ),
    "broken": _Text(
        "the training",
        "to go on",
        "an error: {why}",
        "What it says in full stands in the terminal. Choose other settings, or begin again.",
        "학습이 오류로 멈췄습니다: {why}. 자세한 내용은 터미널에 있습니다. 설정을 바꾸거나 다시 시작하세요.",
    ),
}
