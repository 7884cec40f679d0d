"""Where batches come from, how they are cut into blocks, and what is read ahead."""

import threading

import numpy as np
import pytest

from doltap.errors import DataError, NotSupportedError
from doltap.training import feeds
from doltap.training.batches import Rows, is_feed
from doltap.training.feeds import Block, Feed, PyDataset


def rows_of(parts, of):
    return Rows(np.asarray(parts[0]), np.asarray(parts[1]))


def batch(number, rows=2):
    return np.full((rows, 1), number, np.float32), np.full((rows, 1), -number, np.float32)


def feed_of(data, num_steps=None, **options):
    return Feed(
        feeds.source(data, None, None, 2, 0, shuffle=options.get("shuffle", False)), rows_of, num_steps
    )


def numbers_of(feed, epoch):
    return [float(rows.x[0, 0]) for rows in feed.epoch(epoch)]


class Numbered(PyDataset):
    def __init__(self, count, **options):
        super().__init__(**options)
        self.count, self.threads, self.read = count, set(), []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.threads.add(threading.get_ident())
        self.read.append(index)
        return batch(index)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (np.ones(3), False),
        ([1, 2], False),
        ((1, 2), False),
        ({"a": 1}, False),
        (None, False),
        ("text", False),
        (iter([1]), True),
        (range(3), True),
        ((n for n in [1]), True),
        (Numbered(1), True),
    ],
)
def test_what_comes_batch_by_batch_is_told_from_arrays(data, wanted):
    assert is_feed(data) is wanted


def test_the_first_batch_is_looked_at_and_given_all_the_same():
    feed = feed_of(batch(n) for n in range(3))
    assert float(feed.first.x[0, 0]) == 0
    assert numbers_of(feed, 0) == [0, 1, 2]


def test_a_generator_goes_on_and_a_list_of_batches_begins_again():
    going = feed_of((batch(n) for n in range(4)), 2)
    assert [numbers_of(going, epoch) for epoch in range(2)] == [[0, 1], [2, 3]]
    again = feed_of(Numbered(3, workers=0), 2)
    with pytest.warns(UserWarning, match="1 of 2"):
        assert [numbers_of(again, epoch) for epoch in range(3)] == [[0, 1], [2], [0, 1]]
    assert not again.ran_out


def test_lengths_are_known_where_they_can_be():
    assert feed_of(Numbered(3)).num_batches == 3
    assert feed_of(Numbered(3), 2).num_batches == 2
    assert feed_of(batch(n) for n in range(3)).num_batches is None


def test_equal_batches_come_in_blocks_and_others_in_their_own():
    sizes = [2, 2, 3, 3, 3, 1]
    feed = feed_of(batch(n, size) for n, size in enumerate(sizes))
    blocks = [(block.count, block.layout.rows) for block in feed.blocks(0)]
    assert blocks == [(2, 2), (3, 3), (1, 1)]


def test_a_block_is_filled_up_so_that_one_program_serves_all():
    rows = [Rows(*batch(n)) for n in range(2)]
    block = Block(rows, 4)
    assert (block.count, block.layout.num_batches, block.layout.num_rows) == (2, 4, 8)
    assert np.asarray(block.data[0])[:4, 0].tolist() == [0, 0, 1, 1]


def test_blocks_of_one_ask_for_the_next_batch_only_when_they_are_done():
    given = []

    def generator():
        for number in range(4):
            given.append(number)
            yield batch(number)

    feed = feed_of(generator())
    seen = [(block.count, len(given)) for block in feed.blocks(0, 1)]
    assert seen == [(1, 1), (1, 2), (1, 3), (1, 4)]


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_read_ahead_and_keep_the_order(workers):
    data = Numbered(12, workers=workers, max_queue_size=4)
    assert numbers_of(feed_of(data), 0) == list(range(12))
    assert threading.get_ident() not in data.threads
    assert len(data.threads) <= workers


def test_without_workers_the_training_thread_reads():
    data = Numbered(3, workers=0)
    numbers_of(feed_of(data), 0)
    assert data.threads == {threading.get_ident()}
    assert data.read == [0, 1, 2]


def test_no_more_is_read_ahead_than_was_said():
    data = Numbered(100, workers=1, max_queue_size=3)
    batches = feed_of(data).epoch(0)
    next(batches)
    batches.close()
    assert len(data.read) <= 6


def test_a_data_set_that_lacks_its_methods_says_so():
    class Empty(PyDataset):
        def __len__(self):
            return 2

    with pytest.raises(NotSupportedError, match="__getitem__"):
        feed_of(Empty(workers=0))

    class Lengthless(PyDataset):
        def __getitem__(self, index):
            return batch(index)

    with pytest.raises(NotSupportedError, match="__len__"):
        feed_of(Lengthless())


def test_an_object_of_keras_2_with_the_methods_of_a_sequence_is_one():
    class Old:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return batch(index)

        def on_epoch_end(self):
            self.ended = True

    data = Old()
    assert numbers_of(feed_of(data), 0) == [0, 1, 2]
    assert data.ended


def test_nothing_at_all_is_refused():
    with pytest.raises(DataError, match="at least one batch"):
        feed_of(iter(()))
