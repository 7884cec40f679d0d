"""The words of a report, in English and in Korean."""

from __future__ import annotations

import string
from typing import Any

from doltap.reporting.language import with_particles

__all__ = ["TEXTS", "Words"]


class Words:
    """The texts in one language: `words("rows", count=3)`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._place = 1 if language == "ko" else 0

    def __call__(self, key: str, **values: Any) -> str:
        """The text, with the values in it."""
        text = TEXTS[key][self._place]
        told = _FORMATTER.format(text, **values) if values else text
        return with_particles(told) if self._place else told


class _Formatter(string.Formatter):
    """That of Python, with "{count:is|are}" for a word that is another one where the count is 1."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        one, bar, many = format_spec.partition("|")
        if not bar:
            return super().format_field(value, format_spec)
        return one if str(value) == "1" else many


_FORMATTER = _Formatter()

TEXTS: dict[str, tuple[str, str]] = {
    # The frame of the page.
    "report": ("Report", "보고서"),
    "report_on": ("Report on {name}", "{name} 보고서"),
    "made": ("Made by doltap {version} on {when}.", "doltap {version}에서 {when}에 만든 보고서입니다."),
    "contents": ("Contents", "차례"),
    "skip": ("Skip to the content", "본문으로 건너뛰기"),
    "theme": ("Light or dark", "밝게 / 어둡게"),
    "at_a_glance": ("At a glance", "한눈에 보기"),
    # The model.
    "model": ("The model", "모델"),
    "model_told": (
        "{count} layer{count:|s} with {parameters} parameter{parameters:|s}, "
        "{trainable} of which {trainable:is|are} trained.",
        "층 {count}개, 파라미터 {parameters}개이며 이 가운데 {trainable}개를 학습합니다.",
    ),
    "diagram_of": ("Diagram of {name}", "{name} 구조 그림"),
    "no_links": (
        "The model is a class with a call of its own: its layers are shown in order, without links.",
        "call을 직접 정의한 클래스여서, 층 사이의 연결은 빼고 차례대로만 보여 드립니다.",
    ),
    "too_many_layers": (
        "The diagram is left out, since the model has {count} layers.",
        "층이 {count}개나 되어 그림은 생략했습니다.",
    ),
    "layers_table": ("Layers", "층 목록"),
    "layer": ("Layer", "층"),
    "kind": ("Kind", "종류"),
    "activation": ("Activation", "활성화 함수"),
    "output_shape": ("Output shape", "출력 모양"),
    "parameters": ("Parameters", "파라미터"),
    "trained": ("Trained", "학습 여부"),
    "yes": ("yes", "예"),
    "no": ("no", "아니요"),
    "input": ("input", "입력"),
    "output": ("output", "출력"),
    "type": ("type", "자료형"),
    "calls": ("called", "호출"),
    # How it learned.
    "learning": ("How it learned", "어떻게 배웠나"),
    "no_history": (
        "No history of a training is known: train with fit, or pass history=.",
        "학습 기록이 없습니다. fit으로 학습하거나 history=로 넘겨 주세요.",
    ),
    "training": ("training", "학습"),
    "validation": ("validation", "검증"),
    "epoch": ("epoch", "에포크"),
    "epochs": ("Epochs", "에포크"),
    "curve_told": (
        "{name} goes from {first} to {last} in {count} epoch{count:|s}.",
        "{name}: 에포크 {count}번 동안 {first}에서 {last}(으)로 바뀌었습니다.",
    ),
    "measures": ("What was measured", "측정값"),
    "measure": ("Measure", "지표"),
    "first": ("First", "처음"),
    "last": ("Last", "마지막"),
    "best": ("Best", "가장 좋은 값"),
    "at_epoch": ("at epoch", "그때의 에포크"),
    # How good it is.
    "quality": ("How good it is", "얼마나 잘하나"),
    "quality_told": ("On {count} test row{count:|s}.", "테스트 데이터 {count}행으로 쟀습니다."),
    "no_data": (
        "No test data was passed: model.report(path, x_test, y_test) tells how good the model is.",
        "테스트 데이터가 없습니다. model.report(path, x_test, y_test)로 넘기면 성능까지 알려 드립니다.",
    ),
    "output_named": ("Output {name}", "출력 {name}"),
    "scores": ("Scores on the test data", "테스트 데이터 점수"),
    "value": ("Value", "값"),
    "accuracy": ("Accuracy", "정확도"),
    "majority": ("Always the most frequent class", "가장 많은 클래스만 답할 때의 정확도"),
    "confusion": ("Confusion matrix", "혼동 행렬"),
    "confusion_told": (
        "Rows are what is so, columns what the model says; shades are shares of a row.",
        "행은 정답, 열은 모델의 답입니다. 색이 진할수록 그 행에서 차지하는 비율이 높습니다.",
    ),
    "too_many_classes": (
        "The matrix is left out, since there are {count} classes.",
        "클래스가 {count}개나 되어 행렬은 생략했습니다.",
    ),
    "truth": ("what is so", "정답"),
    "said": ("what the model says", "모델의 답"),
    "confusion_field": (
        "{truth} taken for {said}: {count} row{count:|s}",
        "정답 {truth}, 답 {said}: {count}행",
    ),
    "confusions": ("Most frequent mistakes", "가장 잦은 혼동"),
    "rows": ("Rows", "행 수"),
    "share_of_class": ("Share of the class", "그 클래스에서의 비율"),
    "per_class": ("Class by class", "클래스별 성능"),
    "worst_classes": ("The {count} classes it knows least", "가장 약한 클래스 {count}개"),
    "class": ("Class", "클래스"),
    "label": ("Label", "레이블"),
    "per_label": ("Label by label", "레이블별 성능"),
    "precision": ("Precision", "정밀도"),
    "recall": ("Recall", "재현율"),
    "support": ("Rows", "행 수"),
    "mean_of_classes": ("Mean of the classes", "클래스 평균"),
    "calibration": ("Calibration", "확률 보정"),
    "calibration_told": (
        "Of what is said with a confidence of 80%, 80% should be so. The mean gap (ECE) is {error}.",
        "80%라고 확신한 답은 80%가 맞아야 합니다. 평균 차이(ECE)는 {error}입니다.",
    ),
    "confidence": ("confidence", "확신"),
    "share_right": ("share that is so", "실제로 맞은 비율"),
    "roc": ("ROC curve", "ROC 곡선"),
    "roc_told": (
        "The area under it (AUC) is {area}: 1 is perfect, 0.5 is chance.",
        "아래 넓이(AUC)는 {area}입니다. 1이면 완벽하고 0.5면 찍는 것과 같습니다.",
    ),
    "false_alarms": ("share of false alarms", "거짓 양성 비율"),
    "hits": ("share found", "찾아낸 비율"),
    "one_class": (
        "There is only one class in the test data, and so no ROC curve.",
        "테스트 데이터에 클래스가 하나뿐이어서 ROC 곡선을 그릴 수 없습니다.",
    ),
    "regression": ("Errors", "오차"),
    "r2_told": (
        "R² is 1 for perfect answers and 0 for always answering the mean.",
        "R²는 답이 완벽하면 1, 늘 평균만 답하면 0입니다.",
    ),
    "output_number": ("Number {number}", "{number}번째 값"),
    "all_numbers": ("All", "전체"),
    "median_error": ("Median error", "오차 중앙값"),
    "largest_error": ("Largest error", "가장 큰 오차"),
    "against": ("Answer against truth", "정답과 답"),
    "residuals": ("Residuals", "잔차"),
    "residual": ("answer - truth", "답 - 정답"),
    "residual_spread": ("How the residuals are distributed", "잔차의 분포"),
    "sampled": ("{shown} of {count} points are drawn.", "점 {count}개 가운데 {shown}개만 그렸습니다."),
    "not_judged": (
        "This output has no loss that tells what its numbers mean, so that only the scores are shown.",
        "이 출력은 손실 함수로 숫자의 뜻을 알 수 없어 점수만 보여 드립니다.",
    ),
    # Where it is wrong.
    "mistakes": ("Where it is wrong", "어디서 틀리나"),
    "mistakes_told": (
        "{wrong} of {count} {wrong:is|are} wrong. "
        "{wrong:This is the one|These are the ones} it was most sure of.",
        "{count}개 가운데 {wrong}개를 틀렸습니다. 가장 확신하고 틀린 것부터 보여 드립니다.",
    ),
    "no_mistakes": (
        "{count:The only one is|All {count} are} right.{count:| These are the ones it was least sure of.}",
        "{count}개를 모두 맞혔습니다. 가장 자신 없어한 것부터 보여 드립니다.",
    ),
    "largest_errors": (
        "{count:This is the row|These are the {count} rows} with the largest error{count:|s}.",
        "오차가 가장 큰 {count}행입니다.",
    ),
    "picture_told": (
        "Test row {row}: {truth} taken for {said}, {share}",
        "테스트 {row}행: 정답 {truth}, 답 {said}, {share}",
    ),
    "picture_number": (
        "Test row {row}: truth {truth}, answer {said}",
        "테스트 {row}행: 정답 {truth}, 답 {said}",
    ),
    "is": ("is", "정답"),
    "taken_for": ("taken for", "답"),
    "row": ("Row", "행"),
    "truth_column": ("Truth", "정답"),
    "said_column": ("Answer", "답"),
    "sure": ("Sure by", "확신"),
    "error_column": ("Error", "오차"),
    "more_columns": (
        "{count} further column{count:|s} {count:is|are} not shown.",
        "나머지 열 {count}개는 생략했습니다.",
    ),
    "worst_rows": ("Rows with the worst mistakes", "가장 크게 틀린 행"),
    # The layers.
    "insides": ("What the layers look like", "층 들여다보기"),
    "insides_told": (
        "Weights, and what each layer gives for {count} test row{count:|s}.",
        "층마다 가중치와, 테스트 데이터 {count}행에 대한 출력을 보여 드립니다.",
    ),
    "insides_weights": ("The weights of each layer.", "층마다 가중치를 보여 드립니다."),
    "more_layers": (
        "{count} further layer{count:|s} {count:is|are} not shown.",
        "나머지 층 {count}개는 생략했습니다.",
    ),
    "filters": ("What the units of {name} look for", "{name}의 유닛이 찾는 무늬"),
    "filters_told": (
        "The weights of {count} unit{count:|s} as {count:a picture|pictures}: "
        "red adds, blue takes away, white does not matter.",
        "유닛 {count}개의 가중치를 그림으로 나타냈습니다. 빨강은 더하고 파랑은 빼며 흰색은 영향이 없습니다.",
    ),
    "activations": ("output", "출력값"),
    "spread_told": (
        "mean {mean}, spread {std}, from {low} to {high}",
        "평균 {mean}, 표준편차 {std}, 범위 {low} ~ {high}",
    ),
    "zeros": ("{share} are zero, and have no bar", "0인 값이 {share}이며 막대에서는 뺐습니다"),
    "all_zeros": ("All are zero", "모두 0입니다"),
    "not_finite": ("{count} {count:is|are} NaN or infinite", "NaN 또는 무한대 {count}개"),
    "signs": ("Vital signs of the layers on the test data", "테스트 데이터로 잰 층의 활력 징후"),
    "gradient_norm": ("Gradient", "기울기 크기"),
    "weight_norm": ("Weights", "가중치 크기"),
    "update_ratio": ("Step / weights", "갱신 / 가중치"),
    "dead_share": ("Dead", "죽은 유닛"),
    "saturated_share": ("Saturated", "포화"),
    # The diagnosis.
    "diagnosis": ("What the diagnosis says", "진단"),
    "healthy": (
        "Nothing was found that would keep the model from learning.",
        "학습을 방해할 만한 점을 찾지 못했습니다.",
    ),
    "not_diagnosed": (
        "The training was not diagnosed: fit(..., diagnose=True) does that.",
        "학습을 진단하지 않았습니다. fit(..., diagnose=True)로 진단할 수 있습니다.",
    ),
    "cure": ("What to do:", "해결 방법:"),
    # How to do it again.
    "again": ("How to reproduce it", "재현하는 방법"),
    "again_facts": ("What it was made with", "만들어진 환경"),
    "fact": ("What", "항목"),
    "doltap": ("doltap", "doltap"),
    "python": ("Python", "파이썬"),
    "jax": ("JAX", "JAX"),
    "numpy": ("NumPy", "NumPy"),
    "platform": ("Platform", "플랫폼"),
    "device": ("Device", "장치"),
    "global_seed": ("Seed (set_random_seed)", "시드(set_random_seed)"),
    "model_seed": ("Seed of the model", "모델의 시드"),
    "no_seed": ("none was set: another run differs", "설정하지 않음: 다시 실행하면 결과가 달라집니다"),
    "epochs_trained": ("Epochs trained", "학습한 에포크"),
    "training_rows": ("Training rows", "학습 데이터 행 수"),
    "batch_size": ("Rows of a step (batch_size)", "배치 크기(batch_size)"),
    "optimizer": ("Optimizer", "옵티마이저"),
    "loss": ("Loss", "손실 함수"),
    "test_data": ("Test data", "테스트 데이터"),
    "compile_config": ("How it was compiled", "컴파일 설정"),
    "model_config": ("Configuration of the model", "모델 설정"),
    "cut": ("(cut: {count} letters)", "(생략됨: 전체 {count}자)"),
    # The comparison of runs.
    "found": (
        "{runs} run{runs:|s}, {searches} search{searches:|es}",
        "학습 {runs}개, 탐색 {searches}개",
    ),
    "comparison": ("Comparison of {count} run{count:|s}", "학습 {count}개 비교"),
    "runs": ("Runs", "학습 목록"),
    "runs_told": ("Found in {folder}, the best first.", "{folder}에서 찾아 좋은 것부터 늘어놓았습니다."),
    "run": ("Run", "학습"),
    "from_what": ("From", "출처"),
    "time": ("Time", "걸린 시간"),
    "curves": ("Curves", "곡선"),
    "searches": ("Searches", "탐색"),
    "search_named": ("Search {name}", "탐색 {name}"),
    "candidate": ("Candidate", "후보"),
    "rank": ("Rank", "순위"),
    "score": ("Score", "점수"),
    "folds": ("Folds", "폴드"),
    "settings": ("Settings", "설정"),
    "failed": ("failed: {error}", "실패: {error}"),
    "more_runs": (
        "{count} further run{count:|s} {count:is|are} left out of the curves.",
        "나머지 학습 {count}개는 곡선에서 뺐습니다.",
    ),
    "no_epochs": ("It holds no epochs.", "기록된 에포크가 없습니다."),
    "not_text": ("It is not text in UTF-8.", "UTF-8로 쓴 텍스트 파일이 아닙니다."),
    "not_opened": ("It cannot be opened.", "파일을 열 수 없습니다."),
    "too_large": ("It is too large.", "파일이 너무 큽니다."),
    "damaged": (
        "It is damaged, or holds something else than its name says.",
        "손상되었거나 이름과 다른 내용이 들어 있습니다.",
    ),
    "board_closed": (
        "Not read: {name}. Reading the files of TensorBoard needs: {line}",
        "읽지 못함: {name}. TensorBoard 파일을 읽으려면 설치하세요: {line}",
    ),
    "not_read": ("Not read: {name}. {why}", "읽지 못함: {name}. {why}"),
}
