"""What every operation is called with in the tests: at least one call for each name."""

from __future__ import annotations

import numpy as np

_random = np.random.default_rng(0)


def _floats(*shape, low=-2.0, high=2.0):
    return _random.uniform(low, high, shape).astype("float32")


def _integers(*shape, low=-4, high=5):
    return _random.integers(low, high, shape).astype("int32")


X = _floats(3, 4)
Y = _floats(3, 4)
POSITIVE = _floats(3, 4, low=0.1, high=3.0)
INSIDE = _floats(3, 4, low=-0.9, high=0.9)
WHOLE = _integers(3, 4)
COUNTS = _integers(3, 4, low=1, high=6)
YES = WHOLE > 0
HOLES = np.where(YES, X, np.nan).astype("float32")
HOLES[0, 0] = 1.0
HOLES[:, 1] = [3.0, np.nan, -1.0]
HOLES[:, 2:] = [[0.5, np.nan], [1.0, 2.0], [np.nan, -3.0]]
ODD = np.array([np.inf, -np.inf, np.nan, -0.0, 1.5], "float32")
CUBE = _floats(2, 3, 4)
ROW = _floats(7)
SQUARE = _floats(2, 3, 3)
SPREAD = (SQUARE @ SQUARE.swapaxes(1, 2) + 2 * np.eye(3)).astype("float32")
SIGNAL = _floats(2, 32)
PICTURES = _floats(2, 7, 6, 4)
FIRST = PICTURES.transpose(0, 3, 1, 2).copy()
SHARES = _random.dirichlet(np.ones(4), 3).astype("float32")
COMPLEX = (X + 1j * Y).astype("complex64")
PAIR = (SIGNAL, _floats(2, 32))
PICTURE_PAIR = (X, Y)
HEADS = _floats(2, 5, 2, 4)


def call(*arguments, **keywords):
    return arguments, keywords


ANY_NUMBER = ["absolute", "fabs", "negative", "sign", "signbit", "ceil", "floor", "trunc", "round"]
ANY_NUMBER += ["square", "cbrt", "exp", "exp2", "expm1", "sin", "cos", "tan", "arctan", "sinh", "cosh"]
ANY_NUMBER += ["tanh", "arcsinh", "sinc", "deg2rad", "rad2deg", "erf", "erfc", "i0", "angle", "real"]
ANY_NUMBER += ["imag", "conjugate", "isreal", "isfinite", "isinf", "isnan", "isneginf", "isposinf"]
ANY_NUMBER += ["logical_not", "nan_to_num", "copy", "relu", "relu6", "leaky_relu", "elu", "celu", "selu"]
ANY_NUMBER += ["gelu", "silu", "hard_silu", "softplus", "squareplus", "sparse_plus", "sigmoid"]
ANY_NUMBER += ["log_sigmoid", "hard_sigmoid", "sparse_sigmoid", "hard_tanh", "softsign", "tanh_shrink"]
ANY_NUMBER += ["soft_shrink", "hard_shrink", "abs", "conj", "swish", "hard_swish", "stop_gradient"]
ANY_NUMBER += ["zeros_like", "ones_like", "empty_like", "array", "convert_to_tensor", "ravel", "fliplr"]
ANY_NUMBER += ["flipud", "transpose", "cast"]
ABOVE_ZERO = ["sqrt", "rsqrt", "log", "log10", "log1p", "log2", "reciprocal"]
WITHIN_ONE = ["arcsin", "arccos", "arctanh", "erfinv"]
TWO = ["add", "subtract", "multiply", "divide", "true_divide", "maximum", "minimum", "fmax", "fmin"]
TWO += ["arctan2", "hypot", "logaddexp", "logaddexp2", "equal", "not_equal", "greater"]
TWO += ["greater_equal", "less", "less_equal", "isclose", "allclose", "heaviside", "nextafter"]
TWO += ["logical_and", "logical_or", "logical_xor"]
TWO_DIVIDING = ["floor_divide", "mod", "fmod", "divide_no_nan"]
TWO_WHOLE = ["gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift"]
TWO_WHOLE += ["bitwise_right_shift", "left_shift", "right_shift"]
REDUCE = ["sum", "prod", "mean", "var", "std", "logsumexp", "max", "min", "amax", "amin", "ptp"]
REDUCE += ["median", "all", "any", "argmax", "argmin"]
REDUCE_HOLES = ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin", "nanmedian"]
REDUCE_HOLES += ["nanargmax", "nanargmin"]

CASES: dict[str, list] = {}
CASES |= {name: [call(X)] for name in ANY_NUMBER if name != "cast"}
CASES |= {name: [call(POSITIVE)] for name in ABOVE_ZERO}
CASES |= {name: [call(INSIDE)] for name in WITHIN_ONE}
CASES |= {name: [call(X, Y), call(X, 0.5), call(2, X), call(X, Y[0])] for name in TWO}
CASES |= {name: [call(X, POSITIVE), call(X, 0.5), call(WHOLE, 3)] for name in TWO_DIVIDING}
CASES |= {name: [call(WHOLE, COUNTS), call(COUNTS, 2)] for name in TWO_WHOLE}
CASES |= {name: [call(CUBE), call(CUBE, axis=-1), call(CUBE, 1, True)] for name in REDUCE}
CASES |= {name: [call(HOLES), call(HOLES, axis=-1), call(HOLES, 0, True)] for name in REDUCE_HOLES}
for _name in ("isfinite", "isinf", "isnan", "isneginf", "isposinf", "nan_to_num", "signbit"):
    CASES[_name] += [call(ODD)]
for _name in ("angle", "real", "imag", "conjugate", "conj", "isreal"):
    CASES[_name] += [call(COMPLEX)]
for _name in ("logical_and", "logical_or", "logical_xor", "logical_not", "all", "any"):
    CASES[_name] += [call(*[YES] * (2 if _name in TWO else 1))]
for _name in ("sum", "mean", "max", "var", "std", "prod", "any", "median", "logsumexp"):
    CASES[_name] += [call(CUBE, axis=(0, 2)), call(CUBE, axis=(0, -1), keepdims=True)]
for _name in ("max", "min"):
    CASES[_name] += [call(CUBE, axis=1, initial=1.5)]
for _name in ("isclose", "allclose"):
    CASES[_name] += [call(X, X + 1e-6), call(ODD, ODD, equal_nan=True), call(X, X + 0.1, 0.0, 0.2)]

# Elements
CASES |= {
    "arccosh": [call(POSITIVE + 1)],
    "power": [call(POSITIVE, Y), call(X, 2), call(2.0, X), call(COUNTS, COUNTS)],
    "ldexp": [call(X, WHOLE)],
    "clip": [call(X, -1.0, 1.0), call(WHOLE, -1, 2), call(X, X - 1, X - 0.5)],
    "bitwise_not": [call(WHOLE)],
    "bitwise_invert": [call(WHOLE)],
    "polar": [call(POSITIVE, X)],
    "view_as_complex": [call(_floats(3, 2))],
    "view_as_real": [call(COMPLEX)],
    "threshold": [call(X, 0.5, -1.0)],
    "glu": [call(X), call(X[:2], axis=0)],
    "softmax": [call(X), call(X, axis=0), call(CUBE, axis=(1, 2))],
    "log_softmax": [call(X), call(X, axis=0), call(CUBE, axis=(1, 2))],
    # One share above 0: where there are more, Keras adds up too much.
    "sparsemax": [call(np.array([[5.0, 0.0, 1.0], [0.0, 9.0, 2.0]], "float32"))],
    "saturate_cast": [
        call(np.array([-500.0, 3.7, 500.0, np.inf], "float32"), "int8"),
        call(np.array([-5, 3, 700], "int32"), "uint8"),
        call(np.array([3e9, -3e9, 12.5], "float32"), "int32"),
        call(np.array([1e9, -1.0], "float32"), "float16"),
    ],
    "view": [call(X, "int32"), call(X)],
    "shape": [call(CUBE)],
    "ndim": [call(CUBE)],
    "size": [call(CUBE)],
    "dtype": [call(WHOLE)],
    "convert_to_numpy": [call(X)],
    "is_tensor": [call(1.0), call([1.0])],
}
CASES["leaky_relu"] += [call(X, negative_slope=0.3)]
CASES["elu"] += [call(X, alpha=0.5)]
CASES["celu"] += [call(X, alpha=0.5)]
CASES["gelu"] += [call(X, approximate=False)]
CASES["squareplus"] += [call(X, b=1)]
CASES["soft_shrink"] += [call(X, threshold=0.1)]
CASES["hard_shrink"] += [call(X, threshold=0.1)]
CASES["round"] += [call(X * 100, decimals=1), call(WHOLE * 7, decimals=-1), call(WHOLE)]
CASES["nan_to_num"] += [call(ODD, nan=1.0, posinf=2.0, neginf=-2.0)]
CASES["transpose"] += [call(CUBE, axes=(2, 0, 1))]
CASES["cast"] = [call(X, "int32"), call(WHOLE, "float16"), call(YES, "float32"), call(X, "bool")]
CASES["convert_to_tensor"] += [
    call([1, 2]),
    call([1.5, 2]),
    call(3),
    call(True),
    call([1, 2], dtype="float32"),
]
CASES["array"] += [call([[1, 2], [3, 4]], "float32")]
CASES["ones_like"] += [call(WHOLE), call(WHOLE, dtype="float32")]
CASES["zeros_like"] += [call(WHOLE), call(YES), call(WHOLE, dtype="float32")]
CASES["empty_like"] = [call(np.zeros((2, 3), "int32"))]

# Reductions
CASES |= {
    "average": [call(X), call(X, axis=1), call(X, axis=1, weights=POSITIVE[0]), call(X, weights=POSITIVE)],
    "count_nonzero": [call(WHOLE), call(WHOLE, axis=1)],
    "trapezoid": [call(X), call(X, dx=0.5, axis=0), call(X, x=np.sort(ROW[:4]))],
    "cumsum": [call(X), call(X, axis=1), call(WHOLE, axis=0, dtype="float32")],
    "cumprod": [call(X), call(X, axis=1), call(WHOLE, axis=0, dtype="float32")],
    "nancumsum": [call(HOLES), call(HOLES, axis=1)],
    "nancumprod": [call(HOLES), call(HOLES, axis=1)],
    "bincount": [
        call(COUNTS.ravel()),
        call(COUNTS.ravel(), minlength=9),
        call(COUNTS.ravel(), weights=POSITIVE.ravel()),
    ],
    "histogram": [call(ROW), call(ROW, bins=4, range=(-1.0, 1.0))],
    "corrcoef": [call(X)],
    "in_top_k": [call(np.array([0, 3, 1]), X, 2)],
}
CASES["prod"] += [call(WHOLE, axis=1, dtype="float32")]
CASES["argmax"] += [call(WHOLE, axis=0)]
for _name in ("quantile", "nanquantile"):
    _data = X if _name == "quantile" else HOLES
    CASES[_name] = [
        call(_data, 0.3),
        call(_data, np.array([0.25, 0.5], "float32"), axis=1),
        call(_data, 0.4, axis=0, method="nearest", keepdims=True),
    ]
for _name in ("percentile", "nanpercentile"):
    _data = X if _name == "percentile" else HOLES
    CASES[_name] = [call(_data, 30.0), call(_data, np.array([25.0, 50.0], "float32"), axis=1)]
for _name in ("segment_sum", "segment_prod", "segment_max", "segment_min"):
    _ids = np.array([0, 2, 2])
    CASES[_name] = [call(X, _ids, num_segments=4), call(WHOLE, _ids, 3, sorted=True)]

# Arrangement
CASES |= {
    "reshape": [call(X, (2, 6)), call(X, (-1, 2)), call(X, -1)],
    "expand_dims": [call(X, 0), call(X, -1), call(X, (0, 3))],
    "squeeze": [call(X[None]), call(X[None, ..., None], axis=0), call(X[None, ..., None], axis=(0, 3))],
    "broadcast_to": [call(X, (2, 3, 4))],
    "rearrange": [
        call(CUBE, "b c d -> b d c"),
        call(CUBE, "b c d -> b (c d)"),
        call(CUBE, "b c (h w) -> (b h) w c", h=2),
    ],
    "moveaxis": [call(CUBE, 0, 2), call(CUBE, (0, 1), (2, 0))],
    "swapaxes": [call(CUBE, 0, 2)],
    "flip": [call(CUBE), call(CUBE, axis=1), call(CUBE, axis=(0, 2))],
    "rot90": [call(X), call(CUBE, k=2, axes=(1, 2))],
    "roll": [call(X, 2), call(X, 1, axis=1), call(X, (1, 2), axis=(0, 1))],
    "concatenate": [call([X, Y]), call([X, WHOLE], axis=1), call([X, Y], axis=-1)],
    "stack": [call([X, Y]), call([X, WHOLE], axis=-1)],
    "hstack": [call([X, Y]), call([ROW, ROW])],
    "vstack": [call([X, Y]), call([ROW, ROW])],
    "dstack": [call([X, Y]), call([ROW, ROW])],
    "append": [call(X, Y), call(X, WHOLE, axis=1)],
    "tile": [call(X, 2), call(X, (2, 3))],
    "repeat": [call(X, 2), call(X, 3, axis=0), call(X, np.array([1, 2, 3]), axis=0)],
    "pad": [
        call(X, 1),
        call(X, ((1, 0), (2, 3)), constant_values=7.0),
        call(X, ((1, 1), (2, 2)), mode="reflect"),
        call(X, ((1, 1), (2, 2)), "symmetric"),
    ],
    "split": [call(X, 2, axis=1), call(X, [1, 3], axis=1), call(X, 3)],
    "array_split": [call(X, 3, axis=1), call(ROW, 3)],
    "hsplit": [call(X, 2), call(X, [1, 3])],
    "vsplit": [call(X, 3)],
    "dsplit": [call(CUBE, 2)],
    "unstack": [call(X), call(X, axis=1), call(X, 4, axis=-1)],
    "diag": [call(ROW), call(X), call(ROW, k=1), call(X, k=-1)],
    "diagflat": [call(X), call(ROW, k=-2)],
    "diagonal": [call(X), call(CUBE, offset=1, axis1=1, axis2=2)],
    "tril": [call(X), call(CUBE, k=1)],
    "triu": [call(X), call(CUBE, k=-1)],
    "diff": [call(X), call(X, n=2), call(X, axis=0)],
    "depth_to_space": [call(PICTURES, 2), call(FIRST.repeat(2, 1), 2, data_format="channels_first")],
    "space_to_depth": [call(PICTURES[:, :6], 2), call(FIRST[:, :, :6], 2, data_format="channels_first")],
}

# Selection
CASES |= {
    "where": [call(YES, X, Y), call(YES, X, 0.0), call(YES, WHOLE, 1.5), call(WHOLE, X, Y), call(YES)],
    "select": [call([YES, ~YES], [X, Y]), call([X > 1, X > 0], [X, WHOLE], default=-1.0)],
    "take": [call(X, np.array([1, 5])), call(X, [[0, 1], [2, 3]], axis=1), call(X, -1, axis=0)],
    "take_along_axis": [call(X, np.argsort(X, axis=1), axis=1), call(X, np.array([3, 1]))],
    "get_item": [call(X, 1), call(X, (slice(None), slice(1, 3))), call(X, (Ellipsis, None))],
    "slice": [call(CUBE, (0, 1, 1), (2, 2, 3)), call(X, np.array([1, 2]), (2, -1))],
    "slice_update": [call(X, (1, 1), Y[:2, :2]), call(WHOLE, [0, 0], COUNTS[:1, :1])],
    "scatter": [call([[0, 1], [2, 0], [0, 1]], np.array([1.0, 2.0, 3.0], "float32"), (3, 2))],
    "scatter_update": [
        call(X, [[0, 1], [2, 0]], np.array([9.0, 8.0], "float32")),
        *[
            call(X, [[0, 1], [2, 0]], np.array([2.0, 3.0], "float32"), reduction=way)
            for way in ("add", "max", "min", "mul")
        ],
    ],
    "sort": [call(X), call(X, axis=0), call(WHOLE)],
    "argsort": [call(X), call(X, axis=0), call(X, axis=None)],
    "argpartition": [call(X, 2), call(X, 1, axis=0), call(X, 5, axis=None)],
    "top_k": [call(X, 2), call(WHOLE, 3, sorted=False)],
    "searchsorted": [call(np.sort(ROW), X), call(np.sort(ROW), X, side="right")],
    "digitize": [call(X, np.array([-1.0, 0.0, 1.0], "float32"))],
    "isin": [call(WHOLE, COUNTS), call(WHOLE, [1, 2], invert=True)],
    "nonzero": [call(WHOLE)],
    "unique": [
        call(WHOLE),
        call(WHOLE, return_index=True, return_inverse=True, return_counts=True),
        call(WHOLE % 2, axis=0),
        call(WHOLE, size=12, fill_value=0),
    ],
    "unravel_index": [call(np.array([1, 7]), (3, 4))],
}

# Made from numbers
CASES |= {
    "zeros": [call((2, 3)), call(3, dtype="int32")],
    "ones": [call((2, 3)), call((2,), dtype="bool")],
    "full": [call((2, 3), 7), call((2,), 7, dtype="int32"), call((2, 4), ROW[:4])],
    "empty": [call((2, 3))],
    "full_like": [call(X, 3), call(WHOLE, 3), call(WHOLE, 2.5, dtype="float32")],
    "eye": [call(3), call(2, 4, k=1), call(3, dtype="int32")],
    "identity": [call(3), call(2, dtype="int32")],
    "tri": [call(3), call(3, 4, k=-1, dtype="int32")],
    "arange": [call(5), call(1, 7, 2), call(1.0, 2.0, 0.25), call(3, dtype="float32"), call(0, 1, 0.5)],
    "linspace": [
        call(0, 1, 5),
        call(0.0, 2.0, num=4, endpoint=False),
        call(ROW[:2], ROW[2:4], 3, axis=-1),
        call(0, 10, 5, dtype="int32"),
        call(0.0, 1.0, 3, retstep=True),
    ],
    "logspace": [call(0, 2, 5), call(0.0, 3.0, 4, endpoint=False, base=2)],
    "geomspace": [call(1.0, 8.0, 4), call(1, 100, 5, endpoint=False)],
    "meshgrid": [call(ROW, WHOLE[0]), call(ROW, ROW[:2], indexing="ij")],
    "vander": [call(ROW), call(ROW, N=3, increasing=True)],
    "bartlett": [call(7)],
    "blackman": [call(7)],
    "hamming": [call(7)],
    "hanning": [call(7)],
    "kaiser": [call(7, 8.0)],
}

# Products and matrices
CASES |= {
    "matmul": [call(X, Y.T), call(CUBE, X.T), call(X, WHOLE.T), call(ROW[:4], X.T)],
    "dot": [call(X, Y.T), call(ROW, ROW), call(X, 2.0)],
    "einsum": [call("ij,kj->ik", X, Y), call("bij,jk->bik", CUBE, X.T), call("ij->j", X)],
    "tensordot": [call(X, Y), call(CUBE, X, axes=[[1, 2], [0, 1]]), call(CUBE, X.T, axes=1)],
    "inner": [call(X, Y), call(ROW, ROW)],
    "vdot": [call(X, Y), call(COMPLEX, COMPLEX)],
    "outer": [call(ROW, ROW), call(X, WHOLE)],
    "kron": [call(X, Y), call(ROW, ROW)],
    "cross": [call(X[:, :3], Y[:, :3]), call(X[:, :2], Y[:, :2])],
    "correlate": [call(ROW, ROW[:3]), call(ROW, ROW[:3], mode="same"), call(ROW, ROW[:3], mode="full")],
    "cdist": [call(X, Y), call(CUBE, CUBE + 1)],
    "trace": [call(X), call(CUBE, offset=1, axis1=1, axis2=2)],
    "slogdet": [call(SPREAD)],
    "logdet": [call(SPREAD)],
    "cholesky": [call(SPREAD), call(SPREAD, upper=True)],
    "cholesky_inverse": [
        call(np.linalg.cholesky(SPREAD[0])),
        call(np.linalg.cholesky(SPREAD[0]).T, upper=True),
    ],
    "det": [call(SQUARE)],
    "eig": [call(SPREAD)],
    "eigh": [call(SPREAD)],
    "inv": [call(SPREAD)],
    "pinv": [call(X), call(X, rcond=0.1)],
    "matrix_rank": [call(X), call(np.ones((3, 3), "float32"))],
    "lstsq": [call(X.T, ROW[:4]), call(X.T, Y.T)],
    "lu_factor": [call(SPREAD)],
    "norm": [
        call(X),
        call(X, ord=1, axis=1),
        call(X, ord="nuc"),
        call(X, axis=(0, 1), keepdims=True),
        call(ROW, ord=np.inf),
    ],
    "qr": [call(X.T), call(X.T, mode="complete")],
    "solve": [call(SPREAD, X[:2, :3, None]), call(SPREAD[0], ROW[:3])],
    "solve_triangular": [call(SPREAD, X[:2, :3, None]), call(SPREAD[0], CUBE[0], lower=True)],
    "svd": [call(X), call(X, full_matrices=False), call(X, compute_uv=False)],
}

# Waves
CASES |= {
    "fft": [call(PAIR)],
    "fft2": [call(PICTURE_PAIR)],
    "ifft2": [call(PICTURE_PAIR)],
    "rfft": [call(SIGNAL), call(SIGNAL, fft_length=16)],
    "irfft": [call(PAIR), call(PAIR, fft_length=20)],
    "extract_sequences": [call(SIGNAL, 8, 3)],
    "stft": [
        call(SIGNAL, 8, 4, 8),
        call(SIGNAL, 6, 3, 10, window="hamming"),
        call(SIGNAL, 8, 4, 16, window=None, center=False),
        call(SIGNAL, 4, 2, 8, window=np.array([0.5, 1.0, 1.0, 0.5], "float32")),
    ],
    "istft": [
        call((_floats(2, 9, 5), _floats(2, 9, 5)), 8, 4, 8),
        call((_floats(9, 9), _floats(9, 9)), 8, 2, 16, length=20, window="hamming"),
        call((_floats(2, 9, 5), _floats(2, 9, 5)), 8, 4, 8, center=False),
    ],
}

# Networks
_kernel = _floats(3, 2, 4, 6)
CASES |= {
    "one_hot": [call(COUNTS, 6), call(WHOLE, 4, axis=0), call(COUNTS, 6, axis=1, dtype="int32")],
    "multi_hot": [call(COUNTS, 6), call(COUNTS[0], 6), call(COUNTS, 6, dtype="int32")],
    "normalize": [
        call(X),
        call(X, axis=0, order=1),
        call(np.zeros((2, 3), "float32")),
        call(X, epsilon=9.0),
        call(X, order=3),
    ],
    "moments": [call(CUBE, (0, 1)), call(CUBE, axes=[2], keepdims=True), call(CUBE.astype("float16"), (0,))],
    "batch_normalization": [
        call(CUBE, X[0], POSITIVE[0], -1),
        call(CUBE, X[:, 0], POSITIVE[:, 0], 1, offset=Y[:, 0], scale=Y[:, 1], epsilon=0.1),
    ],
    "layer_normalization": [
        call(X),
        call(CUBE, X[0], Y[0]),
        call(CUBE, X, Y, axis=(1, 2)),
        call(CUBE, X[:, 0], axis=1, epsilon=0.1),
    ],
    "rms_normalization": [call(X), call(CUBE, X[0]), call(CUBE, axis=(1, 2), epsilon=0.1)],
    "binary_crossentropy": [
        call(YES.astype("float32"), SHARES),
        call(SHARES, X, from_logits=True),
        call(WHOLE * 0, SHARES),
    ],
    "categorical_crossentropy": [
        call(SHARES, POSITIVE),
        call(SHARES, X, from_logits=True),
        call(SHARES, POSITIVE, axis=0),
    ],
    "sparse_categorical_crossentropy": [
        call(np.array([0, 3, 1]), POSITIVE),
        call(np.array([[0], [3], [9]]), X, from_logits=True),
    ],
    "psnr": [call(X, Y, 2.0), call(X, Y, 255)],
    "dot_product_attention": [
        call(HEADS, HEADS[:, :3] + 1, HEADS[:, :3]),
        call(HEADS, HEADS * 2, HEADS, is_causal=True),
        call(HEADS, HEADS, HEADS, bias=_floats(2, 2, 5, 5), scale=0.3),
        call(HEADS, HEADS, HEADS, mask=np.tril(np.ones((2, 1, 5, 5), bool))),
    ],
    "max_pool": [
        call(PICTURES, 2, strides=2),
        call(PICTURES, (3, 2), strides=1, padding="same"),
        call(FIRST, 2, 1, "valid", "channels_first"),
        call(CUBE, 2, strides=2),
    ],
    "average_pool": [
        call(PICTURES, 2, strides=2),
        call(PICTURES, (3, 2), strides=(2, 1), padding="same"),
        call(FIRST, 2, 1, "same", "channels_first"),
        call(CUBE, 2, strides=2),
    ],
    "adaptive_average_pool": [
        call(PICTURES, (3, 4), data_format="channels_last"),
        call(FIRST, 5, data_format="channels_first"),
        call(CUBE, 2, data_format="channels_last"),
    ],
    "adaptive_max_pool": [
        call(PICTURES, (3, 4), data_format="channels_last"),
        call(FIRST, 5, data_format="channels_first"),
    ],
    "conv": [
        call(PICTURES, _kernel),
        call(PICTURES, _kernel, strides=(2, 1), padding="same"),
        call(PICTURES, _kernel, dilation_rate=2),
        call(FIRST, _kernel, 1, "same", "channels_first"),
        call(PICTURES, _floats(2, 2, 2, 4)),
        call(CUBE, _floats(2, 4, 5), padding="same"),
    ],
    "depthwise_conv": [call(PICTURES, _floats(3, 2, 4, 2), 2, "same"), call(CUBE, _floats(2, 4, 1))],
    "separable_conv": [
        call(PICTURES, _floats(3, 2, 4, 2), _floats(1, 1, 8, 3)),
        call(CUBE, _floats(2, 4, 2), _floats(1, 8, 3), padding="same"),
    ],
    "conv_transpose": [
        call(PICTURES, _floats(3, 2, 5, 4)),
        call(PICTURES, _floats(3, 2, 5, 4), 2, "same"),
        call(PICTURES, _floats(3, 2, 5, 4), (3, 2), "valid", output_padding=1),
        call(PICTURES, _floats(3, 3, 5, 4), 2, "same", output_padding=1),
        call(PICTURES, _floats(3, 3, 5, 4), padding="same", dilation_rate=2),
        call(CUBE, _floats(1, 5, 4), 3),
    ],
    "unfold": [call(FIRST, 2), call(FIRST, (3, 2), dilation=2, padding=1, stride=(1, 2))],
    "fold": [
        call(_floats(2, 16, 30), (7, 6), 2),
        call(_floats(2, 16, 15), (6, 6), 2, stride=(2, 1)),
        call(_floats(2, 24, 12), (7, 6), (3, 2), padding=1, dilation=(1, 2), stride=2),
    ],
}
