"""Fashion-MNIST: 70,000 small grey pictures of clothes in ten classes.

What `load_data` gives is the published data, or the user's own files from
`$DOLTAP_DATASETS`, and never anything else in its place.
"""

from __future__ import annotations

from doltap import doors
from doltap.datasets import fetching, idx

__all__ = ["load_data"]

# Length and digest of what each file unpacks to.
_CONTENTS = (
    (47040016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
    (60008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    (7840016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    (10008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
)
_FILES = [
    fetching.PinnedFile(f"fashion-mnist/{name}.gz", f"{name}.gz", num_bytes, sha256)
    for name, (num_bytes, sha256) in zip(idx.FILE_NAMES, _CONTENTS, strict=True)
]


def load_data() -> idx.Split:
    """Fashion-MNIST as `((x_train, y_train), (x_test, y_test))`, as Keras 3.

    Images are uint8 of shape (60000, 28, 28) and (10000, 28, 28), labels uint8
    from 0 to 9: T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt,
    Sneaker, Bag, Ankle boot.

    The four files are looked for in `$DOLTAP_DATASETS` or its subfolder
    `fashion-mnist` (plain or .gz, not checked against the published digests),
    then in the user's cache, Keras's cache and Debian's folder, and are
    downloaded if they are nowhere.

    Raises:
        DatasetError: a file can be neither found nor fetched, or one of the
            user's own is not what it should be.
    """
    own = fetching.own_files(idx.FILE_NAMES, ("", "fashion-mnist"))
    if own is not None:
        return idx.split([fetching.own_content(path) for path in own], own)
    contents = [fetching.content_of(file) for file in _FILES]
    return idx.split(contents, [file.name for file in _FILES])


doors.guard(__name__)
