"""What is said of each finding: in each language the evidence, and the cure.

A name of a finding, or name.variant; the fields are those of `Found.values`.
"""

from __future__ import annotations

__all__ = ["SENTENCES"]

SENTENCES: dict[str, dict[str, tuple[str, str]]] = {
    "vanishing_gradients": {
        "en": (
            "The gradient that reaches '{layer}' is {share:one_in} of the one at '{last}'; {count} "
            "{activation} layers in a row shrink it each time.",
            "Use relu in the hidden layers (he_normal), or BatchNormalization.",
        ),
        "ko": (
            "'{layer}' 층에 닿는 기울기는 '{last}' 층의 {share:one_in}입니다. {activation} 층 {count}개를 "
            "지날 때마다 기울기가 작아집니다(기울기 소실).",
            "은닉층에 relu(he_normal 초기화)나 BatchNormalization을 쓰세요.",
        ),
    },
    "vanishing_gradients.small_weights": {
        "en": (
            "The gradient that reaches '{layer}' is {share:one_in} of the one at '{last}'; the weights "
            "between them are too small and shrink it in each layer.",
            "Use kernel_initializer='he_normal' with relu ('glorot_uniform' with tanh), or "
            "BatchNormalization.",
        ),
        "ko": (
            "'{layer}' 층에 닿는 기울기는 '{last}' 층의 {share:one_in}입니다. 두 층 사이의 가중치가 너무 "
            "작아 층마다 기울기가 작아집니다(기울기 소실).",
            "relu에는 kernel_initializer='he_normal'을(tanh에는 'glorot_uniform'을) 쓰거나 "
            "BatchNormalization을 쓰세요.",
        ),
    },
    "exploding_gradients": {
        "en": (
            "The gradient that reaches '{layer}' is {share:count} times the one at '{last}'; it grows in "
            "each layer between them.",
            "Use the usual initializers ('he_normal' with relu, 'glorot_uniform' with tanh), "
            "BatchNormalization, or clipnorm=1.0 in the optimizer.",
        ),
        "ko": (
            "'{layer}' 층에 닿는 기울기는 '{last}' 층의 {share:count}배입니다. 층을 지날 때마다 "
            "커집니다(기울기 폭주).",
            "보통의 초기화(relu에는 'he_normal', tanh에는 'glorot_uniform')나 BatchNormalization을 쓰거나, "
            "옵티마이저에 clipnorm=1.0을 주세요.",
        ),
    },
    "dead_units": {
        "en": (
            "{share:percent} of the units of '{layer}' are 0 for every row that was looked at, against "
            "{before:percent} before the first step: they are dead, and no gradient reaches them any more.",
            "Lower the learning rate from {rate:number}, or use leaky_relu or elu and start again.",
        ),
        "ko": (
            "'{layer}' 층의 유닛 {share:percent}가 살펴본 모든 행에서 0입니다(학습 전에는 "
            "{before:percent}). 죽은 유닛이라 기울기가 더 이상 닿지 않습니다.",
            "학습률을 {rate:number}보다 낮추거나, leaky_relu나 elu로 바꾸어 처음부터 학습하세요.",
        ),
    },
    "dead_units.from_the_start": {
        "en": (
            "{share:percent} of the units of '{layer}' are 0 for every row that was looked at, and "
            "{before:percent} were so before the first step: they are dead, and no gradient reaches them.",
            "Look at the biases and initial weights of this layer and those before it ('he_normal', biases "
            "0), and scale the inputs.",
        ),
        "ko": (
            "'{layer}' 층의 유닛 {share:percent}가 살펴본 모든 행에서 0이고, 학습 전에도 "
            "{before:percent}가 그랬습니다. 죽은 유닛이라 기울기가 닿지 않습니다.",
            "이 층과 앞 층의 편향과 초기 가중치를 확인하고('he_normal', 편향은 0), 입력의 크기를 맞추세요.",
        ),
    },
    "saturated_units": {
        "en": (
            "{share:percent} of the numbers that '{layer}' gives are at the flat ends of {activation}, "
            "where a gradient hardly passes.",
            "Scale the inputs (mean 0, spread 1), use the usual initializers, put BatchNormalization "
            "before the activation, or use relu.",
        ),
        "ko": (
            "'{layer}' 층이 내는 값의 {share:percent}가 {activation}의 평평한 양 끝에 있어 기울기가 거의 "
            "지나가지 못합니다(포화).",
            "입력의 크기를 맞추고(평균 0, 표준편차 1) 보통의 초기화를 쓰세요. 활성화 앞의 "
            "BatchNormalization이나 relu도 도움이 됩니다.",
        ),
    },
    "not_finite": {
        "en": (
            "The loss is not a finite number since epoch {epoch}; nothing is learned from there on. The "
            "largest step seen moved the weights of '{layer}' by {ratio:percent} of their length (about "
            "0.1% is usual), at a learning rate of {rate:number}.",
            "Lower the learning rate, scale inputs and labels, or give {optimizer} clipnorm=1.0.",
        ),
        "ko": (
            "{epoch}번째 에포크부터 손실이 유한한 수가 아니어서 그 뒤로는 아무것도 학습되지 않았습니다. "
            "학습률 {rate:number}에서 가장 큰 한 걸음이 '{layer}' 층의 가중치를 그 크기의 "
            "{ratio:percent}만큼 움직였습니다(보통은 0.1% 정도입니다).",
            "학습률을 낮추고 입력과 정답의 크기를 맞추거나, {optimizer}에 clipnorm=1.0을 주세요.",
        ),
    },
    "not_finite.no_signs": {
        "en": (
            "The loss is not a finite number since epoch {epoch}; nothing is learned from there on. The "
            "learning rate was {rate:number}.",
            "Lower the learning rate, scale inputs and labels, or give {optimizer} clipnorm=1.0.",
        ),
        "ko": (
            "{epoch}번째 에포크부터 손실이 유한한 수가 아니어서 그 뒤로는 아무것도 학습되지 않았습니다. "
            "학습률은 {rate:number}였습니다.",
            "학습률을 낮추고 입력과 정답의 크기를 맞추거나, {optimizer}에 clipnorm=1.0을 주세요.",
        ),
    },
    "diverged": {
        "en": (
            "The loss ends at {end:number}, above the {start:number} where it began: the steps lead away "
            "from the goal at a learning rate of {rate:number}.",
            "Lower the learning rate ten times, or give {optimizer} clipnorm=1.0.",
        ),
        "ko": (
            "손실이 {start:number}에서 시작해 {end:number}로 끝났습니다. 학습률 {rate:number}에서 걸음마다 "
            "목표에서 멀어집니다(발산).",
            "학습률을 10분의 1로 낮추거나, {optimizer}에 clipnorm=1.0을 주세요.",
        ),
    },
    "rate_too_high": {
        "en": (
            "A step moves the weights of '{layer}' by {ratio:percent} of their length (about 0.1% is "
            "usual), and the loss does not come down: a learning rate of {rate:number} is too high for "
            "{optimizer}.",
            "Lower it ten times, or let tune.find_learning_rate(model, x, y) find one.",
        ),
        "ko": (
            "한 걸음에 '{layer}' 층의 가중치가 그 크기의 {ratio:percent}만큼 움직이고(보통은 0.1% "
            "정도입니다) 손실이 내려가지 않습니다. {optimizer}에 학습률 {rate:number}은 너무 높습니다.",
            "10분의 1로 낮추거나, tune.find_learning_rate(model, x, y)로 찾아보세요.",
        ),
    },
    "rate_too_high.jumps": {
        "en": (
            "The loss jumped up by more than a tenth in {jumps} of {epochs} epochs: a learning rate of "
            "{rate:number} is too high for {optimizer}.",
            "Lower it ten times, or let tune.find_learning_rate(model, x, y) find one.",
        ),
        "ko": (
            "{epochs}개 에포크 가운데 {jumps}번 손실이 10% 넘게 뛰어올랐습니다. {optimizer}에 학습률 "
            "{rate:number}은 너무 높습니다.",
            "10분의 1로 낮추거나, tune.find_learning_rate(model, x, y)로 찾아보세요.",
        ),
    },
    "rate_too_low": {
        "en": (
            "The loss still falls by {share:percent} an epoch after {epochs} epochs: with a learning rate "
            "of {rate:number}, at this speed it needs about {needed:count} epochs to be half of what it "
            "is.",
            "Raise the rate ({usual:number} is usual for {optimizer}), or let "
            "tune.find_learning_rate(model, x, y) find one.",
        ),
        "ko": (
            "{epochs} 에포크가 지나도 손실이 에포크마다 {share:percent}씩 줄고 있습니다. 학습률 "
            "{rate:number}, 지금 속도로는 손실이 지금의 절반이 되기까지 약 {needed:count} 에포크가 "
            "필요합니다.",
            "학습률을 높이거나({optimizer}의 기본값은 {usual:number}입니다), "
            "tune.find_learning_rate(model, x, y)로 찾아보세요.",
        ),
    },
    "rate_too_low.plain_sgd": {
        "en": (
            "Rate {rate:number} with plain SGD: the loss still falls by {share:percent} an epoch after "
            "{epochs} epochs, and at this speed it needs about {needed:count} epochs to be half of what it "
            "is.",
            "Use Adam(), SGD with momentum=0.9, or a higher rate ({usual:number} is usual).",
        ),
        "ko": (
            "모멘텀 없는 SGD에 학습률 {rate:number}: {epochs} 에포크가 지나도 손실이 에포크마다 "
            "{share:percent}씩 줄고 있고, 지금 속도로는 손실이 지금의 절반이 되기까지 약 {needed:count} "
            "에포크가 필요합니다.",
            "Adam()이나 momentum=0.9인 SGD를 쓰거나, 학습률을 높이세요(기본값은 {usual:number}입니다).",
        ),
    },
    "rate_too_low.creeps": {
        "en": (
            "The loss hardly moves: {share:percent} an epoch. With a learning rate of {rate:number} it "
            "needs more than a million epochs to be half of what it is.",
            "Raise the rate ({usual:number} is usual for {optimizer}), or let "
            "tune.find_learning_rate(model, x, y) find one.",
        ),
        "ko": (
            "손실이 거의 움직이지 않습니다(에포크마다 {share:percent}). 학습률 {rate:number}로는 손실이 "
            "절반이 되기까지 백만 에포크가 넘게 필요합니다.",
            "학습률을 높이거나({optimizer}의 기본값은 {usual:number}입니다), "
            "tune.find_learning_rate(model, x, y)로 찾아보세요.",
        ),
    },
    "rate_too_low.plain_sgd_creeps": {
        "en": (
            "Rate {rate:number} with plain SGD: the loss hardly moves, {share:percent} an epoch, and needs "
            "more than a million epochs to be half of what it is.",
            "Use Adam(), SGD with momentum=0.9, or a higher rate ({usual:number} is usual).",
        ),
        "ko": (
            "모멘텀 없는 SGD에 학습률 {rate:number}: 손실이 거의 움직이지 않아(에포크마다 {share:percent}) "
            "절반이 되기까지 백만 에포크가 넘게 필요합니다.",
            "Adam()이나 momentum=0.9인 SGD를 쓰거나, 학습률을 높이세요(기본값은 {usual:number}입니다).",
        ),
    },
    "plateau": {
        "en": (
            "The loss has moved by only {share:percent} in the last {epochs} epochs, and at {loss:number} "
            "it is hardly below that of one answer for all rows.",
            "Start again with other initial weights or a higher learning rate, take ReduceLROnPlateau() or "
            "another optimizer, and look whether x tells anything about y.",
        ),
        "ko": (
            "마지막 {epochs} 에포크 동안 손실이 {share:percent}밖에 움직이지 않았고, {loss:number}로 모든 "
            "행에 같은 답을 내는 것보다 나을 것이 거의 없습니다(정체).",
            "다른 초기 가중치나 더 높은 학습률로 다시 시작하거나, ReduceLROnPlateau()나 다른 옵티마이저를 "
            "써 보고, x에 y를 알려 주는 정보가 있는지 살펴보세요.",
        ),
    },
    "overfitting": {
        "en": (
            "The validation loss was best at epoch {epoch}, {best:number}, and has risen by {rise:percent} "
            "to {end:number} while that of training went on falling to {loss:number}: it learns the "
            "training rows by heart.",
            "Stop there with EarlyStopping(patience=5, restore_best_weights=True), or add Dropout(0.3), "
            "kernel_regularizer='l2', or more data.",
        ),
        "ko": (
            "검증 손실은 {epoch}번째 에포크에서 {best:number}로 가장 좋았고, 그 뒤 훈련 손실이 "
            "{loss:number}까지 내려가는 동안 {rise:percent} 올라 {end:number}가 되었습니다. 훈련 데이터를 "
            "외우고 있습니다(과적합).",
            "EarlyStopping(patience=5, restore_best_weights=True)으로 그때 멈추거나, Dropout(0.3)이나 "
            "kernel_regularizer='l2'를 더하거나, 데이터를 늘리세요.",
        ),
    },
    "overfitting.gap": {
        "en": (
            "It is right for {mine:percent} of the training rows and for {theirs:percent} of the "
            "validation rows: it learns the training rows by heart. The validation loss was best at epoch "
            "{epoch}.",
            "Add Dropout(0.3), kernel_regularizer='l2', or more data, make the network smaller, or stop "
            "with EarlyStopping(patience=5, restore_best_weights=True).",
        ),
        "ko": (
            "훈련 데이터는 {mine:percent}를 맞히지만 검증 데이터는 {theirs:percent}만 맞힙니다. 훈련 "
            "데이터를 외우고 있습니다(과적합). 검증 손실은 {epoch}번째 에포크에서 가장 좋았습니다.",
            "Dropout(0.3)이나 kernel_regularizer='l2'를 더하거나, 데이터를 늘리거나, 신경망을 줄이거나, "
            "EarlyStopping(patience=5, restore_best_weights=True)으로 멈추세요.",
        ),
    },
    "underfitting": {
        "en": (
            "It is right for {mine:percent} of the rows it was trained on, where their nearest neighbours "
            "are right for {theirs:percent}, and the loss no longer falls: the network is too simple for "
            "what the data shows.",
            "Add units or hidden layers with relu, or take away regularization.",
        ),
        "ko": (
            "훈련에 쓴 행도 {mine:percent}만 맞히는데 가장 가까운 이웃만 보아도 {theirs:percent}를 맞힐 수 "
            "있고, 손실은 더 내려가지 않습니다. 데이터에 비해 신경망이 너무 단순합니다(과소적합).",
            "유닛이나 relu 은닉층을 늘리거나, 규제를 줄이세요.",
        ),
    },
    "underfitting.numbers": {
        "en": (
            "It explains {mine:percent} of what differs between the rows it was trained on, where their "
            "nearest neighbours explain {theirs:percent}, and the loss no longer falls: the network is too "
            "simple for what the data shows.",
            "Add units or hidden layers with relu, or take away regularization.",
        ),
        "ko": (
            "훈련에 쓴 행의 차이를 {mine:percent}만 설명하는데 가장 가까운 이웃만 보아도 "
            "{theirs:percent}를 설명할 수 있고, 손실은 더 내려가지 않습니다. 데이터에 비해 신경망이 너무 "
            "단순합니다(과소적합).",
            "유닛이나 relu 은닉층을 늘리거나, 규제를 줄이세요.",
        ),
    },
    "large_batches": {
        "en": (
            "A batch holds {batch:count} of the {rows:count} rows, so that {epochs} epochs made only "
            "{steps:count} steps; and the loss still falls.",
            "Use batch_size=32: each epoch then makes more steps, at about the same cost.",
        ),
        "ko": (
            "배치 하나에 {rows:count}개 행 가운데 {batch:count}개가 들어가 {epochs} 에포크에 "
            "{steps:count}걸음밖에 걷지 못했고, 손실은 아직 내려가고 있습니다.",
            "batch_size=32로 하세요. 비슷한 비용으로 에포크마다 더 많이 걷습니다.",
        ),
    },
    "constant_answers": {
        "en": (
            "It answers class {class:number} for {share:percent} of the rows, whatever they hold; "
            "{true:percent} of the labels are of that class.",
            "Check that x and y belong to the same rows, that the inputs are scaled, and that x tells "
            "anything about y.",
        ),
        "ko": (
            "행의 내용과 관계없이 {share:percent}에 대해 클래스 {class:number}라고 답합니다. 실제 정답 "
            "가운데 그 클래스는 {true:percent}입니다.",
            "x와 y의 행이 서로 맞는지, 입력의 크기를 맞추었는지, x에 y를 알려 주는 정보가 있는지 확인하세요.",
        ),
    },
    "constant_answers.numbers": {
        "en": (
            "It answers about {answer:number} for every row: the answers have a spread of {spread:number}, "
            "the labels one of {wanted:number} around {mean:number}.",
            "Check that x and y belong to the same rows, that inputs and labels are scaled, and that x "
            "tells anything about y.",
        ),
        "ko": (
            "모든 행에 약 {answer:number}라고 답합니다. 답의 표준편차는 {spread:number}인데 정답은 평균 "
            "{mean:number}, 표준편차 {wanted:number}입니다.",
            "x와 y의 행이 서로 맞는지, 입력과 정답의 크기를 맞추었는지, x에 y를 알려 주는 정보가 있는지 "
            "확인하세요.",
        ),
    },
    "constant_labels": {
        "en": (
            "All {rows:count} labels are {value:number}: there is nothing to tell apart.",
            "Look at how y was made: a wrong column, a comparison that is never true, or data that was "
            "sorted before it was cut.",
        ),
        "ko": (
            "정답 {rows:count}개가 모두 {value:number}입니다. 구별할 것이 없습니다.",
            "y를 어떻게 만들었는지 확인하세요. 열을 잘못 골랐거나, 참이 될 수 없는 비교이거나, 정렬된 "
            "데이터를 잘랐을 수 있습니다.",
        ),
    },
    "unscaled_labels": {
        "en": (
            "The labels lie around {mean:number} with a spread of {std:number}, the answers still around "
            "{answered:number}: a fresh network answers near 0, and its steps are small.",
            "Bring y to mean 0 and spread 1 (and the answers back), or raise the learning rate.",
        ),
        "ko": (
            "정답은 평균 {mean:number}, 표준편차 {std:number}인데 답은 아직 {answered:number} 근처에 "
            "있습니다. 갓 만든 신경망은 0 근처로 답하고, 한 걸음은 작습니다.",
            "y를 평균 0, 표준편차 1로 맞추고 답을 되돌리거나, 학습률을 높이세요.",
        ),
    },
    "nothing_moves": {
        "en": (
            "No step moves any weight; the learning rate is {rate:number}.",
            "See that the rate is above 0, that layers are trainable (trainable=True before compile), and "
            "that not all rows weigh 0.",
        ),
        "ko": (
            "어떤 걸음도 가중치를 움직이지 않습니다. 학습률은 {rate:number}입니다.",
            "학습률이 0보다 큰지, 층이 학습되게 되어 있는지(compile 전에 trainable=True), 모든 행의 가중치가 "
            "0은 아닌지 확인하세요.",
        ),
    },
    "unscaled_inputs": {
        "en": (
            "The inputs are not scaled: column {column} of {columns} has mean {mean:number} and spread "
            "{std:number}, where initial weights are made for 0 and 1.",
            "Use scikit-learn's StandardScaler, or a Normalization layer after adapt(x_train).",
        ),
        "ko": (
            "입력의 크기가 맞추어져 있지 않습니다. {columns}개 열 가운데 {column}번 열(0부터 셈)은 평균 "
            "{mean:number}, 표준편차 {std:number}인데, 초기 가중치는 0과 1에 맞게 만들어집니다.",
            "scikit-learn의 StandardScaler나, adapt(x_train)을 한 Normalization 층을 쓰세요.",
        ),
    },
    "unscaled_inputs.image": {
        "en": (
            "The inputs are not scaled: their values go from {low:number} to {high:number}, where initial "
            "weights are made for a spread of about 1.",
            "Divide them: x / {high:number}, or a Rescaling(1 / {high:number}) layer at the front.",
        ),
        "ko": (
            "입력의 크기가 맞추어져 있지 않습니다. 값이 {low:number}에서 {high:number}까지인데, 초기 "
            "가중치는 표준편차 1 정도의 입력에 맞게 만들어집니다.",
            "x / {high:number}처럼 나누거나, 맨 앞에 Rescaling(1 / {high:number}) 층을 두세요.",
        ),
    },
    "rare_classes": {
        "en": (
            "Class {class:number} has {rows:count} rows ({share:percent}), the largest {most:count}; of "
            "the rare rows {found:percent} are recognized, and the accuracy hardly shows it.",
            "Pass class_weight={{{class:number}: {weight:count}}} to fit, or collect or repeat rows of "
            "that class; judge by recall or AUC.",
        ),
        "ko": (
            "클래스 {class:number}의 행은 {rows:count}개({share:percent})뿐이고 가장 많은 클래스는 "
            "{most:count}개입니다. 드문 행은 {found:percent}만 알아보는데 정확도에는 거의 드러나지 "
            "않습니다.",
            "fit에 class_weight={{{class:number}: {weight:count}}}를 주거나 그 클래스의 행을 더 모으거나 "
            "되풀이하고, 재현율이나 AUC로 평가하세요.",
        ),
    },
    "output_mismatch.out_of_reach": {
        "en": (
            "'{layer}' ends in {activation}, which cannot give all labels: they go from {low:number} to "
            "{high:number}.",
            "Leave the activation of the last layer out for numbers, or bring the labels into its range.",
        ),
        "ko": (
            "'{layer}' 층은 {activation}로 끝나서 {low:number}에서 {high:number}까지인 정답을 모두 낼 수 "
            "없습니다.",
            "수를 예측하려면 마지막 층의 활성화 함수를 빼거나, 정답을 그 범위로 옮기세요.",
        ),
    },
    "output_mismatch.softmax_of_one": {
        "en": (
            "'{layer}' is a softmax of one unit, which is always 1.",
            "Use activation='sigmoid' with one unit, or a softmax of two with "
            "sparse_categorical_crossentropy.",
        ),
        "ko": (
            "'{layer}' 층은 유닛이 하나인 softmax라서 언제나 1입니다.",
            "유닛이 하나면 activation='sigmoid'를 쓰거나, 유닛 두 개의 softmax와 "
            "sparse_categorical_crossentropy를 쓰세요.",
        ),
    },
    "output_mismatch.twice": {
        "en": (
            "'{layer}' ends in {activation}, and {loss}(from_logits=True) applies it once more: the "
            "gradient is small where it matters.",
            "Leave the activation out, or from_logits=True.",
        ),
        "ko": (
            "'{layer}' 층이 {activation}로 끝나는데 {loss}(from_logits=True)가 그것을 한 번 더 적용합니다. "
            "정작 필요한 곳에서 기울기가 작아집니다.",
            "활성화 함수나 from_logits=True 가운데 하나를 빼세요.",
        ),
    },
    "output_mismatch.no_probabilities": {
        "en": (
            "'{layer}' gives numbers that are no probabilities, and {loss} takes them for such.",
            "End in softmax (one class of several) or sigmoid (yes or no), or use {loss}(from_logits=True).",
        ),
        "ko": (
            "'{layer}' 층이 내는 값은 확률이 아닌데 {loss}는 확률로 받아들입니다.",
            "마지막을 softmax(여러 클래스 가운데 하나)나 sigmoid(예/아니요)로 하거나, "
            "{loss}(from_logits=True)를 쓰세요.",
        ),
    },
    "output_mismatch.relu": {
        "en": (
            "'{layer}' ends in relu, whose numbers {loss} takes for probabilities; and where relu is 0 "
            "nothing is learned.",
            "End in softmax (one class of several) or sigmoid (yes or no).",
        ),
        "ko": (
            "'{layer}' 층이 relu로 끝나는데 {loss}는 그 값을 확률로 받아들입니다. relu가 0인 곳에서는 "
            "아무것도 학습되지 않습니다.",
            "마지막을 softmax(여러 클래스 가운데 하나)나 sigmoid(예/아니요)로 하세요.",
        ),
    },
    "initial_scale": {
        "en": (
            "Before the first step the loss was {loss:number}, where guessing by the shares of the classes "
            "gives {guess:number}: the network began certain of what it could not know.",
            "Use smaller initial weights ('glorot_uniform' in the last layer), and scale the inputs.",
        ),
        "ko": (
            "첫걸음 전의 손실이 {loss:number}였습니다. 클래스의 비율대로 찍기만 해도 {guess:number}입니다. "
            "알 수 없는 것을 확신하며 시작했습니다.",
            "더 작은 초기 가중치를 쓰고(마지막 층은 'glorot_uniform') 입력의 크기를 맞추세요.",
        ),
    },
    "unlike_validation": {
        "en": (
            "The validation data is unlike the training data: in column {column} its mean is "
            "{there:number}, in training {here:number} with a spread of {std:number} ({count:count} such "
            "columns).",
            "Prepare both alike (the same scaling), and shuffle the rows before they are cut: "
            "validation_split takes the last ones.",
        ),
        "ko": (
            "검증 데이터가 훈련 데이터와 다릅니다. {column}번 열(0부터 셈)의 평균이 검증에서는 "
            "{there:number}, 훈련에서는 {here:number}(표준편차 {std:number})입니다(이런 열 "
            "{count:count}개).",
            "둘을 똑같이 준비하고(같은 스케일링), 자르기 전에 행을 섞으세요. validation_split은 맨 뒤의 "
            "행을 가져갑니다.",
        ),
    },
    "unlike_validation.classes": {
        "en": (
            "Class {class:number} is {there:percent} of the validation rows and {here:percent} of the "
            "training rows: the rows were sorted when they were cut.",
            "Shuffle x and y before fit (validation_split takes the last rows), or use train_test_split(x, "
            "y, stratify=y).",
        ),
        "ko": (
            "클래스 {class:number}가 검증 데이터의 {there:percent}, 훈련 데이터의 {here:percent}입니다. "
            "정렬된 채로 행을 나누었습니다.",
            "fit 전에 x와 y를 함께 섞거나(validation_split은 맨 뒤의 행을 가져갑니다), train_test_split(x, "
            "y, stratify=y)를 쓰세요.",
        ),
    },
    "unlike_validation.labels": {
        "en": (
            "The validation labels are unlike those of training: their mean is {there:number}, in training "
            "{here:number} with a spread of {std:number}.",
            "Scale both alike, and shuffle the rows before they are cut: validation_split takes the last "
            "ones.",
        ),
        "ko": (
            "검증 데이터의 정답이 훈련 데이터와 다릅니다. 평균이 검증에서는 {there:number}, 훈련에서는 "
            "{here:number}(표준편차 {std:number})입니다.",
            "둘을 똑같이 스케일링하고, 자르기 전에 행을 섞으세요. validation_split은 맨 뒤의 행을 "
            "가져갑니다.",
        ),
    },
}
