"""64-bit whole numbers inside a compiled program, as two halves of 32 bits.

JAX computes with 32 bits unless told otherwise, and hash functions need 64.
A `Word` takes the operators that an array of np.uint64 takes, so that one
formula serves both.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["Word"]

_LOW = 0xFFFFFFFF


class Word:
    """An array of unsigned 64-bit numbers; sums and products lose what does not fit.

    Args:
        high, low: the halves, as arrays of uint32.

    >>> number = Word.of(jnp.array([-1, 7]))
    >>> (number * 3 + 2).remainder(1000).tolist()  # (2**64 - 1) % 1000 and 23
    [615, 23]
    """

    def __init__(self, high: Any, low: Any) -> None:
        self.high, self.low = high, low

    @classmethod
    def of(cls, number: Any) -> Word:
        """A Word from a Python integer or from an array of whole numbers, negative ones from above."""
        if isinstance(number, Word):
            return number
        if isinstance(number, int):
            return cls(jnp.uint32(number >> 32 & _LOW), jnp.uint32(number & _LOW))
        if number.dtype.itemsize == 8:
            return cls((number >> 32).astype(jnp.uint32), number.astype(jnp.uint32))
        is_negative = number < 0
        high = jnp.where(is_negative, jnp.uint32(_LOW), jnp.uint32(0))
        return cls(
            high, number.astype(jnp.int32 if number.dtype.kind == "i" else jnp.uint32).astype(jnp.uint32)
        )

    def __add__(self, other: Any) -> Word:
        other = Word.of(other)
        low = self.low + other.low
        return Word(self.high + other.high + (low < self.low).astype(jnp.uint32), low)

    def __mul__(self, other: Any) -> Word:
        other = Word.of(other)
        carried = _high_half(self.low, other.low)
        return Word(carried + self.low * other.high + self.high * other.low, self.low * other.low)

    def __xor__(self, other: Any) -> Word:
        other = Word.of(other)
        return Word(self.high ^ other.high, self.low ^ other.low)

    def __or__(self, other: Any) -> Word:
        other = Word.of(other)
        return Word(self.high | other.high, self.low | other.low)

    def __and__(self, other: Any) -> Word:
        other = Word.of(other)
        return Word(self.high & other.high, self.low & other.low)

    def __rshift__(self, places: int) -> Word:
        if places >= 32:
            return Word(jnp.zeros_like(self.high), self.high >> (places - 32))
        if places == 0:
            return self
        return Word(self.high >> places, self.low >> places | self.high << (32 - places))

    def __lshift__(self, places: int) -> Word:
        if places >= 32:
            return Word(self.low << (places - 32), jnp.zeros_like(self.low))
        if places == 0:
            return self
        return Word(self.high << places | self.low >> (32 - places), self.low << places)

    __radd__, __rmul__, __rxor__ = __add__, __mul__, __xor__

    def where(self, condition: Any, other: Word) -> Word:
        """This number where the condition holds, elsewhere the other."""
        return Word(jnp.where(condition, self.high, other.high), jnp.where(condition, self.low, other.low))

    def remainder(self, divisor: int) -> jax.Array:
        """What is left after division by a number below 2**31, as int32."""
        # Schoolbook division, each digit as wide as 32 bits allow beside a remainder.
        width = 32 - int(divisor).bit_length()
        left = jnp.zeros_like(self.low)
        for start in range(64 - 64 % width - (0 if 64 % width else width), -1, -width):
            digit = (self >> start).low & jnp.uint32((1 << width) - 1)
            left = (left << width | digit) % jnp.uint32(divisor)
        return left.astype(jnp.int32)


def _high_half(one: jax.Array, other: jax.Array) -> jax.Array:
    """The upper 32 bits of the product of two 32-bit numbers."""
    a_high, a_low = one >> 16, one & 0xFFFF
    b_high, b_low = other >> 16, other & 0xFFFF
    middle = a_high * b_low + (a_low * b_low >> 16)
    lower = a_low * b_high + (middle & 0xFFFF)
    return a_high * b_high + (middle >> 16) + (lower >> 16)
