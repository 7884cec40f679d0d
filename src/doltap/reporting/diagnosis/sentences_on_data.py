"""What is said of findings on the data, and on the layer that answers for it."""

from __future__ import annotations

__all__ = ["ON_DATA"]

ON_DATA: dict[str, dict[str, tuple[str, str]]] = {
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
    "constant_labels.first_batch": {
        "en": (
            "All {rows:count} labels of the first batch are {value:number}: a network learns badly from "
            "batches of one class, and forgets it in the next ones.",
            "Shuffle the rows before they are made into batches; where all batches are so, look at how y was "
            "made.",
        ),
        "ko": (
            "첫 배치의 정답 {rows:count}개가 모두 {value:number}입니다. 한 클래스만 든 배치로는 잘 배우지 "
            "못하고, 다음 배치에서 잊습니다.",
            "배치로 나누기 전에 행을 섞으세요. 모든 배치가 그렇다면 y를 어떻게 만들었는지 확인하세요.",
        ),
    },
    "constant_inputs": {
        "en": (
            "All {rows:count} rows have the same inputs, beginning with {value:number}: nothing can tell "
            "them apart.",
            "Look at how x was made: wrong columns, integers divided without a remainder, or a scaling that "
            "took all away.",
        ),
        "ko": (
            "{rows:count}개 행의 입력이 모두 같습니다(첫 값 {value:number}). 행을 구별할 길이 없습니다.",
            "x를 어떻게 만들었는지 확인하세요. 열을 잘못 골랐거나, 정수 나눗셈을 했거나, 스케일링이 모두 "
            "지웠을 수 있습니다.",
        ),
    },
    "unscaled_labels.outliers": {
        "en": (
            "A few labels are far from all others, and the loss sees little else.",
            "Look at these rows; leave them out, clip them, take the logarithm of y, or use loss='huber' or "
            "'mae'.",
        ),
        "ko": (
            "정답 몇 개가 나머지와 동떨어져 있어 손실이 거의 그것만 봅니다.",
            "그 행을 확인해서 빼거나, 자르거나, y에 로그를 취하거나, loss='huber'나 'mae'를 쓰세요.",
        ),
    },
    "unscaled_labels.small": {
        "en": (
            "The labels have a spread of {std:number} around {mean:number}, the answers are still about "
            "{size:number} in size: a fresh network answers with numbers near 1, and its steps are too long "
            "for such labels.",
            "Bring y to mean 0 and spread 1, and the answers back.",
        ),
        "ko": (
            "정답은 평균 {mean:number}, 표준편차 {std:number}인데 답은 아직 {size:number} 정도의 크기입니다. "
            "갓 만든 신경망은 1 근처의 수로 답하고, 이런 정답에는 걸음이 너무 큽니다.",
            "y를 평균 0, 표준편차 1로 맞추고 답을 되돌리세요.",
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
    "seen_validation": {
        "en": (
            "{share:percent} of the validation rows are rows of training, too: their loss does not show how "
            "good it is for others.",
            "Split once, and take out repeated rows before: train_test_split(x, y), or validation_split=0.2.",
        ),
        "ko": (
            "검증 데이터의 {share:percent}가 훈련 데이터에도 있는 행입니다. 검증 손실로는 새로운 행에 얼마나 "
            "좋은지 알 수 없습니다.",
            "되풀이되는 행을 먼저 빼고 한 번만 나누세요: train_test_split(x, y)나 validation_split=0.2.",
        ),
    },
    "unscaled_inputs": {
        "en": (
            "The inputs are not scaled: {column:column} of {columns} has mean {mean:number} and spread "
            "{std:number}, where initial weights are made for 0 and 1.",
            "Use scikit-learn's StandardScaler, or a Normalization layer after adapt(x_train).",
        ),
        "ko": (
            "입력의 크기가 맞추어져 있지 않습니다. {columns}개 열 가운데 {column:column}은 평균 "
            "{mean:number}, 표준편차 {std:number}인데, 초기 가중치는 0과 1에 맞게 만들어집니다.",
            "scikit-learn의 StandardScaler나, adapt(x_train)을 한 Normalization 층을 쓰세요.",
        ),
    },
    "unscaled_inputs.small": {
        "en": (
            "The inputs are not scaled: none is larger than {high:number}, where initial weights are made "
            "for a spread of about 1, and the first layer hardly sees them.",
            "Use scikit-learn's StandardScaler, or a Normalization layer after adapt(x_train); was x divided "
            "twice?",
        ),
        "ko": (
            "입력의 크기가 맞추어져 있지 않습니다. 초기 가중치는 표준편차 1 정도의 입력에 맞게 만들어지는데 "
            "{high:number}보다 큰 값이 없어 첫 층이 거의 보지 못합니다.",
            "scikit-learn의 StandardScaler나, adapt(x_train)을 한 Normalization 층을 쓰세요. x를 두 번 "
            "나누지 않았나요?",
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
            "{layer:end} ends in {activation}, which cannot give all labels: they go from {low:number} to "
            "{high:number}.",
            "Leave the activation of the last layer out for numbers, or bring the labels into its range.",
        ),
        "ko": (
            "{layer:end}은 {activation}(으)로 끝나서 {low:number}에서 {high:number}까지인 정답을 모두 낼 수 "
            "없습니다.",
            "수를 예측하려면 마지막 층의 활성화 함수를 빼거나, 정답을 그 범위로 옮기세요.",
        ),
    },
    "output_mismatch.no_rates": {
        "en": (
            "{layer:end} may give negative numbers, and {loss} takes the logarithm of what it gives.",
            "End in activation='exponential' or 'softplus', which are above 0.",
        ),
        "ko": (
            "{layer:end}이 음수를 낼 수 있는데 {loss}은(는) 그 값의 로그를 취합니다.",
            "마지막을 0보다 큰 activation='exponential'이나 'softplus'로 하세요.",
        ),
    },
    "output_mismatch.softmax_of_one": {
        "en": (
            "{layer:end} is a softmax of one unit, which is always 1.",
            "Use activation='sigmoid' with one unit, or a softmax of two with "
            "sparse_categorical_crossentropy.",
        ),
        "ko": (
            "{layer:end}은 유닛이 하나인 softmax라서 언제나 1입니다.",
            "유닛이 하나면 activation='sigmoid'를 쓰거나, 유닛 두 개의 softmax와 "
            "sparse_categorical_crossentropy를 쓰세요.",
        ),
    },
    "output_mismatch.softmax_of_one_number": {
        "en": (
            "{layer:end} is a softmax of one unit, which is always 1; the labels go from {low:number} to "
            "{high:number}.",
            "Leave the activation of the last layer out for numbers.",
        ),
        "ko": (
            "{layer:end}은 유닛이 하나인 softmax라서 언제나 1인데, 정답은 {low:number}에서 "
            "{high:number}까지입니다.",
            "수를 예측하려면 마지막 층의 활성화 함수를 빼세요.",
        ),
    },
    "output_mismatch.dropout": {
        "en": (
            "{layer:end} is the last layer: in training it makes some of the answers themselves 0, whatever "
            "the network says.",
            "Leave it out, or put it before the last Dense layer.",
        ),
        "ko": (
            "{layer:end}이 마지막 층이라, 훈련 중에는 신경망이 무엇이라 하든 답의 일부를 0으로 만듭니다.",
            "빼거나, 마지막 Dense 층 앞에 두세요.",
        ),
    },
    "output_mismatch.no_shares": {
        "en": (
            "{layer:end} gives numbers that are no probabilities, and {loss} compares shares that add up to "
            "1.",
            "End in softmax.",
        ),
        "ko": (
            "{layer:end}이 내는 값은 확률이 아닌데 {loss}은(는) 합이 1인 비율을 비교합니다.",
            "마지막을 softmax로 하세요.",
        ),
    },
    "output_mismatch.twice": {
        "en": (
            "{layer:end} ends in {activation}, and {loss}(from_logits=True) applies it once more: the "
            "gradient is small where it matters.",
            "Leave the activation out, or from_logits=True.",
        ),
        "ko": (
            "{layer:end}이 {activation}(으)로 끝나는데 {loss}(from_logits=True)가 그것을 한 번 더 "
            "적용합니다. 정작 필요한 곳에서 기울기가 작아집니다.",
            "활성화 함수나 from_logits=True 가운데 하나를 빼세요.",
        ),
    },
    "output_mismatch.no_probabilities": {
        "en": (
            "{layer:end} gives numbers that are no probabilities, and {loss} takes them for such.",
            "End in softmax (one class of several) or sigmoid (yes or no), or use {loss}(from_logits=True).",
        ),
        "ko": (
            "{layer:end}이 내는 값은 확률이 아닌데 {loss}은(는) 확률로 받아들입니다.",
            "마지막을 softmax(여러 클래스 가운데 하나)나 sigmoid(예/아니요)로 하거나, "
            "{loss}(from_logits=True)를 쓰세요.",
        ),
    },
    "output_mismatch.relu": {
        "en": (
            "{layer:end} ends in relu, whose numbers {loss} takes for probabilities; and where relu is 0 "
            "nothing is learned.",
            "End in softmax (one class of several) or sigmoid (yes or no).",
        ),
        "ko": (
            "{layer:end}이 relu로 끝나는데 {loss}은(는) 그 값을 확률로 받아들입니다. relu가 0인 곳에서는 "
            "아무것도 학습되지 않습니다.",
            "마지막을 softmax(여러 클래스 가운데 하나)나 sigmoid(예/아니요)로 하세요.",
        ),
    },
    "output_mismatch.bounded_logits": {
        "en": (
            "{layer:end} ends in {activation}, whose numbers lie between {least:number} and {most:number}; "
            "{loss}(from_logits=True) makes shares of them, and they never say anything with more than "
            "{sure:percent}.",
            "Leave the activation of the last layer out.",
        ),
        "ko": (
            "{layer:end}이 {activation}(으)로 끝나서 값이 {least:number}에서 {most:number} 사이입니다. "
            "{loss}(from_logits=True)가 그것을 확률로 바꾸면 무엇도 {sure:percent}보다 확신하지 못합니다.",
            "마지막 층의 활성화 함수를 빼세요.",
        ),
    },
    "output_mismatch.sigmoid_of_several": {
        "en": (
            "{layer:end} gives {units:count} numbers by {activation}, each for itself, and {loss} divides "
            "them by their sum: it learns, but what predict() gives does not add up to 1.",
            "For one class of several end in softmax; for several classes in one row use "
            "binary_crossentropy.",
        ),
        "ko": (
            "{layer:end}은 {activation}(으)로 값 {units:count}개를 따로따로 내고 {loss}은(는) 그것을 합으로 "
            "나눕니다. 학습은 되지만 predict()가 주는 값의 합은 1이 아닙니다.",
            "여러 클래스 가운데 하나를 고르려면 softmax로 끝내고, 한 행에 여러 클래스가 있으면 "
            "binary_crossentropy를 쓰세요.",
        ),
    },
    "output_mismatch.one_of_several": {
        "en": (
            "{layer:end} ends in {activation}, whose {units:count} numbers share 1 among them, but rows need "
            "not belong to one class: they have up to {most:count}, or none.",
            "Use activation='sigmoid', which answers for each class by itself.",
        ),
        "ko": (
            "{layer:end}이 {activation}(으)로 끝나서 값 {units:count}개의 합이 늘 1인데, 한 행이 클래스 "
            "하나에만 속하는 것이 아닙니다(많으면 {most:count}개, 또는 없음).",
            "클래스마다 따로 답하는 activation='sigmoid'를 쓰세요.",
        ),
    },
    "output_mismatch.odd_sums": {
        "en": (
            "The labels of a row should add up to 1 for {loss}; they add up to between {least:number} and "
            "{most:number}.",
            "See that y has one 1 a row (utils.to_categorical, or the right axis); where a row may belong to "
            "several classes, end in sigmoid with binary_crossentropy.",
        ),
        "ko": (
            "{loss}에서는 한 행의 정답을 더하면 1이어야 하는데 {least:number}에서 {most:number}까지입니다.",
            "y의 행마다 1이 하나씩인지 확인하세요(utils.to_categorical, 축의 방향). 한 행이 여러 클래스에 "
            "속할 수 있으면 sigmoid로 끝내고 binary_crossentropy를 쓰세요.",
        ),
    },
    "initial_scale": {
        "en": (
            "Before the first step the loss was {loss:number}, where guessing by the shares of the classes "
            "gives {guess:number}: the network began certain of what it could not know.",
            "Use smaller initial weights ('glorot_uniform' in the last layer), and scale the inputs.",
        ),
        "ko": (
            "첫걸음 전의 손실이 {loss:number}이었(였)습니다. 클래스의 비율대로 찍기만 해도 "
            "{guess:number}입니다. 알 수 없는 것을 확신하며 시작했습니다.",
            "더 작은 초기 가중치를 쓰고(마지막 층은 'glorot_uniform') 입력의 크기를 맞추세요.",
        ),
    },
    "unlike_validation": {
        "en": (
            "The validation data is unlike the training data: in {column:column} its mean is "
            "{there:number}, in training {here:number} with a spread of {std:number} ({count:count} such "
            "columns).",
            "Prepare both alike (the same scaling), and shuffle the rows before they are cut: "
            "validation_split takes the last ones.",
        ),
        "ko": (
            "검증 데이터가 훈련 데이터와 다릅니다. {column:column}의 평균이 검증에서는 "
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
            "클래스 {class:number}이(가) 검증 데이터의 {there:percent}, 훈련 데이터의 {here:percent}입니다. "
            "정렬된 채로 행을 나누었습니다.",
            "fit 전에 x와 y를 함께 섞거나(validation_split은 맨 뒤의 행을 가져갑니다), train_test_split(x, "
            "y, stratify=y)를 쓰세요.",
        ),
    },
    "unlike_validation.row": {
        "en": (
            "The validation data holds a number unlike any in the training data, and its loss is out of all "
            "proportion.",
            "Look at that row: correct it, clip it, or leave it out, and scale both alike.",
        ),
        "ko": (
            "검증 데이터에 훈련 데이터와 동떨어진 값이 있고, 검증 손실이 터무니없이 큽니다.",
            "그 행을 확인해서 고치거나 잘라 내거나 빼고, 둘을 똑같이 스케일링하세요.",
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
