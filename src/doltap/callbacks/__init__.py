"""What happens between the steps: callbacks listen to training and may steer it."""

from doltap import doors
from doltap.callbacks.averages import SwapEMAWeights
from doltap.callbacks.callback import Callback
from doltap.callbacks.callback_list import CallbackList, History
from doltap.callbacks.checkpoints import BackupAndRestore, ModelCheckpoint
from doltap.callbacks.diagnose import Diagnose
from doltap.callbacks.functions import LambdaCallback
from doltap.callbacks.live import LivePlot
from doltap.callbacks.planned import RemoteMonitor
from doltap.callbacks.progress import ProgbarLogger
from doltap.callbacks.rates import LearningRateScheduler, ReduceLROnPlateau
from doltap.callbacks.recording import CSVLogger
from doltap.callbacks.stopping import EarlyStopping, TerminateOnNaN
from doltap.callbacks.tensorboard import HParams, TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "Diagnose",
    "EarlyStopping",
    "HParams",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "LivePlot",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]

doors.guard(__name__, "callback")
