"""The operations that NumPy has, too: a door, as `keras.ops.numpy`."""

from doltap import doors
from doltap.ops.arithmetic import *
from doltap.ops.arrangement import *
from doltap.ops.conversion import array, ndim, size, view
from doltap.ops.creation import *
from doltap.ops.elementwise import *
from doltap.ops.products import *
from doltap.ops.reductions import *
from doltap.ops.selection import *

doors.guard(__name__)
