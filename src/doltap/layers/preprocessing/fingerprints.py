"""The numbers that TensorFlow's hash functions give to strings and integers.

Models were trained on these bins, so every bit has to be TensorFlow's:
FarmHash's Fingerprint64, SipHash-2-4 where there is a salt, and its own way to
join fingerprints. On the host with NumPy, strings of one length at a time;
integers also inside a compiled program.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from doltap.errors import NotSupportedError
from doltap.layers.preprocessing.words import Word

__all__ = ["bins_of_integers", "bins_of_texts", "crossed", "fingerprints"]

# The constants of FarmHash, by Geoff Pike.
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
# What TensorFlow starts and joins a cross of features with.
_CROSS_START, _CROSS_FACTOR = 0xDECAFCAFFE, 0xC6A4A7935BD1E995
_SIP_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
# "-2147483648" has eleven characters.
_WIDEST = 11

Salt = Sequence[int] | None


def bins_of_texts(texts: Sequence[bytes], num_bins: int, salt: Salt = None) -> np.ndarray:
    """The bin of each text, as TensorFlow's `to_hash_bucket_fast`, or `_strong` where there is a salt.

    >>> bins_of_texts([b"A", b"B", b"C"], 3).tolist()
    [1, 0, 1]
    """
    distinct = list(dict.fromkeys(texts))
    hashed = fingerprints(distinct) if salt is None else _salted(distinct, salt)
    bins = (hashed % np.uint64(num_bins)).astype(np.int64)
    if len(distinct) == len(texts):
        return bins
    table = dict(zip(distinct, bins.tolist(), strict=True))
    return np.fromiter(map(table.__getitem__, texts), np.int64, len(texts))


def bins_of_integers(numbers: Any, num_bins: int, salt: Salt = None) -> Any:
    """The bin of each whole number, hashed as it is written; for arrays of NumPy and of compiled programs."""
    if numbers.dtype == bool:
        no, yes = bins_of_texts([b"false", b"true"], num_bins, salt).tolist()
        return (np if isinstance(numbers, np.ndarray) else jnp).where(numbers, yes, no)
    if isinstance(numbers, np.ndarray):
        distinct, places = np.unique(numbers, return_inverse=True)
        texts = [b"%d" % number for number in distinct.tolist()]
        return bins_of_texts(texts, num_bins, salt)[places.reshape(-1)].reshape(numbers.shape)
    return _bins_in_program(numbers, num_bins, None if salt is None else tuple(salt))


def crossed(columns: Sequence[Any], num_bins: int) -> Any:
    """One bin for each row of several columns, as TensorFlow's `cross_hashed`.

    Args:
        columns: fingerprints of texts as np.uint64, or whole numbers, of one
            shape; on the host the bins come back end to end.
    """
    on_host = all(isinstance(column, np.ndarray) for column in columns)
    words: list[Any] = [
        column.ravel().astype(np.uint64) if on_host else Word.of(column) for column in columns
    ]
    joined = words[0] * 0 ^ _CROSS_START
    for word in words:
        joined = _joined(joined, word)
    return (joined % np.uint64(num_bins)).astype(np.int64) if on_host else joined.remainder(num_bins)


def _joined(one: Any, other: Any) -> Any:
    mixed = (one ^ _CROSS_FACTOR ^ _shift_mixed(other * _CROSS_FACTOR) * _CROSS_FACTOR) * _CROSS_FACTOR
    return _shift_mixed(_shift_mixed(mixed) * _CROSS_FACTOR)


def fingerprints(texts: Sequence[bytes]) -> np.ndarray:
    """FarmHash's 64-bit fingerprint of each text, as np.uint64.

    >>> hex(fingerprints([b"hello"])[0])
    '0xb48be5a931380ce8'
    """
    found = np.empty(len(texts), np.uint64)
    for length, rows, letters in _by_length(texts):
        found[rows] = _fingerprint(letters, length)
    return found


def _by_length(texts: Sequence[bytes]) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """For each length: which texts have it, and their letters as one row of bytes each."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    starts = np.cumsum(lengths) - lengths
    letters = np.frombuffer(b"".join(texts), np.uint8)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        yield length, rows, letters[starts[rows, None] + np.arange(length)]


def _fetch(letters: np.ndarray, start: int, size: int = 8) -> np.ndarray:
    """Eight letters, or four, as one number with the first one lowest."""
    part = np.ascontiguousarray(letters[:, start : start + size])
    return part.view(f"<u{size}")[:, 0].astype(np.uint64)


def _rotated(word: Any, places: int) -> Any:
    return word >> places | word << (64 - places)


def _shift_mixed(word: Any) -> Any:
    return word ^ word >> 47


def _mixed(one: Any, other: Any, factor: Any) -> Any:
    """FarmHash's way to make one number of two."""
    return _shift_mixed((_shift_mixed((one ^ other) * factor) ^ other) * factor) * factor


def _fingerprint(letters: np.ndarray, length: int) -> np.ndarray:
    """The fingerprints of texts of one length: FarmHash has a formula for each range of lengths."""
    if length == 0:
        return np.full(len(letters), _K2, np.uint64)
    if length < 4:
        first, middle, last = (letters[:, at].astype(np.uint64) for at in (0, length >> 1, length - 1))
        return _of_1_to_3(first, middle, last, length)
    if length < 8:
        return _of_4_to_7(_fetch(letters, 0, 4), _fetch(letters, length - 4, 4), length)
    if length <= 16:
        return _of_8_to_16(_fetch(letters, 0), _fetch(letters, length - 8), length)
    if length <= 32:
        return _of_17_to_32(letters, length)
    return _of_33_to_64(letters, length) if length <= 64 else _of_more(letters, length)


def _of_1_to_3(first: Any, middle: Any, last: Any, length: Any) -> Any:
    return _shift_mixed((first + (middle << 8)) * _K2 ^ (last * 4 + length) * _K0) * _K2


def _of_4_to_7(first: Any, last: Any, length: Any) -> Any:
    return _mixed((first << 3) + length, last, length * 2 + _K2)


def _of_8_to_16(first: Any, last: Any, length: Any) -> Any:
    factor = length * 2 + _K2
    first = first + _K2
    return _mixed(_rotated(last, 37) * factor + first, (_rotated(first, 25) + last) * factor, factor)


def _ends(letters: np.ndarray, length: int, first: np.ndarray, factor: int) -> tuple[Any, Any]:
    """What the first sixteen letters and the last sixteen give."""
    second, before, last = (_fetch(letters, at) for at in (8, length - 16, length - 8))
    last, before = last * factor, before * _K2
    one = _rotated(first + second, 43) + _rotated(last, 30) + before
    return one, first + _rotated(second + _K2, 18) + last


def _of_17_to_32(letters: np.ndarray, length: int) -> np.ndarray:
    factor = length * 2 + _K2
    return _mixed(*_ends(letters, length, _fetch(letters, 0) * _K1, factor), factor)


def _of_33_to_64(letters: np.ndarray, length: int) -> np.ndarray:
    factor = length * 2 + _K2
    first = _fetch(letters, 0) * _K2
    outer, other = _ends(letters, length, first, factor)
    whole = _mixed(outer, other, factor)
    third, fourth = _fetch(letters, 16) * factor, _fetch(letters, 24)
    g = (outer + _fetch(letters, length - 32)) * factor
    h = (whole + _fetch(letters, length - 24)) * factor
    inner = _rotated(third + fourth, 43) + _rotated(g, 30) + h
    return _mixed(inner, third + _rotated(fourth + first, 18) + g, factor)


def _of_more(letters: np.ndarray, length: int) -> np.ndarray:
    """Blocks of 64 letters change a state of seven numbers; the last 64 letters close it."""
    seed = 81
    zeros = np.zeros(len(letters), np.uint64)
    y = zeros + np.uint64((seed * _K1 + 113) % 2**64)
    z = _shift_mixed(y * _K2 + 113) * _K2
    x = _fetch(letters, 0) + np.uint64(seed * _K2 % 2**64)
    state = (x, y, z, zeros, zeros, zeros, zeros)
    for start in range(0, (length - 1) // 64 * 64, 64):
        state = _stirred(letters, start, state, _K1)
    x, y, z, v0, v1, w0, w1 = state
    factor = ((z & 0xFF) << 1) + _K1
    w0 = w0 + ((length - 1) & 63)
    v0 = v0 + w0
    w0 = w0 + v0
    x, y, z, v0, v1, w0, w1 = _stirred(letters, length - 64, (x, y, z, v0, v1, w0, w1), factor, 9)
    closed = _mixed(v0, w0, factor) + _shift_mixed(y) * _K0 + z
    return _mixed(closed, _mixed(v1, w1, factor) + x, factor)


def _stirred(letters: np.ndarray, start: int, state: tuple, factor: Any, weight: int = 1) -> tuple:
    x, y, z, v0, v1, w0, w1 = state
    words = [_fetch(letters, start + at) for at in range(0, 64, 8)]
    x = _rotated(x + y + v0 + words[1], 37) * factor ^ w1 * weight
    y = _rotated(y + v1 + words[6], 42) * factor + v0 * weight + words[5]
    z = _rotated(z + w0, 33) * factor
    v = _weakly_mixed(words[:4], v1 * factor, x + w0)
    w = _weakly_mixed(words[4:], z + w1, y + words[2])
    return z, y, x, *v, *w


def _weakly_mixed(words: Sequence[Any], a: Any, b: Any) -> tuple[Any, Any]:
    first, second, third, fourth = words
    a = a + first
    b = _rotated(b + a + fourth, 21)
    c = a
    a = a + second + third
    return a + fourth, b + _rotated(a, 44) + c


# SipHash-2-4, by Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).


def _salted(texts: Sequence[bytes], salt: Sequence[int]) -> np.ndarray:
    """SipHash-2-4 of each text with the salt as its key, as np.uint64."""
    found = np.empty(len(texts), np.uint64)
    for length, rows, letters in _by_length(texts):
        # The last block holds what is left over, and the length in its top byte.
        padded = np.zeros((len(rows), length // 8 * 8 + 8), np.uint8)
        padded[:, :length] = letters
        padded[:, -1] = length % 256
        state = _sip_state(salt, np.zeros(len(rows), np.uint64))
        for start in range(0, padded.shape[1], 8):
            state = _sip_block(state, _fetch(padded, start))
        found[rows] = _sip_close(state)
    return found


def _sip_state(salt: Sequence[int], zeros: Any) -> tuple:
    keys = [int(key) % 2**64 for key in salt]
    return tuple(zeros ^ (start ^ keys[number % 2]) for number, start in enumerate(_SIP_START))


def _sip_block(state: tuple, word: Any) -> tuple:
    a, b, c, d = state
    a, b, c, d = _sip_round(*_sip_round(a, b, c, d ^ word))
    return a ^ word, b, c, d


def _sip_close(state: tuple) -> Any:
    a, b, c, d = state
    c = c ^ 0xFF
    for _ in range(4):
        a, b, c, d = _sip_round(a, b, c, d)
    return a ^ b ^ c ^ d


def _sip_round(a: Any, b: Any, c: Any, d: Any) -> tuple:
    # The paper turns to the left: by 13, 16, 21 and 17 places.
    a, c = a + b, c + d
    b, d = _rotated(b, 51) ^ a, _rotated(d, 48) ^ c
    a, c = _rotated(a, 32) + d, c + b
    d, b = _rotated(d, 43) ^ a, _rotated(b, 47) ^ c
    return a, b, _rotated(c, 32), d


# Whole numbers inside a compiled program.


@functools.partial(jax.jit, static_argnums=(1, 2))
def _bins_in_program(numbers: jax.Array, num_bins: int, salt: tuple[int, ...] | None) -> jax.Array:
    letters, length = _written(numbers)
    hashed = _short_fingerprint(letters, length) if salt is None else _short_salted(letters, length, salt)
    return hashed.remainder(num_bins)


def _written(numbers: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The decimal letters of 32-bit numbers, first one first, and how many there are."""
    if numbers.dtype.itemsize > 4:
        raise NotSupportedError(
            "hashing inside a compiled program",
            expected="whole numbers of at most 32 bits",
            got=f"the type {numbers.dtype}",
            fix="Hash them in front of the network: layer(array) with a NumPy array.",
        )
    is_negative = numbers < 0
    size = numbers.astype(jnp.uint32) if numbers.dtype.kind == "u" else numbers.astype(jnp.int32)
    size = jnp.where(is_negative, -size, size).astype(jnp.uint32)[..., None]
    powers = jnp.array([10**power for power in range(9, -1, -1)], jnp.uint32)
    digits = size // powers % 10
    num_digits = jnp.maximum((size >= powers).sum(-1), 1)
    length = num_digits + is_negative
    # The digits end at the right; the sign goes in front of the first.
    row = jnp.concatenate([jnp.zeros_like(digits[..., :1]), digits + ord("0")], axis=-1)
    at = jnp.arange(_WIDEST)
    row = jnp.where((at == _WIDEST - length[..., None]) & is_negative[..., None], ord("-"), row)
    letters = jnp.take_along_axis(row, jnp.minimum(at + _WIDEST - length[..., None], _WIDEST - 1), axis=-1)
    return jnp.where(at < length[..., None], letters, 0).astype(jnp.uint32), length


def _taken(letters: jax.Array, start: Any, size: int = 8) -> Word:
    """Letters from a place of its own in each row, as one number with the first one lowest."""
    places = jnp.maximum(start, 0)[..., None] + jnp.arange(size)
    part = jnp.take_along_axis(letters, jnp.minimum(places, letters.shape[-1] - 1), axis=-1)
    halves = part.reshape(*part.shape[:-1], -1, min(size, 4)) << jnp.arange(
        0, 8 * min(size, 4), 8, dtype=jnp.uint32
    )
    summed = halves.sum(-1, dtype=jnp.uint32)
    return Word(summed[..., 1] if size == 8 else jnp.zeros_like(summed[..., 0]), summed[..., 0])


def _short_fingerprint(letters: jax.Array, length: jax.Array) -> Word:
    """The fingerprint of 1 to 11 letters, by whichever formula the length asks for."""
    start, count = jnp.zeros_like(length), Word.of(length)
    first, middle, last = (_taken(letters, at, 1) for at in (start, length >> 1, length - 1))
    short = _of_1_to_3(first, middle, last, count)
    medium = _of_4_to_7(_taken(letters, start, 4), _taken(letters, length - 4, 4), count)
    long = _of_8_to_16(_taken(letters, start), _taken(letters, length - 8), count)
    return short.where(length < 4, medium.where(length < 8, long))


def _short_salted(letters: jax.Array, length: jax.Array, salt: Sequence[int]) -> Word:
    """SipHash of 1 to 11 letters: one block, or a full one and another."""
    start = jnp.zeros_like(length)
    ending = Word.of(length) << 56
    begun = _sip_state(salt, Word.of(start))
    full = _sip_block(begun, _taken(letters, start))
    rest = Word.of(start) + _taken(jnp.pad(letters, [(0, 0)] * length.ndim + [(0, 8)]), start + 8)
    short, long = (
        _sip_close(_sip_block(state, word | ending))
        for state, word in ((begun, _taken(letters, start)), (full, rest))
    )
    return short.where(length < 8, long)
