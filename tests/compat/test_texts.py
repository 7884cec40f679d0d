"""The Tokenizer of Keras 2; the numbers are what tf_keras 2.21 gave."""

import numpy as np
import pytest

from doltap.compat.texts import Tokenizer, hashing_trick, one_hot, text_to_word_sequence, tokenizer_from_json
from doltap.errors import DataError, UnknownArgumentError, UnknownNameError

TEXTS = ["The cat sat on the mat.", "The dog; the log! Dog's", ["A", "list", "OF"]]


@pytest.fixture
def tokenizer():
    made = Tokenizer(num_words=6, oov_token="<OOV>")
    made.fit_on_texts(TEXTS)
    return made


def test_words_are_numbered_by_how_often_they_stand_in_the_texts(tokenizer):
    assert list(tokenizer.word_index.items())[:5] == [
        ("<OOV>", 1),
        ("the", 2),
        ("cat", 3),
        ("sat", 4),
        ("on", 5),
    ]
    assert tokenizer.word_counts["the"] == 4
    assert tokenizer.word_docs["the"] == tokenizer.index_docs[2] == 2
    assert tokenizer.document_count == 3
    assert tokenizer.texts_to_sequences(["the cat flew", "dog on"]) == [[2, 3, 1], [1, 5]]
    assert tokenizer.sequences_to_texts([[1, 2, 3], [9]]) == ["<OOV> the cat", "<OOV>"]


@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("binary", [[0, 1, 1, 1, 0, 0], [0, 1, 0, 0, 0, 1]]),
        ("count", [[0, 1, 2, 1, 0, 0], [0, 1, 0, 0, 0, 1]]),
        ("freq", [[0, 0.25, 0.5, 0.25, 0, 0], [0, 0.5, 0, 0, 0, 0.5]]),
        ("tfidf", [[0, 1.38629436, 1.17360019, 0.91629073, 0, 0], [0, 1.38629436, 0, 0, 0, 0.91629073]]),
    ],
)
def test_texts_become_rows_of_a_matrix(tokenizer, mode, rows):
    found = tokenizer.texts_to_matrix(["the cat the zebra", "dog on"], mode=mode)
    np.testing.assert_allclose(found, rows, rtol=1e-7)


def test_sequences_of_a_data_set_become_a_matrix_without_texts():
    found = Tokenizer(num_words=5).sequences_to_matrix([[1, 2, 2, 9]], mode="count")
    assert found.tolist() == [[0, 1, 2, 0, 0]]
    fitted = Tokenizer(num_words=3)
    fitted.fit_on_sequences([[1, 1], [1, 2]])
    assert (fitted.document_count, fitted.index_docs[1]) == (2, 2)


def test_letters_can_be_numbered():
    letters = Tokenizer(char_level=True)
    letters.fit_on_texts(["Abc a"])
    assert letters.texts_to_sequences(["cab"]) == [[3, 1, 2]]


def test_words_are_hashed_as_keras_hashed_them():
    assert hashing_trick("the cat sat", 10, hash_function="md5") == [6, 3, 1]
    assert all(1 <= number < 10 for number in one_hot("the cat sat", 10))
    assert text_to_word_sequence("Hello, World\tfoo", lower=False) == ["Hello", "World", "foo"]
    assert hashing_trick("a b", 9, hash_function=len, analyzer=str.split) == [2, 2]


def test_a_tokenizer_survives_its_json(tokenizer):
    again = tokenizer_from_json(tokenizer.to_json())
    assert again.get_config() == tokenizer.get_config()
    assert again.texts_to_sequences(["the mat"]) == tokenizer.texts_to_sequences(["the mat"])


def test_what_a_tokenizer_cannot_do_is_said():
    with pytest.raises(UnknownNameError, match="Did you mean 'binary'"):
        Tokenizer(num_words=2).sequences_to_matrix([[1]], mode="binery")
    with pytest.raises(DataError, match="fit_on_texts"):
        Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(UnknownArgumentError, match="Did you mean 'num_words='"):
        Tokenizer(num_word=2)
    assert Tokenizer(nb_words=7).num_words == 7
