"""`tf.train`: records and checkpoints; what else stood there has moved to Keras, and its name says where."""

from doltap.compat.tensorflow import lacking
from doltap.compat.tensorflow.checkpoints import (
    Checkpoint,
    CheckpointManager,
    get_checkpoint_state,
    latest_checkpoint,
)
from doltap.compat.tensorflow.records import (
    BytesList,
    Example,
    Feature,
    FeatureList,
    FeatureLists,
    Features,
    FloatList,
    Int64List,
    SequenceExample,
)

__all__ = ["BytesList", "Checkpoint", "CheckpointManager", "Example", "Feature", "FeatureList"]
__all__ += ["FeatureLists", "Features", "FloatList", "Int64List", "SequenceExample"]
__all__ += ["get_checkpoint_state", "latest_checkpoint"]

lacking.guard(__name__)
