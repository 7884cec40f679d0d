"""What is said of each finding: in each language the evidence, and the cure.

A name of a finding, or name.variant; the fields are those of `Found.values`.
"""

from __future__ import annotations

from doltap.reporting.diagnosis.sentences_on_data import ON_DATA

__all__ = ["SENTENCES"]

SENTENCES: dict[str, dict[str, tuple[str, str]]] = {
    **ON_DATA,
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
    "strong_penalty": {
        "en": (
            "The weights of '{layer}' have shrunk to {share:percent} of their length, and it is hardly "
            "better than guessing: the regularizer costs more than the mistakes.",
            "Divide its factor by a hundred (l2 is 0.01 by default, and 0.0001 is common), or leave it out.",
        ),
        "ko": (
            "'{layer}' 층의 가중치가 처음 크기의 {share:percent}로 줄었고, 찍는 것보다 나을 것이 거의 "
            "없습니다. 규제가 오답보다 더 비쌉니다.",
            "규제 계수를 100분의 1로 낮추거나(l2의 기본값은 0.01, 흔히 쓰는 값은 0.0001) 빼세요.",
        ),
    },
    "strong_penalty.dropout": {
        "en": (
            "'{layer}' leaves out {rate:percent} of the units at each step, and what is left is hardly "
            "better than guessing.",
            "Lower its rate to between 0.2 and 0.5; it is the share that is left out, not the one that is "
            "kept.",
        ),
        "ko": (
            "'{layer}' 층이 걸음마다 유닛의 {rate:percent}를 빼 버려서, 남은 것으로는 찍는 것보다 나을 것이 "
            "거의 없습니다.",
            "비율을 0.2에서 0.5 사이로 낮추세요. 남기는 비율이 아니라 빼는 비율입니다.",
        ),
    },
    "batch_statistics": {
        "en": (
            "When it predicts, '{layer}' scales by averages of the batches it was trained on, and after "
            "{steps} steps {left:percent} of these is still where they began: the validation loss is "
            "{held_out:number}, that of training {loss:number}.",
            "Train for more epochs, or use BatchNormalization(momentum=0.8), whose averages are there after "
            "some ten steps.",
        ),
        "ko": (
            "'{layer}' 층은 예측할 때 훈련 배치의 이동 평균을 쓰는데, {steps}걸음 뒤에도 그 {left:percent}가 "
            "아직 처음 값입니다. 그래서 훈련 손실은 {loss:number}인데 검증 손실은 {held_out:number}입니다.",
            "더 오래 학습하거나, 열 걸음쯤이면 평균이 따라오는 BatchNormalization(momentum=0.8)을 쓰세요.",
        ),
    },
    "batch_statistics.one_row": {
        "en": (
            "'{layer}' takes away the mean of the batch, and a batch has one row: nothing is left of it in "
            "training.",
            "Use batch_size=32, or LayerNormalization.",
        ),
        "ko": (
            "'{layer}' 층은 배치의 평균을 빼는데 배치에 행이 하나뿐이라, 훈련 중에는 남는 것이 없습니다.",
            "batch_size=32로 하거나 LayerNormalization을 쓰세요.",
        ),
    },
    "learns_nothing": {
        "en": (
            "In none of {epochs} epochs was it better on the validation rows than one answer for all of them "
            "({best:number} against {guess:number}), while the loss of training fell to {loss:number}: what "
            "it learns holds for no other rows.",
            "Check that x and y belong to the same rows (shuffled or sorted apart?), that both parts were "
            "prepared alike, and that x tells anything about y.",
        ),
        "ko": (
            "훈련 손실은 {loss:number}까지 내려갔지만 검증 데이터에서는 {epochs} 에포크 동안 한 번도 모든 "
            "행에 같은 답을 내는 것보다 낫지 않았습니다({best:number}, 같은 답은 {guess:number}). 배운 것이 "
            "다른 행에는 맞지 않습니다.",
            "x와 y의 행이 서로 맞는지(따로 섞거나 정렬하지 않았는지), 두 부분을 똑같이 준비했는지, x에 y를 "
            "알려 주는 정보가 있는지 확인하세요.",
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
            "학습률은 {rate:number}이었(였)습니다.",
            "학습률을 낮추고 입력과 정답의 크기를 맞추거나, {optimizer}에 clipnorm=1.0을 주세요.",
        ),
    },
    "not_finite.explained": {
        "en": ("The loss is not a finite number since epoch {epoch}.", "{help:said}"),
        "ko": ("{epoch}번째 에포크부터 손실이 유한한 수가 아닙니다.", "{help:said}"),
    },
    "not_finite.validation": {
        "en": (
            "The validation loss is not a finite number since epoch {epoch}; that of training is.",
            "Look at that row: fill it in, clip it, or leave it out, and scale both alike.",
        ),
        "ko": (
            "훈련 손실은 유한한데 검증 손실은 {epoch}번째 에포크부터 유한한 수가 아닙니다.",
            "그 행을 확인해서 채우거나 잘라 내거나 빼고, 둘을 똑같이 스케일링하세요.",
        ),
    },
    "not_finite.validation_unknown": {
        "en": (
            "The validation loss is not a finite number since epoch {epoch}; that of training is.",
            "Look for NaN, infinity and very large numbers in the validation data: np.abs(x_val).max(0).",
        ),
        "ko": (
            "훈련 손실은 유한한데 검증 손실은 {epoch}번째 에포크부터 유한한 수가 아닙니다.",
            "검증 데이터에 NaN, 무한대, 아주 큰 수가 있는지 확인하세요: np.abs(x_val).max(axis=0).",
        ),
    },
    "diverged": {
        "en": (
            "The loss ends at {end:number}, above the {start:number} where it began: the steps lead away "
            "from the goal at a learning rate of {rate:number}.",
            "Lower the learning rate ten times, or give {optimizer} clipnorm=1.0.",
        ),
        "ko": (
            "손실이 {start:number}에서 시작해 {end:number}(으)로 끝났습니다. 학습률 {rate:number}에서 "
            "걸음마다 목표에서 멀어집니다(발산).",
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
            "정도입니다) 손실이 내려가지 않습니다. {optimizer}에 학습률 {rate:number}은(는) 너무 높습니다.",
            "10분의 1로 낮추거나, tune.find_learning_rate(model, x, y)로 찾아보세요.",
        ),
    },
    "rate_too_high.far_above": {
        "en": (
            "The learning rate of {rate:number} is {times:times} times the usual one of {optimizer} "
            "({usual:number}), each of whose steps moves every weight about so far.",
            "Start with {usual:number}, or let tune.find_learning_rate(model, x, y) find one.",
        ),
        "ko": (
            "학습률 {rate:number}은(는) {optimizer}의 기본값({usual:number})의 {times:times}배입니다. "
            "{optimizer}의 한 걸음은 모든 가중치를 대략 학습률만큼 움직입니다.",
            "{usual:number}에서 시작하거나, tune.find_learning_rate(model, x, y)로 찾아보세요.",
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
            "{rate:number}은(는) 너무 높습니다.",
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
    "rate_too_low.faded": {
        "en": (
            "{by} took the learning rate from {start:number} to {rate:number} within {epoch} of {epochs} "
            "epochs: after that the weights hardly moved, and there was more to learn.",
            "Let it fall more slowly (a longer decay, a factor nearer to 1, more patience), or not at all.",
        ),
        "ko": (
            "{by} 때문에 {epochs} 에포크 가운데 {epoch} 에포크 만에 학습률이 {start:number}에서 "
            "{rate:number}까지 내려갔습니다. 더 배울 것이 있는데 그 뒤로는 가중치가 거의 움직이지 "
            "않았습니다.",
            "더 천천히 내리거나(더 긴 감소 구간, 1에 더 가까운 배수, 더 큰 patience) 내리지 마세요.",
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
    "rate_too_low.clipped": {
        "en": (
            "{clip}={limit:number} cuts gradients whose length is about {length:number}, and leaves hardly a "
            "step of them: the loss falls by {share:percent} an epoch, and at this speed it needs about "
            "{needed:count} epochs to be half of what it is.",
            "Leave {clip} out, or use about 1, which cuts only what is far too long.",
        ),
        "ko": (
            "{clip}={limit:number} 때문에 길이가 {length:number}쯤인 기울기가 잘려 걸음이 거의 남지 "
            "않습니다. 손실이 에포크마다 {share:percent}씩 줄고, 이 속도로는 손실이 지금의 절반이 되기까지 "
            "약 {needed:count} 에포크가 필요합니다.",
            "{clip}을(를) 빼거나, 지나치게 긴 기울기만 자르도록 1 정도로 하세요.",
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
            "손실이 거의 움직이지 않습니다(에포크마다 {share:percent}). 학습률 {rate:number}(으)로는 손실이 "
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
            "마지막 {epochs} 에포크 동안 손실이 {share:percent}밖에 움직이지 않았고, {loss:number}(으)로 "
            "모든 행에 같은 답을 내는 것보다 나을 것이 거의 없습니다(정체).",
            "다른 초기 가중치나 더 높은 학습률로 다시 시작하거나, ReduceLROnPlateau()나 다른 옵티마이저를 "
            "써 보고, x에 y를 알려 주는 정보가 있는지 살펴보세요.",
        ),
    },
    "plateau.weak": {
        "en": (
            "The loss has moved by only {share:percent} in the last {epochs} epochs. On the validation rows "
            "its best was {best:number}, where one answer for all rows has {guess:number}: what it has "
            "learned holds, and may be all that x tells about y.",
            "A larger network or a longer run will hardly help; look for columns that tell more about y, or "
            "for more rows.",
        ),
        "ko": (
            "마지막 {epochs} 에포크 동안 손실이 {share:percent}밖에 움직이지 않았습니다. 검증 데이터에서 "
            "가장 좋은 손실은 {best:number}, 모든 행에 같은 답을 낼 때는 {guess:number}입니다. 배운 것은 "
            "맞고, x가 y에 대해 알려 주는 것이 이만큼뿐일 수 있습니다.",
            "신경망을 키우거나 더 오래 학습해도 나아지기 어렵습니다. y를 더 잘 알려 주는 열이나 더 많은 "
            "행을 찾아보세요.",
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
            "검증 손실은 {epoch}번째 에포크에서 {best:number}(으)로 가장 좋았고, 그 뒤 훈련 손실이 "
            "{loss:number}까지 내려가는 동안 {rise:percent} 올라 {end:number}이(가) 되었습니다. 훈련 "
            "데이터를 외우고 있습니다(과적합).",
            "EarlyStopping(patience=5, restore_best_weights=True)으로 그때 멈추거나, Dropout(0.3)이나 "
            "kernel_regularizer='l2'를 더하거나, 데이터를 늘리세요.",
        ),
    },
    "overfitting.signed": {
        "en": (
            "The validation loss was best at epoch {epoch}, {best:number}, and has lost {rise:percent} of "
            "what it had come down by, at {end:number}, while that of training went on falling to "
            "{loss:number}: it learns the training rows by heart.",
            "Stop there with EarlyStopping(patience=5, restore_best_weights=True), or add Dropout(0.3), "
            "kernel_regularizer='l2', or more data.",
        ),
        "ko": (
            "검증 손실은 {epoch}번째 에포크에서 {best:number}(으)로 가장 좋았고, 그 뒤 훈련 손실이 "
            "{loss:number}까지 내려가는 동안 내려온 만큼의 {rise:percent}를 되올라 {end:number}이(가) "
            "되었습니다. 훈련 데이터를 외우고 있습니다(과적합).",
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
            "행의 내용과 관계없이 {share:percent}에 대해 클래스 {class:number}(이)라고 답합니다. 실제 정답 "
            "가운데 그 클래스는 {true:percent}입니다.",
            "x와 y의 행이 서로 맞는지, 입력의 크기를 맞추었는지, x에 y를 알려 주는 정보가 있는지 확인하세요.",
        ),
    },
    "constant_answers.weights": {
        "en": (
            "It answers class {class:number} for {share:percent} of the rows, whatever they hold. "
            "{true:percent} of the labels are of that class, but they make {counts:percent} of what counts: "
            "their rows weigh {weight:number}, the others {other:number}.",
            "Lower their weight in class_weight or sample_weight: where other rows weigh 1, all classes "
            "count alike with {fair:number}.",
        ),
        "ko": (
            "행의 내용과 관계없이 {share:percent}에 대해 클래스 {class:number}(이)라고 답합니다. 정답 가운데 "
            "그 클래스는 {true:percent}이지만 그 행의 가중치가 {weight:number}, 나머지는 "
            "{other:number}(이)라서 손실의 {counts:percent}를 차지합니다.",
            "class_weight나 sample_weight에서 그 가중치를 낮추세요. 다른 행이 1이면 {fair:number}일 때 모든 "
            "클래스가 똑같이 반영됩니다.",
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
            "모든 행에 약 {answer:number}(이)라고 답합니다. 답의 표준편차는 {spread:number}인데 정답은 평균 "
            "{mean:number}, 표준편차 {wanted:number}입니다.",
            "x와 y의 행이 서로 맞는지, 입력과 정답의 크기를 맞추었는지, x에 y를 알려 주는 정보가 있는지 "
            "확인하세요.",
        ),
    },
    "nothing_moves.silent_output": {
        "en": (
            "'{layer}', the output, ends in {activation} and gives 0 for every row; no gradient passes "
            "there, so no weight moves any more.",
            "Leave the activation of the last layer out, or use 'softplus' for numbers above 0.",
        ),
        "ko": (
            "출력인 '{layer}' 층이 {activation}로 끝나고 모든 행에서 0을 냅니다. 거기서는 기울기가 지나가지 "
            "못해서 가중치가 더는 움직이지 않습니다.",
            "마지막 층의 활성화 함수를 빼거나, 0보다 큰 수를 예측한다면 'softplus'를 쓰세요.",
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
}
