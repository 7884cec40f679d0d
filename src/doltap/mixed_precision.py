"""How a program computes in half precision and keeps its weights in full: a door."""

from doltap import doors
from doltap.dtypes import DTypePolicy, dtype_policy, set_dtype_policy
from doltap.dtypes import DTypePolicy as Policy
from doltap.dtypes import dtype_policy as global_policy
from doltap.dtypes import set_dtype_policy as set_global_policy
from doltap.optimizers import LossScaleOptimizer

__all__ = ["DTypePolicy", "LossScaleOptimizer", "Policy", "dtype_policy", "global_policy"]
__all__ += ["set_dtype_policy", "set_global_policy"]

doors.guard(__name__)
