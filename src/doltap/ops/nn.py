"""The operations that networks are made of: a door, as `keras.ops.nn`."""

from doltap import doors
from doltap.ops.convolution import *
from doltap.ops.curves import *
from doltap.ops.elementwise import polar
from doltap.ops.networks import *

doors.guard(__name__)
