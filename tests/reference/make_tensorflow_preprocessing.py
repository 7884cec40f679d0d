"""Writes tensorflow_preprocessing.json: what Keras with TensorFlow gives, for machines without TensorFlow.

Run it with: KERAS_BACKEND=tensorflow python make_tensorflow_preprocessing.py
(made with Keras 3.15.1 and TensorFlow 2.21.0).
"""

import json
import pathlib

LENGTHS = [*range(0, 9), 12, 16, 17, 31, 32, 33, 50, 63, 64, 65, 66, 90, 127, 128, 129, 192, 193, 257, 1000]
VOCABULARY = ["a", "b", "c", "d"]
ROWS = [["a", "c", "d"], ["d", "z", "b"]]
NUMBERS = [12, 36, 1138, 42]
NUMBER_ROWS = [[12, 1138, 42], [42, 1000, -3]]
LEARNED = [["a", "c", "d"], ["d", "z", "b"], ["a", "a", "[UNK]"]]
MODES = ["one_hot", "multi_hot", "count"]
WEIGHTS = [0.25, 0.75, 0.6, 0.4]


def texts():
    return [bytes((7 * length + 13 * place) % 251 for place in range(length)) for length in LENGTHS]


def cases():
    """Class, options, what to adapt on (or None), input."""
    letters = [["A"], ["B"], ["C"], ["D"], [""]]
    for options in (
        {},
        {"mask_value": ""},
        {"salt": [133, 137]},
        {"salt": 133},
        *({"output_mode": mode} for mode in MODES),
    ):
        yield "Hashing", {"num_bins": 3, **options}, None, letters
    for mode in MODES:
        yield "Hashing", {"num_bins": 3, "output_mode": mode}, None, [["A", "B"], ["C", "D"]]
    yield "Hashing", {"num_bins": 1}, None, letters
    yield "Hashing", {"num_bins": 1000}, None, ["é", "한글", ""]
    yield "Hashing", {"num_bins": 10}, None, "a"
    for options in ({}, {"mask_value": 5}, {"salt": [133, 137]}, {"output_mode": "count"}):
        yield "Hashing", {"num_bins": 10, **options}, None, [[-1, 0, 5, 1000000, -(2**31), 2**31 - 1]]
    yield "Hashing", {"num_bins": 10}, None, [2**40, -(2**40), 10**18]
    yield "Hashing", {"num_bins": 10}, None, [-1.5, 0.2, 5.9]
    yield "Hashing", {"num_bins": 10}, None, [True, False]
    for options in (
        {},
        {"mask_token": ""},
        {"num_oov_indices": 4},
        {"num_oov_indices": 4, "salt": [137, 42]},
        *({"output_mode": mode} for mode in MODES),
        *({"output_mode": mode, "mask_token": "z"} for mode in MODES),
        *({"output_mode": mode, "max_tokens": 8, "pad_to_max_tokens": True} for mode in MODES),
        {"output_mode": "tf_idf", "idf_weights": WEIGHTS},
    ):
        for data in (
            ROWS,
            ROWS[0],
            [["a"], ["q"]],
            "a",
            [[["a", "b"], ["c", "c"]]],
            [["", "x"], ["hello", "b"]],
        ):
            yield "StringLookup", {"vocabulary": VOCABULARY, **options}, None, data
    yield "StringLookup", {"vocabulary": ["", "[UNK]", *VOCABULARY], "mask_token": ""}, None, [["a", "", "q"]]
    yield "StringLookup", {"vocabulary": [*VOCABULARY, "[UNK]"]}, None, [["a", "", "[UNK]"]]
    tf_idf = {"output_mode": "tf_idf", "vocabulary": ["[UNK]", *VOCABULARY], "idf_weights": [0.9, *WEIGHTS]}
    yield "StringLookup", tf_idf, None, ROWS
    for options in (
        {},
        {"mask_token": "a"},
        {"max_tokens": 3},
        {"output_mode": "tf_idf"},
        {"output_mode": "tf_idf", "max_tokens": 9, "pad_to_max_tokens": True},
        {"output_mode": "count", "num_oov_indices": 2, "max_tokens": 4},
        {"output_mode": "multi_hot", "mask_token": "a"},
    ):
        yield "StringLookup", options, LEARNED, ROWS
    yield "StringLookup", {"output_mode": "tf_idf"}, ["a", "b", "a"], [["a", "b", "a"]]
    for options in (
        {},
        {"mask_token": 7},
        {"num_oov_indices": 2},
        {"num_oov_indices": 4, "oov_method": "farmhash"},
        {"num_oov_indices": 4, "oov_method": "farmhash", "salt": [137, 42]},
        *({"output_mode": mode, "mask_token": 7} for mode in MODES),
        {"output_mode": "tf_idf", "idf_weights": WEIGHTS},
    ):
        for data in (NUMBER_ROWS, NUMBER_ROWS[0], [[12], [7]], [100, 300, 700, 1100, -1700, 42]):
            yield "IntegerLookup", {"vocabulary": NUMBERS, **options}, None, data
    yield "IntegerLookup", {"vocabulary": NUMBERS, "invert": True}, None, [[1, 3, 4], [9, -9, 0]]
    yield (
        "IntegerLookup",
        {"vocabulary": NUMBERS, "invert": True, "mask_token": 7},
        None,
        [[1, 3, 4], [9, 2, 0]],
    )
    yield "IntegerLookup", {"vocabulary": NUMBERS}, None, [12.0, 36.7]
    yield "IntegerLookup", {"vocabulary": [10**12, 5]}, None, [10**12, 5, 10**12 - 2**32]
    for options in ({}, {"mask_token": 42}, {"max_tokens": 3}, {"output_mode": "tf_idf"}):
        yield "IntegerLookup", options, [*NUMBER_ROWS, [-1, -1, 36]], NUMBER_ROWS
    for mode in ("int", "one_hot"):
        options = {"num_bins": 5, "output_mode": mode}
        yield "HashedCrossing", options, None, [["A", "B", "A", "B", "A"], [101, 101, 101, 102, 102]]
        yield "HashedCrossing", options, None, [[["A"], ["B"]], [[101], [101]]]
        yield "HashedCrossing", options, None, ["A", 101]
    large = {"num_bins": 1000003}
    yield "HashedCrossing", large, None, [["A", "B", "x" * 90], [101, -101, 2**40], ["", "y", "한글"]]
    yield "HashedCrossing", large, None, [[1, 2, -3, 2**31 - 1], [0, -(2**31), 7, 8]]


def space(feature_space, output_mode="concat"):
    """A space with a column of every kind."""
    return feature_space(
        features={
            "plain": "float",
            "normal": "float_normalized",
            "scaled": feature_space.float_rescaled(scale=0.1, offset=-1.0),
            "binned": feature_space.float_discretized(num_bins=4),
            "number": "integer_categorical",
            "color": feature_space.string_categorical(num_oov_indices=2),
            "id": feature_space.integer_hashed(num_bins=6),
            "word": feature_space.string_hashed(num_bins=5),
        },
        crosses=[("color", "number"), feature_space.cross(("id", "word"), crossing_dim=7)],
        crossing_dim=9,
        output_mode=output_mode,
    )


def table():
    import numpy as np

    draw = np.random.default_rng(0)
    return {
        "plain": draw.normal(size=12).round(3).tolist(),
        "normal": draw.normal(3, 2, size=12).round(3).tolist(),
        "scaled": list(map(float, range(12))),
        "binned": draw.normal(size=12).round(3).tolist(),
        "number": draw.integers(0, 5, 12).tolist(),
        "color": draw.choice(["red", "green", "blue"], 12).tolist(),
        "id": draw.integers(0, 1000, 12).tolist(),
        "word": draw.choice(["x", "yy", "zzz", "w"], 12).tolist(),
    }


def main():
    import keras
    import numpy as np
    import tensorflow as tf

    def listed(values):
        return np.asarray(values).tolist()

    def run(name, options, learned, data):
        layer = getattr(keras.layers, name)(**options)
        if learned is not None:
            layer.adapt(np.array(learned))
        columns = tuple(map(np.array, data)) if name == "HashedCrossing" else np.array(data)
        result = {"layer": name, "options": options, "learned": learned, "data": data}
        result["output"] = listed(layer(columns))
        if learned is not None:
            result["vocabulary"] = [listed(term) for term in layer.get_vocabulary()]
        return result

    bins = 2**63 - 1
    made = {
        "fingerprints": listed(tf.strings.to_hash_bucket_fast(texts(), bins)),
        "salted": listed(tf.strings.to_hash_bucket_strong(texts(), bins, key=[133, 137])),
        "cases": [run(*case) for case in cases()],
        "table": table(),
    }
    for mode in ("concat", "dict"):
        whole = space(keras.utils.FeatureSpace, mode)
        whole.adapt(table())
        output = whole(table())
        made[mode] = (
            {key: listed(value) for key, value in output.items()} if mode == "dict" else listed(output)
        )
    made["config"] = whole.get_config()
    path = pathlib.Path(__file__).with_name("tensorflow_preprocessing.json")
    path.write_text(json.dumps(made, ensure_ascii=False, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
