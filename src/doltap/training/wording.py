"""What is said of a loss that is no finite number, in English and in Korean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from doltap.errors import UnknownNameError
from doltap.reporting.language import chosen, with_particles

__all__ = ["Say", "listed", "sayer"]

Say = Callable[..., str]

# Beyond this, numbers are long to read.
_MOST_LISTED = 8

# English, then Korean.
_WORDS: dict[str, tuple[str, str]] = {
    # The whole message.
    "head": (
        "The loss{whose} is not a finite number since epoch {epoch}, step {step}: {follows}.",
        "{whose}손실이 {epoch}번째 에포크의 {step}번째 스텝부터 유한한 수가 아닙니다. {follows}.",
    ),
    "member": (" of member {number}", "{number}번 모델의 "),
    "goes_on": (
        "the weights still are, the mean over the epoch is not",
        "가중치는 아직 유한하지만 에포크 평균은 그렇지 않습니다",
    ),
    "is_over": ("nothing more is learned", "더는 아무것도 학습되지 않습니다"),
    "began": ("It began{when} with {tensor}{rows}{cause}.", "시작된 곳:{when} {tensor}{rows}{cause}."),
    "before": (" some steps before,", " 몇 스텝 전,"),
    "in": (" in epoch {epoch}, step {step},", " {epoch}번째 에포크의 {step}번째 스텝,"),
    "line": ("{file}, line {number}", "{file}, {number}번째 줄"),
    "not_known": ("Where it began is not known: {why}.", "어디서 시작되었는지는 알 수 없습니다: {why}."),
    "ended_in": ("the step made again ended in {error}", "다시 해 본 스텝이 {error}(으)로 끝났습니다"),
    "ends_here": ("Training ends here.", "학습은 여기서 끝납니다."),
    "go_on": (
        "TerminateOnNaN() stops training when this happens.",
        "TerminateOnNaN()을 쓰면 이럴 때 학습이 멈춥니다.",
    ),
    # Why a step is not made again.
    "eager": (
        "with run_eagerly=True a step is not made twice; print(...) in your own code shows it",
        "run_eagerly=True이면 스텝을 두 번 하지 않습니다. 코드 안의 print(...)로 볼 수 있습니다",
    ),
    "in_search": (
        "a search does not look; fit a model with these parameters alone",
        "탐색 중에는 찾지 않습니다. 이 매개변수로 모델 하나만 학습해 보세요",
    ),
    "side_by_side": (
        "members that train side by side do not look; fit this one alone",
        "나란히 학습하는 모델은 찾지 않습니다. 이 모델만 학습해 보세요",
    ),
    "no_copy": (
        "no copy of the weights from before was at hand, as a copy would have taken too long",
        "복사가 너무 오래 걸려서 그전의 가중치가 남아 있지 않습니다",
    ),
    "calls_python": (
        "a step that calls back into Python is not made twice",
        "파이썬을 다시 부르는 스텝은 두 번 하지 않습니다",
    ),
    "stays_finite": ("made again, the step stays finite", "다시 해 보면 그 스텝은 유한합니다"),
    # Tensors.
    "mean": (
        "the mean over the epoch, whose sum is too large; each loss is finite",
        "합이 너무 큰 에포크 평균(손실 하나하나는 유한합니다)",
    ),
    "loss_itself": ("the loss itself", "손실 자체"),
    "layer": ("layer '{name}'", "'{name}' 층"),
    "output": ("the output of {layer}", "{layer}의 출력"),
    "input": ("what goes into {layer}", "{layer}에 들어가는 값"),
    "update": ("the update of {what}", "{what}의 갱신"),
    "gradient": ("the gradient of {what}", "{what}의 기울기"),
    "of_loss": (", from the slope of the loss", "(손실의 미분에서)"),
    "through": (", on the way back through {layer}", "({layer}을 거꾸로 지나는 길에)"),
    "was_not_finite": (
        "{what}, not finite before this step",
        "이 스텝 전에 이미 유한하지 않던 {what}",
    ),
    "x": ("the inputs x", "입력 x"),
    "y": ("the labels y", "정답 y"),
    "weights": ("sample_weight", "sample_weight"),
    "weight": ("weight '{path}'", "가중치 '{path}'"),
    "rate": ("the rate '{name}'", "비율 '{name}'"),
    "rate_of_layer": ("a rate of a layer", "어떤 층의 비율"),
    "factor": ("the factor of a regularizer", "규제의 계수"),
    "number": ("a number of the step", "스텝에 쓰인 수"),
    # Rows and columns.
    "of_x": ("{rows} of x", "x의 {rows}"),
    "of_batch": ("{rows} of the batch, counted from 0", "배치의 {rows}(0부터 셈)"),
    "row": ("row {last}", "{last}번 행"),
    "rows": ("rows {first} and {last}", "{first}, {last}번 행"),
    "more_rows": ("rows {first} and {more} more", "{first}번 행과 다른 {more}개 행"),
    "column": ("column {last}", "{last}번 열"),
    "columns": ("columns {first} and {last}", "{first}, {last}번 열"),
    "more_columns": ("columns {first} and {more} more", "{first}번 열과 다른 {more}개 열"),
    "a_batch": ("a batch of {rows}", "{rows}의 배치"),
    "all_of_batch": ("all of the batch, {rows}", "배치 전체, {rows}"),
    # What went wrong.
    "cancel": ("infinite numbers cancel each other", "무한대끼리 상쇄됩니다"),
    "derivative": ("{what}, in a derivative", "미분 안의 {what}"),
    "outside": ("{name} of {number}, outside {bounds}", "{bounds} 밖인 {number}의 {name}"),
    "too_large_for": ("{what} is too large for {dtype}", "{what}이(가) {dtype}에 담기에는 너무 큽니다"),
    "too_large": ("{name} of {number} is too large", "{number}의 {name}이(가) 너무 큽니다"),
    "operation": ("operation '{name}'", "연산 '{name}'"),
    "such_a_number": ("such a number", "그런 수"),
    "log_of_0": ("log of 0", "0의 로그"),
    "log_of_negative": ("log of a negative number, {number}", "음수 {number}의 로그"),
    "log1p_of": ("log1p of {number}", "{number}의 log1p"),
    "root_below": ("division by the square root of 0", "0의 제곱근으로 나누기"),
    "root_of_negative": ("square root of a negative number, {number}", "음수 {number}의 제곱근"),
    "division": ("division by 0", "0으로 나누기"),
    "zero_by_zero": ("0 divided by 0 (0/0)", "0을 0으로 나누기(0/0)"),
    "power_of_negative": (
        "a negative number, {number}, to the power of {exponent}",
        "음수 {number}의 {exponent}제곱",
    ),
    "a product of matrices": ("a product of matrices", "행렬 곱"),
    "a convolution": ("a convolution", "합성곱"),
    "a sum": ("a sum", "합"),
    "a running sum": ("a running sum", "누적 합"),
    "a difference": ("a difference", "차"),
    "a product": ("a product", "곱"),
    "a square": ("a square", "제곱"),
    "a power": ("a power", "거듭제곱"),
    "a quotient": ("a quotient", "몫"),
    # What to do.
    "fill": (
        "Fill in what is missing there, or leave the rows out; np.isnan finds it",
        "빠진 값을 채우거나 그 행을 빼세요. np.isnan으로 찾을 수 있습니다",
    ),
    "anew": (
        "Build the model anew, as what it has learned is lost, and lower the learning rate",
        "배운 것을 잃었으니 모델을 새로 만들고 학습률을 낮추세요",
    ),
    "usual": (
        "{lower}, {scale}, or give the optimizer clipnorm=1.0",
        "{lower}, {scale}, 옵티마이저에 clipnorm=1.0을 주세요",
    ),
    "lower": ("Lower the learning rate", "학습률을 낮추거나"),
    "lower_from": (
        "Lower the learning rate (it is {rate:.4g})",
        "학습률을 낮추거나(지금 {rate:.4g}입니다)",
    ),
    "scale": ("scale the inputs", "입력의 크기를 맞추거나"),
    "scale_from": (
        "scale the inputs (they reach {largest:.4g})",
        "입력의 크기를 맞추거나({largest:.4g}까지 있습니다)",
    ),
    "no_slope_at_0": (
        "sqrt, a norm and log have no finite slope at 0: add a small number inside, as in sqrt(x + 1e-7)",
        "sqrt, 노름, log는 0에서 기울기가 유한하지 않습니다. sqrt(x + 1e-7)처럼 안에 작은 수를 더하세요",
    ),
    "mask_less": (
        "See that no row is masked out as a whole",
        "통째로 가려지는 행이 없는지 확인하세요",
    ),
    "clip": ("Clip what goes in", "들어가는 값을 그 범위로 자르세요"),
    "above_0_by": (
        "Keep what goes into it above 0, as in log(x + 1e-7)",
        "log(x + 1e-7)처럼 들어가는 값을 0보다 크게 하세요",
    ),
    "above_0": ("Keep what goes into it above 0", "들어가는 값을 0보다 크게 하세요"),
    "above_-1": ("Keep what goes into it above -1", "들어가는 값을 -1보다 크게 하세요"),
    "add_inside": (
        "Add a small number inside, as in sqrt(x + 1e-7)",
        "sqrt(x + 1e-7)처럼 안에 작은 수를 더하세요",
    ),
    "at_0_or_above": (
        "Keep what goes into it at 0 or above, as in sqrt(maximum(x, 1e-7))",
        "sqrt(maximum(x, 1e-7))처럼 들어가는 값을 0 이상으로 하세요",
    ),
    "keep_away": (
        "Keep the divisor away from 0, as in x / (y + 1e-7)",
        "x / (y + 1e-7)처럼 나누는 수가 0이 되지 않게 하세요",
    ),
    "base_above_0": ("Keep the base above 0", "밑을 0보다 크게 하세요"),
}


def sayer(language: str | None = None) -> Say:
    """What says things in a language, or in that of DOLTAP_LANG or the locale: `say("row", last=3)`."""
    try:
        place = ("en", "ko").index(chosen(language))
    except UnknownNameError:
        # A warning is no moment for another mistake.
        place = 0

    def say(key: str, **values: Any) -> str:
        told = _WORDS[key][place].format(**values)
        return with_particles(told) if place else told

    return say


def listed(say: Say, places: Sequence[Any], kind: str = "row") -> str:
    """Rows or columns as a reader takes them in: the first few, and how many more there are.

    Args:
        kind: "row" or "column".

    >>> listed(sayer(), [3, 5])
    'rows 3 and 5'
    """
    shown, more = [str(place) for place in places[:_MOST_LISTED]], len(places) - _MOST_LISTED
    if more > 0:
        return say(f"more_{kind}s", first=", ".join(shown), more=more)
    if len(places) == 1:
        return say(kind, last=shown[0])
    return say(f"{kind}s", first=", ".join(shown[:-1]), last=shown[-1])
