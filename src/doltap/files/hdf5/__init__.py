"""HDF5: groups, attributes and arrays of plain types, read with care and written as Keras reads them."""

from doltap.files.hdf5.file import read_hdf5, verify_hdf5, write_hdf5
from doltap.files.hdf5.tree import Group

__all__ = ["Group", "read_hdf5", "verify_hdf5", "write_hdf5"]
