"""What programs written for TensorFlow find under `tensorflow`: an eager tensor, and names round it."""

from doltap.compat.tensorflow import (
    config,
    data,
    debugging,
    dtypes,
    errors,
    feature_column,
    io,
    lacking,
    linalg,
    lookup,
    math,
    nest,
    nn,
    ragged,
    random,
    sets,
    sparse,
    strings,
    summary,
    test,
    train,
)
from doltap.compat.tensorflow.arithmetic import *
from doltap.compat.tensorflow.arranging import *
from doltap.compat.tensorflow.control import *
from doltap.compat.tensorflow.creating import *
from doltap.compat.tensorflow.debugging import Assert, assert_equal, assert_greater, assert_less, assert_rank
from doltap.compat.tensorflow.dtypes import *
from doltap.compat.tensorflow.functions import *
from doltap.compat.tensorflow.functions import __version__, elsewhere, newaxis
from doltap.compat.tensorflow.io import read_file
from doltap.compat.tensorflow.linalg import einsum, norm, tensordot
from doltap.compat.tensorflow.ragged import RaggedTensor
from doltap.compat.tensorflow.reducing import *
from doltap.compat.tensorflow.sparse import IndexedSlices, SparseTensor
from doltap.compat.tensorflow.strings import as_string
from doltap.compat.tensorflow.tape import GradientTape, UnconnectedGradients
from doltap.compat.tensorflow.tensor import Tensor
from doltap.compat.tensorflow.variables import Variable, VariableAggregation, VariableSynchronization

lacking.guard(__name__, elsewhere)
