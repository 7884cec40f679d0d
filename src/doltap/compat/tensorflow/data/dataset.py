"""`tf.data.Dataset`: where elements come from, and what can be made of them."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from doltap import random
from doltap.compat.tensorflow import dtypes, errors
from doltap.compat.tensorflow.data import mapping, streams
from doltap.compat.tensorflow.data.ordered import INFINITE, UNKNOWN, Ordered, check_positive, seed_number
from doltap.compat.tensorflow.data.rows import Filled, Indirect, Part, Rows, Table, Zipped
from doltap.compat.tensorflow.data.specs import (
    Later,
    TensorSpec,
    as_element,
    as_tensors,
    batched_spec,
    leaves,
    mapped,
    opened_spec,
    spec_of,
)
from doltap.compat.tensorflow.tensor import Tensor, array_from

__all__ = ["Dataset"]


class Dataset(Ordered):
    """Elements that can be iterated over, again and again.

    Programs make one with `from_tensor_slices`, `range` and their like.

    >>> [number.numpy().item() for number in Dataset.range(5).filter(lambda x: x % 2 == 0)]
    [0, 2, 4]
    """

    # Where elements come from.

    @staticmethod
    def _of_rows(rows: Rows, kind: str) -> Dataset:
        made = Dataset(lambda: range(rows.count), rows.count, rows=rows, kind=kind)
        made._is_plain = True
        return made

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """The rows of arrays, or of several arrays in tuples and dicts."""
        # What a program writes to its arrays afterwards does not concern the data set.
        return Dataset._of_rows(Table(mapped(np.array, as_element(tensors))), "TensorSlice")

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """One element."""
        element = as_element(tensors)
        return Dataset._of_rows(Table(mapped(lambda part: np.asarray(part)[None], element)), "Tensor")

    @staticmethod
    def range(*args: Any, output_type: Any = dtypes.int64, name: str | None = None) -> Dataset:
        """Whole numbers, as Python's range."""
        numbers = np.arange(*(int(each) for each in args), dtype=dtypes.as_dtype(output_type).dtype)
        return Dataset._of_rows(Table(numbers), "Range")

    @staticmethod
    def from_generator(
        generator: Callable[..., Iterable[Any]],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """What a generator function gives, which is called anew for every run."""
        spec = output_signature
        if spec is None:
            if output_types is None:
                raise TypeError("from_generator needs output_signature=, or output_types=")
            spec = _signature(output_types, output_shapes)
        given = [array_from(each) for each in args or ()]

        def begin() -> Iterator[Any]:
            return (mapped(_fitting, spec, _in_form(spec, each)) for each in generator(*given))

        return Dataset(begin, UNKNOWN, spec=spec, kind="FlatMap", is_fixed=False)

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """The elements of several side by side, until the shortest ends."""
        given = datasets if datasets is not None else args[0] if len(args) == 1 else args
        parts = leaves(tuple(given) if isinstance(given, list) else given)
        given = tuple(given) if isinstance(given, list) else given
        if all(part._is_plain for part in parts):
            return Dataset._of_rows(Zipped(mapped(lambda part: part._rows, given)), "Zip")

        def begin() -> Iterator[Any]:
            runs = [part.values() for part in parts]
            for found in zip(*runs, strict=False):
                values = iter(found)
                yield mapped(lambda _, values=values: next(values), given)

        counts = [part._count for part in parts]
        known = [count for count in counts if count != INFINITE]
        count = UNKNOWN if UNKNOWN in counts else min(known, default=INFINITE)
        spec = Later(lambda: mapped(lambda part: part.element_spec, given))
        return Dataset(begin, count, spec=spec, kind="Zip", is_fixed=all(part._is_fixed for part in parts))

    @staticmethod
    def list_files(
        file_pattern: Any, shuffle: bool | None = None, seed: int | None = None, name: str | None = None
    ) -> Dataset:
        """The names of the files that a pattern, or several, fit; shuffled unless told otherwise."""
        patterns = np.atleast_1d(array_from(as_element(file_pattern)))
        found = sorted(name for each in patterns for name in glob.glob(os.fsdecode(each)))
        if not found:
            raise errors.InvalidArgumentError(
                "Dataset.list_files",
                expected="files",
                got=f"none for {file_pattern!r}",
                fix="Check the pattern.",
            )
        names = Dataset.from_tensor_slices(found)
        return names if shuffle is False else names.shuffle(len(found), seed)

    @staticmethod
    def counter(start: int = 0, step: int = 1, dtype: Any = dtypes.int64, name: str | None = None) -> Dataset:
        """Whole numbers without end."""
        kind = dtypes.as_dtype(dtype).dtype

        def begin() -> Iterator[Any]:
            return (np.asarray(number, kind) for number in itertools.count(start, step))

        return Dataset(begin, INFINITE, spec=TensorSpec((), dtype), kind="Counter")

    @staticmethod
    def sample_from_datasets(
        datasets: Any, weights: Any = None, seed: int | None = None, *args: Any, **keywords: Any
    ) -> Dataset:
        """Elements of several, each drawn from one of them."""
        number = seed_number(seed)
        begins = [each.values for each in datasets]
        return Dataset(
            lambda: streams.sampled(begins, weights, random.generator(number)),
            UNKNOWN,
            spec=Later(lambda: datasets[0].element_spec),
            kind="SampleFrom",
        )

    @staticmethod
    def choose_from_datasets(datasets: Any, choice_dataset: Any, *args: Any, **keywords: Any) -> Dataset:
        """Elements of several, in the order that a data set of numbers says."""

        def begin() -> Iterator[Any]:
            runs = [each.values() for each in datasets]
            for choice in choice_dataset.values():
                yield from itertools.islice(runs[int(choice)], 1)

        return Dataset(begin, UNKNOWN, spec=Later(lambda: datasets[0].element_spec), kind="ChooseFrom")

    # What makes other elements.

    def _stream(
        self, begin: Callable[[], Iterable[Any]], kind: str, *, spec: Any = None, count: int = UNKNOWN
    ) -> Dataset:
        """A data set whose elements are made one by one while it is run through."""
        return Dataset(begin, count, spec=spec, kind=kind, is_fixed=self._is_fixed)

    def batch(
        self,
        batch_size: Any,
        drop_remainder: Any = False,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """So many elements as one, laid out below each other; the last may have fewer."""
        size, drops = int(batch_size), bool(drop_remainder)
        many = self._count_batches("Dataset.batch", size, drops=drops)
        join: Any = streams.joined if self._rows is None else np.array if not self._lead else np.stack
        known = size if drops else None

        def begin() -> Iterator[Any]:
            return streams.batches(self._tickets(), size, drops=drops, join=join)

        if self._rows is None:
            spec = Later(lambda: batched_spec(self.element_spec, known))
            return self._stream(begin, "Batch", spec=spec, count=many)
        lead = (known, *self._lead)
        made = Dataset(begin, many, rows=self._rows, lead=lead, kind="Batch", is_fixed=self._is_fixed)
        if not self._lead:
            made._cut = (size, self, drops)
        return made

    def _count_batches(self, call: str, size: int, *, drops: bool) -> int:
        check_positive(call, "batch_size", size)
        if self._count < 0:
            return self._count
        return self._count // size if drops else -(-self._count // size)

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: Any = False,
        name: str | None = None,
    ) -> Dataset:
        """So many elements as one, the shorter ones filled up behind."""
        size, drops = int(batch_size), bool(drop_remainder)
        many = self._count_batches("Dataset.padded_batch", size, drops=drops)
        values = None if padding_values is None else as_element(padding_values)

        def join(group: list[Any]) -> Any:
            return streams.padded(group, padded_shapes, values)

        def find_spec() -> Any:
            sizes = None if padded_shapes is None else iter(streams.flat_shapes(padded_shapes))
            return mapped(
                lambda each: TensorSpec(
                    (size if drops else None, *(next(sizes) if sizes else [None] * len(each.shape))),
                    each.dtype,
                ),
                self.element_spec,
            )

        return self._stream(
            lambda: streams.batches(self.values(), size, drops=drops, join=join),
            "PaddedBatch",
            spec=Later(find_spec),
            count=many,
        )

    def unbatch(self, name: str | None = None) -> Dataset:
        """The rows of the elements as elements."""
        if self._rows is None or not self._lead:
            # Rows are all of one shape.
            first = leaves(self.element_spec)[0].shape if self._rows is not None else None
            length = first[0] if first else None
            many = UNKNOWN if length is None or self._count < 0 else self._count * length
            return self._stream(lambda: streams.unbatched(self.values()), "Unbatch", count=many)

        def begin() -> Iterator[Any]:
            return itertools.chain.from_iterable(self._tickets())

        many = self._cut[1]._count if self._cut and not self._cut[2] and self._kind == "Batch" else UNKNOWN
        lead = self._lead[1:]
        return Dataset(begin, many, rows=self._rows, lead=lead, kind="Unbatch", is_fixed=self._is_fixed)

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        synchronous: Any = None,
        use_unbounded_threadpool: Any = False,
        name: str | None = None,
    ) -> Dataset:
        """What a function gives for each element."""
        _check_callable("Dataset.map", map_func)
        source = self._by_row()
        if source._rows is None or source._lead:
            return self._mapped_one_by_one(map_func)
        rows = Filled(source._rows, map_func)
        made = Dataset(source._tickets, source._count, rows=rows, kind="Map", is_fixed=source._is_fixed)
        made._is_plain = source._is_plain
        return made

    def _mapped_one_by_one(self, function: Callable[..., Any]) -> Dataset:
        memory = mapping.Memory(function)

        def begin() -> Iterator[Any]:
            return map(memory.one, self.values())

        def find_spec() -> Any:
            return opened_spec(self.element_spec, spec_of(next(begin())))

        return self._stream(begin, "Map", spec=Later(find_spec), count=self._count)

    def _by_row(self) -> Dataset:
        """The same elements as rows, where they are windows of rows, cut alike each time."""
        if self._kind != "Windows" or not self._is_fixed or self._rows is None:
            return self
        tickets = list(self._tickets())
        if not tickets or len({ticket.shape for ticket in tickets}) > 1:
            return self
        return Dataset._of_rows(Indirect(self._rows, np.stack(tickets)), "Windows")

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements for which a function gives true."""
        _check_callable("Dataset.filter", predicate)
        if self._rows is None or self._lead:
            return self._stream(
                lambda: (each for each in self.values() if bool(mapping.one(predicate, each))),
                "Filter",
                spec=Later(lambda: self.element_spec),
            )
        chosen = Filled(self._rows, predicate)

        def begin() -> Iterator[Any]:
            rest = iter(self._tickets())
            while group := list(itertools.islice(rest, 256)):
                yield from itertools.compress(group, chosen.take(np.array(group)).tolist())

        return self._like(begin, UNKNOWN, "Filter")

    def enumerate(self, start: Any = 0, name: str | None = None) -> Dataset:
        """Each element with its number."""
        first = int(start)
        if self._is_plain and self._rows is not None:
            numbers = Table(np.arange(first, first + self._rows.count))
            return Dataset._of_rows(Zipped((numbers, self._rows)), "Zip")
        return self._stream(
            lambda: ((np.asarray(number), each) for number, each in enumerate(self.values(), first)),
            "Zip",
            spec=Later(lambda: (TensorSpec((), "int64"), self.element_spec)),
            count=self._count,
        )

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements until the first for which a function does not give true."""
        return self._stream(
            lambda: itertools.takewhile(lambda each: bool(mapping.one(predicate, each)), self.values()),
            "TakeWhile",
            spec=Later(lambda: self.element_spec),
        )

    def unique(self, name: str | None = None) -> Dataset:
        """Each value once, where it first stands."""

        def begin() -> Iterator[Any]:
            seen = set()
            for value in self.values():
                key = tuple(
                    np.asarray(part).tobytes() if part.dtype != object else part[()] for part in leaves(value)
                )
                if key not in seen:
                    seen.add(key)
                    yield value

        return self._stream(begin, "Unique", spec=Later(lambda: self.element_spec))

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: str | None = None) -> Any:
        """What is left when a function has put one element after the other to a state."""
        state = as_tensors(as_element(initial_state))
        for element in self:
            found = reduce_func(state, element)
            state = as_tensors(as_element(tuple(found) if isinstance(found, list) else found))
        return state

    def scan(self, initial_state: Any, scan_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """What a function gives for each element and the state it left with the one before."""

        def begin() -> Iterator[Any]:
            state = as_tensors(as_element(initial_state))
            for element in self:
                state, found = scan_func(state, element)
                state = as_tensors(as_element(state))
                yield as_element(found)

        return self._stream(begin, "Scan", count=self._count)

    # Data sets as elements.

    def window(
        self,
        size: Any,
        shift: Any = None,
        stride: Any = 1,
        drop_remainder: Any = False,
        name: str | None = None,
    ) -> Dataset:
        """Data sets of `size` elements each, the next of which begins `shift` elements later."""
        size, stride, drops = int(size), int(stride), bool(drop_remainder)
        shift = size if shift is None else int(shift)
        for what, value in {"size": size, "shift": shift, "stride": stride}.items():
            check_positive("Dataset.window", what, value)
        many = self._count
        if many >= 0:
            span = (size - 1) * stride + 1
            many = max(0, (many - span) // shift + 1) if drops else -(-many // shift)

        def begin() -> Iterator[Any]:
            groups = streams.windows(self._tickets(), size, shift, stride, drops=drops)
            return (self._window(group) for group in groups)

        return self._stream(begin, "Window", count=many)

    def _window(self, group: list[Any]) -> Any:
        """Some elements as a data set, or as one for each of their parts."""
        parts = self._parts(group)
        if isinstance(parts, Rows):
            return Dataset(lambda: group, len(group), rows=parts, lead=self._lead, kind="Variant")
        if self._rows is None:
            return mapped(lambda part: Dataset(lambda: part, len(part), kind="Variant"), parts)
        return mapped(
            lambda rows: Dataset(lambda: group, len(group), rows=rows, lead=self._lead, kind="Variant"), parts
        )

    def _parts(self, group: list[Any]) -> Any:
        """The rows of each part of an element, or lists of the parts of those in the group."""
        if self._rows is None:
            return mapped(lambda *parts: list(parts), *group)
        if self._rows_by_part is None:
            first, places = self._rows.row(0), itertools.count()
            is_single = not isinstance(first, (tuple, dict))
            rows = self._rows
            self._rows_by_part = rows if is_single else mapped(lambda _: Part(rows, next(places)), first)
        return self._rows_by_part

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements of the data sets that a function gives for each element."""
        _check_callable("Dataset.flat_map", map_func)

        def begin() -> Iterator[Dataset]:
            return (mapping.called(map_func, each) for each in self.values())

        first = next(begin(), None) if self._kind == "Window" and self._is_fixed else None
        if first is None or first._rows is None or not first._is_fixed:
            return self._stream(
                lambda: itertools.chain.from_iterable(each.values() for each in begin()),
                "FlatMap",
                spec=Later(lambda: next(begin()).element_spec),
            )

        def tickets() -> Iterator[Any]:
            # Windows of rows, put together again: the numbers of the rows say it all.
            return itertools.chain.from_iterable(each._tickets() for each in begin())

        kind = "Windows" if first._lead else "FlatMap"
        return Dataset(tickets, UNKNOWN, rows=first._rows, lead=first._lead, kind=kind)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """The elements of the data sets that a function gives, of several in turn."""
        _check_callable("Dataset.interleave", map_func)
        cycle = (
            int(cycle_length) if cycle_length is not None and int(cycle_length) > 0 else os.cpu_count() or 1
        )
        block = 1 if block_length is None else int(block_length)

        def inner(element: Any) -> Iterator[Any]:
            found: Iterator[Any] = mapping.called(map_func, element).values()
            return found

        return self._stream(lambda: streams.interleaved(self.values(), inner, cycle, block), "Interleave")


def _check_callable(call: str, function: Any) -> None:
    if not callable(function):
        raise errors.InvalidArgumentError(
            call, expected="a function", got=repr(function), fix="For example lambda x: x * 2."
        )


def _signature(types: Any, shapes: Any) -> Any:
    """The description of elements from their types, and their shapes where those are given."""
    if isinstance(types, (tuple, dict)):
        if shapes is None:
            return mapped(lambda dtype: TensorSpec(None, dtype), types)
        if isinstance(types, dict):
            return {key: _signature(types[key], shapes[key]) for key in types}
        return tuple(_signature(*pair) for pair in zip(types, shapes, strict=True))
    return TensorSpec(shapes, types)


def _in_form(spec: Any, element: Any) -> Any:
    """What a generator gave, in the structure of its description: lists in the place of tuples, too."""
    if isinstance(spec, tuple):
        if not isinstance(element, (tuple, list)) or len(element) != len(spec):
            raise TypeError(
                f"`generator` yielded an element that did not match the expected structure. The expected "
                f"structure was {spec}, but the yielded element was {element}."
            )
        return tuple(_in_form(*pair) for pair in zip(spec, element, strict=True))
    if isinstance(spec, dict):
        return {key: _in_form(spec[key], element[key]) for key in spec}
    return [element]


def _fitting(spec: TensorSpec, wrapped: list[Any]) -> np.ndarray:
    """What a generator gave, as an array of the described type and shape."""
    value = wrapped[0]
    array = array_from(value.host if isinstance(value, Tensor) else value, spec.dtype)
    if spec.shape is not None and not spec.shape.is_compatible_with(array.shape):
        raise errors.InvalidArgumentError(
            "Dataset.from_generator",
            expected=f"elements of the shape {tuple(spec.shape)}",
            got=str(array.shape),
            fix="Write None in output_signature for lengths that differ.",
        )
    return array
