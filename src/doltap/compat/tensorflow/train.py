"""`tf.train`: what stood there has moved to Keras; each name says where."""

from doltap.compat.tensorflow import lacking

__all__: list[str] = []

lacking.guard(__name__)
