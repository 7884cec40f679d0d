"""The array functions of a Keras program, over JAX: a door.

Every function takes arrays, lists and numbers and gives arrays of the device.
A symbolic tensor among the arguments notes the call down instead.
"""

from doltap import doors
from doltap.ops import linalg, nn, numpy
from doltap.ops.arithmetic import *
from doltap.ops.arrangement import *
from doltap.ops.control import *
from doltap.ops.conversion import *
from doltap.ops.convolution import *
from doltap.ops.creation import *
from doltap.ops.curves import *
from doltap.ops.elementwise import *
from doltap.ops.fourier import *
from doltap.ops.linalg import *
from doltap.ops.networks import *
from doltap.ops.products import *
from doltap.ops.protocol import class_name_of, names
from doltap.ops.reductions import *
from doltap.ops.selection import *

doors.guard(__name__)
