"""Every module path that Keras programs import from, and every name of NumPy that is gone: what they are now.

Only data, as in `old_names`. `compat` applies it to programs that are run
under the aliases; nothing here changes anything elsewhere.
"""

from __future__ import annotations

__all__ = ["BACKEND", "CALLED", "GONE", "LIBRARIES", "LIBRARY_THINGS", "NUMPY", "PACKAGES", "PLACES"]
__all__ += ["PREFIXES", "ROOTS", "THINGS", "VERSIONS"]

# The packages that are answered for; any other one is left to Python.
ROOTS = frozenset(
    ["keras", "numpy", "scikeras", "sklearn", "tensorboard", "tensorflow", "tensorflow_core", "tf_keras"],
)

# What `__version__` says: the Keras that came with the TensorFlow whose names are here.
VERSIONS = {
    "keras": "3.3.3+doltap",
    "scikeras": "0.13.0+doltap",
    "tensorflow": "2.16.1+doltap",
    "tensorflow.compat.v1": "2.16.1+doltap",
}

# the beginning of a path -> that of today; the longest one counts
PREFIXES: dict[str, str] = {
    "keras._tf_keras": "keras",
    "keras._tf_keras.keras": "keras",
    "keras.api": "keras",
    "keras.api._v1.keras": "keras",
    "keras.api._v2.keras": "keras",
    "keras.legacy.preprocessing": "keras.preprocessing",
    "keras.src": "keras",
    "keras.src.legacy.preprocessing": "keras.preprocessing",
    "keras.src.legacy.saving": "keras.saving",
    "tensorflow.compat.v1.keras": "keras",
    "tensorflow.compat.v2": "tensorflow",
    "tensorflow.compat.v2.keras": "keras",
    "tensorflow.contrib.keras": "keras",
    "tensorflow.contrib.keras.api.keras": "keras",
    "tensorflow.contrib.keras.python.keras": "keras",
    "tensorflow.keras": "keras",
    "tensorflow.python.keras": "keras",
    "tensorflow.python.keras.api._v1.keras": "keras",
    "tensorflow.python.keras.api._v2.keras": "keras",
    "tensorflow_core": "tensorflow",
    "tensorflow_core._api.v2": "tensorflow",
    "tensorflow_core.keras": "keras",
    "tensorflow_core.python.keras": "keras",
    "tf_keras": "keras",
    "tf_keras.api._v2.keras": "keras",
    "tf_keras.src": "keras",
}

_LAYERS = """
    activation advanced_activations attention containers convolutional convolutional_recurrent core
    cudnn_recurrent dense_attention einsum_dense embeddings experimental experimental.preprocessing kernelized
    local
    locally_connected merging multi_head_attention noise normalization normalization_v2 ops pooling
    preprocessing recurrent recurrent_v2 regularization reshaping rnn serialization wrappers
"""
_OPTIMIZERS = """
    adadelta_v2 adagrad_v2 adam_v2 adamax_v2 experimental ftrl gradient_descent_v2 legacy nadam_v2
    optimizer_experimental optimizer_v1 optimizer_v2 rmsprop_v2
"""
_RULES = "adadelta adagrad adam adamax ftrl nadam rmsprop"
_RULES_OF_2 = f"{_RULES} gradient_descent learning_rate_schedule optimizer_v2"
_APPLICATIONS = """
    convnext densenet efficientnet efficientnet_v2 imagenet_utils inception_resnet_v2 inception_v3 mobilenet
    mobilenet_v2 mobilenet_v3 nasnet resnet resnet50 resnet_v2 vgg16 vgg19 xception
"""
_DATASETS = "boston_housing california_housing cifar10 cifar100 fashion_mnist imdb mnist reuters"
_SAME = """
    activations applications callbacks config constraints datasets distillation distribution dtype_policies
    initializers layers losses metrics mixed_precision models ops ops.image ops.linalg ops.nn ops.numpy
    optimizers optimizers.schedules preprocessing preprocessing.image preprocessing.sequence quantizers random
    regularizers saving tree utils visualization
"""


def _below(place: str, names: str, modules: str) -> dict[str, str]:
    return {f"{place}.{name}": modules for name in names.split()}


# path of a module -> modules of doltap in which its names are looked for, in this order; "." is doltap itself
PLACES: dict[str, str] = {
    "keras": ".",
    **{f"keras.{name}": name for name in _SAME.split()},
    **{f"keras.datasets.{name}": f"datasets.{name}" for name in _DATASETS.split()},
    **{f"keras.applications.{name}": f"applications.{name}" for name in _APPLICATIONS.split()},
    **_below("keras.layers", _LAYERS, "layers"),
    **_below("keras.optimizers", f"{_OPTIMIZERS} {_RULES} sgd", "optimizers optimizers.schedules"),
    **_below("keras.optimizers.legacy", _RULES_OF_2, "optimizers optimizers.schedules"),
    **_below("keras.optimizers.optimizer_v2", _RULES_OF_2, "optimizers optimizers.schedules"),
    **_below("keras.optimizer_v2", _RULES_OF_2, "optimizers optimizers.schedules"),
    "keras.backend": "compat.keras_backend backend",
    "keras.backend.common": "compat.keras_backend backend",
    "keras.backend.experimental": "backend compat.keras_backend",
    "keras.backend.tensorflow_backend": "compat.keras_backend backend",
    "keras.backend.theano_backend": "compat.keras_backend backend",
    "keras.callbacks.callbacks": "callbacks",
    "keras.callbacks.experimental": "callbacks",
    "keras.callbacks.tensorboard_v1": "callbacks",
    "keras.callbacks.tensorboard_v2": "callbacks",
    "keras.callbacks_v1": "callbacks",
    "keras.datasets.california_housing": "datasets.california_housing",
    "keras.engine": "layers models utils",
    "keras.engine.base_layer": "layers",
    "keras.engine.data_adapter": "utils",
    "keras.engine.functional": "models layers",
    "keras.engine.input_layer": "layers",
    "keras.engine.input_spec": "layers",
    "keras.engine.keras_tensor": ".",
    "keras.engine.network": "models layers",
    "keras.engine.saving": "models",
    "keras.engine.sequential": "models",
    "keras.engine.topology": "layers models utils",
    "keras.engine.training": "models",
    "keras.engine.training_utils": "models utils",
    "keras.experimental": "optimizers.schedules layers",
    "keras.initializations": "initializers",
    "keras.initializers.initializers_v1": "initializers",
    "keras.initializers.initializers_v2": "initializers",
    "keras.layers.merge": "layers compat.keras_things",
    "keras.legacy": "layers models",
    "keras.legacy.layers": "layers compat.keras_things",
    "keras.legacy.models": "models",
    "keras.legacy_tf_layers": "layers",
    "keras.losses_utils": "losses",
    "keras.metrics.experimental": "metrics",
    "keras.mixed_precision.experimental": "mixed_precision dtype_policies",
    "keras.models.experimental": "models",
    "keras.objectives": "losses",
    "keras.optimizer_v1": "optimizers",
    "keras.optimizer_v2": "optimizers optimizers.schedules",
    "keras.premade": "models",
    "keras.premade_models": "models",
    "keras.preprocessing.text": "compat.texts",
    "keras.preprocessing.timeseries": "preprocessing",
    "keras.saving.hdf5_format": "saving models",
    "keras.saving.legacy": "saving models",
    "keras.saving.object_registration": "saving",
    "keras.saving.pickle_utils": "saving",
    "keras.saving.save": "saving models",
    "keras.saving.saved_model": "saving models",
    "keras.saving.saved_model_experimental": "saving models",
    "keras.saving.saving_api": "saving",
    "keras.saving.saving_lib": "saving",
    "keras.saving.serialization_lib": "saving",
    "keras.utils.all_utils": "utils",
    "keras.utils.conv_utils": "utils",
    "keras.utils.data_utils": "utils",
    "keras.utils.dataset_utils": "utils",
    "keras.utils.experimental": "utils",
    "keras.utils.generic_utils": "utils",
    "keras.utils.image_dataset": "utils",
    "keras.utils.image_utils": "utils",
    "keras.utils.io_utils": "utils",
    "keras.utils.layer_utils": "utils",
    "keras.utils.legacy": "utils",
    "keras.utils.losses_utils": "losses",
    "keras.utils.metrics_utils": "metrics utils",
    "keras.utils.multi_gpu_utils": "utils",
    "keras.utils.np_utils": "utils",
    "keras.utils.test_utils": "utils",
    "keras.utils.tf_utils": "utils",
    "keras.utils.training_utils": "utils",
    "keras.utils.vis_utils": "utils",
    "keras.utils.visualize_util": "utils",
    "keras.wrappers": "wrappers",
    "keras.wrappers.scikit_learn": "wrappers.scikit_learn wrappers",
    "scikeras": "wrappers",
    "scikeras.wrappers": "wrappers.scikeras wrappers",
    "tensorflow": "compat.tensorflow compat.sessions",
    "tensorflow.compat": "",
    "tensorflow.compat.v1": "compat.sessions compat.tensorflow",
    "tensorflow.compat.v1.train": "compat.tensorflow.train compat.first_optimizers",
    "tensorflow.contrib": "",
    "tensorflow.python": "",
    "tensorflow.python.client": "",
    "tensorflow.python.client.device_lib": "compat.sessions",
    "tensorflow.python.framework": "",
    "tensorflow.python.framework.ops": "compat.sessions compat.tensorflow",
    "tensorflow.python.ops": "",
    "tensorflow.python.ops.math_ops": "compat.tensorflow",
    "tensorflow.train": "compat.tensorflow.train compat.first_optimizers",
}

# Modules that were, or became, functions of the same name: `optimizers.adam(lr=0.1)`.
CALLED = frozenset(["keras.layers.merge", *_below("keras.optimizers", f"{_RULES} sgd", "")])

# a name that its place has no more -> the thing of doltap
THINGS: dict[str, str] = {
    "keras.engine.Network": "models.Model",
    "keras.engine.functional.Functional": "models.Model",
    "keras.engine.network.Network": "models.Model",
    "keras.engine.topology.Container": "models.Model",
    "keras.engine.topology.Network": "models.Model",
    "keras.layers.containers.Sequential": "models.Sequential",
    "keras.layers.DenseFeatures": "compat.tensorflow.dense_features.DenseFeatures",
    "keras.layers.ThresholdedReLU": "layers.ThresholdedReLU",
    "keras.layers.advanced_activations.ThresholdedReLU": "layers.ThresholdedReLU",
    "keras.layers.experimental.preprocessing.PreprocessingLayer": "layers.Layer",
    "keras.legacy.models.Sequential": "models.Sequential",
    "keras.losses.Reduction": "compat.keras_things.Reduction",
    "keras.models.Functional": "models.Model",
    "keras.models.Input": "layers.Input",
    "keras.models.Layer": "layers.Layer",
    "keras.saving.model_from_json": "models.model_from_json",
    "keras.utils.losses_utils.ReductionV2": "compat.keras_things.Reduction",
    "keras.utils.data_utils.get_file": "compat.keras_things.get_file",
    "keras.utils.get_file": "compat.keras_things.get_file",
    "keras.utils.generic_utils.deserialize_keras_object": "utils.deserialize_keras_object",
    "keras.utils.model_to_dot": "compat.keras_things.model_to_dot",
    "keras.utils.plot_model": "compat.keras_things.plot_model",
    "keras.utils.vis_utils.model_to_dot": "compat.keras_things.model_to_dot",
    "keras.utils.vis_utils.plot_model": "compat.keras_things.plot_model",
    "keras.utils.visualize_util.plot": "compat.keras_things.plot_model",
    "tensorflow.constant_initializer": "initializers.Constant",
    "tensorflow.ones_initializer": "initializers.Ones",
    "tensorflow.random_normal_initializer": "initializers.RandomNormal",
    "tensorflow.random_uniform_initializer": "initializers.RandomUniform",
    "tensorflow.zeros_initializer": "initializers.Zeros",
}

_GRAPHS = (
    "TensorFlow 1 planned its work as a graph and ran it in a session; here every line computes at once."
)

# a path -> why nothing does its work here, and what to do instead
GONE: dict[str, str] = {
    "keras.applications": "Large networks that others have trained are downloads; train small ones.",
    "keras.backend.ctc_batch_cost": "keras.losses.CTC comes with the recurrent layers.",
    "keras.backend.ctc_decode": "It comes with the recurrent layers.",
    "keras.backend.ctc_label_dense_to_sparse": "It comes with the recurrent layers.",
    "keras.backend.disable_tf_random_generator": "Random numbers come from JAX; leave it out.",
    "keras.backend.enable_tf_random_generator": "Random numbers come from JAX; leave it out.",
    "keras.backend.is_tf_random_generator_enabled": "Random numbers come from JAX.",
    "keras.backend.local_conv1d": "Keras 3 has it no more either; conv1d shares what it kept apart.",
    "keras.backend.local_conv2d": "Keras 3 has it no more either; conv2d shares what it kept apart.",
    "keras.backend.rnn": "jax.lax.scan runs a step over a sequence.",
    "keras.callbacks.SidecarEvaluatorModelExport": "fit evaluates on validation_data itself.",
    "keras.callbacks.UpdateEmbeddingCallback": "adapt a StringLookup before training; its vocabulary stays.",
    "keras.constraints.RadialConstraint": "It was for kernels of images; write a Constraint of your own.",
    "keras.constraints.radial_constraint": "It was for kernels of images; write a Constraint of your own.",
    "keras.datasets.cifar": "keras.datasets.cifar10 and cifar100 are its two halves.",
    "keras.distribute": "A program on one device needs no strategy; leave the `with strategy.scope():` out.",
    "keras.dtensor": "A program on one device needs no layout; leave it out.",
    "keras.engine.topology.Merge": "Call layers.concatenate([a, b]), layers.add([a, b]) and the like.",
    "keras.estimator": "It ran models in TensorFlow 1; call fit and evaluate of the model.",
    "keras.experimental.LinearModel": "It is one Dense(1) on all columns, without an activation.",
    "keras.experimental.PeepholeLSTMCell": "No library has it any more; LSTM does as well on most data.",
    "keras.experimental.SequenceFeatures": "Feature columns are gone; utils.FeatureSpace prepares columns.",
    "keras.experimental.SidecarEvaluator": "fit evaluates on validation_data itself.",
    "keras.experimental.WideDeepModel": "Add the output of a Dense(1) on the wide columns to that of a deep "
    "network: keras.layers.add([wide, deep]), in a Functional model of two inputs.",
    "keras.experimental.export_saved_model": "model.export(path) writes what other programs run.",
    "keras.experimental.load_from_saved_model": "keras.models.load_model(path) reads .keras and .h5 files.",
    "keras.experimental.terminate_keras_multiprocessing_pools": "There are no such pools; leave it out.",
    "keras.feature_column": "Write tf.feature_column; keras.layers.DenseFeatures takes what it makes.",
    "keras.layers.AbstractRNNCell": "Recurrent layers come after those for images.",
    "keras.layers.AutoEncoder": "A Sequential of the encoder's layers and the decoder's, fitted on x and x.",
    "keras.layers.CuDNNGRU": "keras.layers.GRU chooses the fast program itself.",
    "keras.layers.CuDNNLSTM": "keras.layers.LSTM chooses the fast program itself.",
    "keras.layers.DynamicEmbedding": "StringLookup, adapted before training, and Embedding do it.",
    "keras.layers.DynamicLookup": "StringLookup, adapted before training, does it.",
    "keras.layers.LambdaMerge": "Call keras.layers.Lambda(function)([a, b]).",
    "keras.layers.LocallyConnected1D": "Keras 3 has it no more either; Conv1D shares what it kept apart.",
    "keras.layers.LocallyConnected2D": "Keras 3 has it no more either; Conv2D shares what it kept apart.",
    "keras.layers.RandomFourierFeatures": "Keras 3 has it no more; scikit-learn's RBFSampler does it.",
    "keras.layers.RandomHeight": "Changing images at random comes with the layers for images.",
    "keras.layers.RandomWidth": "Changing images at random comes with the layers for images.",
    "keras.layers.Recurrent": "keras.layers.RNN(cell) is what recurrent layers are made of today.",
    "keras.legacy.interfaces": "The layers of today understand the old keywords themselves.",
    "keras.metrics.MeanTensor": "A Metric of your own: keep a sum and a count with add_variable.",
    "keras.metrics.accuracy": "keras.metrics.Accuracy counts equal values.",
    "keras.metrics.PyMetric": "A Metric of your own does it; compile(run_eagerly=True) lets it use Python.",
    "keras.models.Graph": "It became the Functional model: Model(inputs=..., outputs=...).",
    "keras.models.SharpnessAwareMinimization": "Write it as a Model with a train_step of your own.",
    "keras.preprocessing.sequence.TimeseriesGenerator": "numpy's sliding_window_view makes the windows.",
    "keras.preprocessing.sequence.make_sampling_table": "It was for word2vec, which Keras 3 has no more.",
    "keras.preprocessing.sequence.skipgrams": "It was for word2vec, which Keras 3 has no more.",
    "keras.utils.DatasetCreator": "fit takes the data set itself.",
    "keras.utils.GeneratorEnqueuer": "fit takes the generator itself.",
    "keras.utils.OrderedEnqueuer": "fit takes the Sequence itself.",
    "keras.utils.SequenceEnqueuer": "fit takes the Sequence itself.",
    "keras.utils.SidecarEvaluator": "fit evaluates on validation_data itself.",
    "keras.utils.StepsPerExecutionTuner": "fit chooses itself how many steps are one call.",
    "keras.utils.TimedThread": "threading.Timer does it.",
    "keras.utils.convert_all_kernels_in_model": "It was for Theano's way of storing images; leave it out.",
    "keras.utils.get_test_data": "sklearn.datasets.make_classification and make_regression make such data.",
    "keras.utils.print_summary": "model.summary() prints it.",
    "keras.utils.to_ordinal": "(np.arange(num_classes - 1) < y[:, None]).astype(float) does it.",
    "keras.utils.warmstart_embedding_matrix": "Copy the rows whose words stay: layer.set_weights([matrix]).",
    "tensorflow.contrib": "It ended with TensorFlow 1. " + _GRAPHS,
    "tensorflow.examples": "The tutorials of TensorFlow 1; keras.datasets.mnist.load_data() reads MNIST.",
}

# a module of another library that is gone -> where its things are
LIBRARIES: dict[str, str] = {
    "sklearn.cross_validation": "sklearn.model_selection",
    "sklearn.externals.joblib": "joblib",
    "sklearn.externals.six": "six",
    "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.learning_curve": "sklearn.model_selection",
    "sklearn.neural_network.multilayer_perceptron": "sklearn.neural_network",
}

# a thing that a library has no more -> that of doltap
LIBRARY_THINGS: dict[str, str] = {
    "sklearn.datasets.load_boston": "compat.sklearn_things.load_boston",
}

_TUNER = "doltap.tune does it: tune.RandomizedSearchCV(build_model, space, n_iter=10).fit(x, y)."

# a package that computes with TensorFlow itself -> what does its work here
PACKAGES: dict[str, str] = {
    "keras_tuner": _TUNER,
    "kerastuner": _TUNER,
    "tensorflow_addons": "keras.optimizers, keras.losses and keras.metrics have much of it: AdamW, F1Score.",
    "tensorflow_datasets": "keras.datasets and sklearn.datasets have small ones; tf.data reads your files.",
    "tensorflow_docs": "pandas.DataFrame(history.history).plot() draws the curves; leave EpochDots() out.",
    "tensorflow_hub": "Large networks that others have trained are downloads; train small ones.",
    "tensorflow_probability": "tf.random draws numbers; scipy.stats and jax.scipy.stats know distributions.",
}

# name that NumPy had -> what to write today; "np." stands for NumPy, the rest for Python
NUMPY: dict[str, str] = {
    "AxisError": "np.exceptions.AxisError",
    "ComplexWarning": "np.exceptions.ComplexWarning",
    "DataSource": "np.lib.npyio.DataSource",
    "Inf": "np.inf",
    "Infinity": "np.inf",
    "NAN": "np.nan",
    "NINF": "-np.inf",
    "NZERO": "-0.0",
    "NaN": "np.nan",
    "PINF": "np.inf",
    "PZERO": "0.0",
    "RankWarning": "np.exceptions.RankWarning",
    "TooHardError": "np.exceptions.TooHardError",
    "VisibleDeprecationWarning": "np.exceptions.VisibleDeprecationWarning",
    "alen": "len(a)",
    "alltrue": "np.all",
    "asfarray": "np.asarray(a, dtype=float)",
    "asscalar": "a.item()",
    "bool": "bool",
    "bool8": "np.bool_",
    "bytes0": "np.bytes_",
    "byte_bounds": "np.lib.array_utils.byte_bounds",
    "cfloat": "np.complex128",
    "clongfloat": "np.clongdouble",
    "complex": "complex",
    "complex_": "np.complex128",
    "cumproduct": "np.cumprod",
    "fastCopyAndTranspose": "a.T.copy()",
    "find_common_type": "np.result_type(*types)",
    "float": "float",
    "float_": "np.float64",
    "in1d": "np.isin(a.ravel(), b)",
    "infty": "np.inf",
    "int": "int",
    "int0": "np.intp",
    "issctype": "issubclass(kind, np.generic)",
    "issubclass_": "issubclass",
    "issubsctype": "np.issubdtype",
    "long": "int",
    "longcomplex": "np.clongdouble",
    "longfloat": "np.longdouble",
    "mat": "np.asmatrix",
    "msort": "np.sort(a, axis=0)",
    "obj2sctype": "np.dtype(kind).type",
    "object": "object",
    "object0": "np.object_",
    "product": "np.prod",
    "rank": "np.ndim",
    "round_": "np.round",
    "row_stack": "np.vstack",
    "safe_eval": "ast.literal_eval",
    "sctype2char": "np.dtype(kind).char",
    "singlecomplex": "np.complex64",
    "sometrue": "np.any",
    "str": "str",
    "str0": "np.str_",
    "string_": "np.bytes_",
    "trapz": "np.trapezoid",
    "typeDict": "np.sctypeDict",
    "uint0": "np.uintp",
    "unicode": "str",
    "unicode_": "np.str_",
    "void0": "np.void",
}

# functions of keras.backend that are functions of keras.ops under the same name
_OPERATIONS = """
    abs all any batch_normalization binary_crossentropy cast categorical_crossentropy clip cos dot dtype
    elu equal erf exp expm1 greater greater_equal less less_equal log log1p logsumexp max maximum mean
    min minimum ndim not_equal one_hot ones ones_like prod relu reshape round shape sigmoid sign sin
    softmax softplus softsign sparse_categorical_crossentropy square squeeze stack std stop_gradient sum
    tanh tile transpose var zeros zeros_like
"""
# function of keras.backend -> what to write today
BACKEND: dict[str, str] = {
    **{name: f"keras.ops.{name}" for name in _OPERATIONS.split()},
    "arange": "keras.ops.arange(..., dtype='int32')",
    "argmax": "keras.ops.argmax(x, axis=-1)",
    "argmin": "keras.ops.argmin(x, axis=-1)",
    "batch_dot": "keras.ops.einsum, or keras.layers.Dot",
    "batch_flatten": "keras.ops.reshape(x, (len(x), -1))",
    "batch_get_value": "[np.array(v) for v in variables]",
    "batch_set_value": "variable.assign(value) for each",
    "bias_add": "x + bias",
    "concatenate": "keras.ops.concatenate(tensors, axis=-1)",
    "constant": "keras.ops.convert_to_tensor",
    "conv1d": "keras.ops.conv",
    "conv2d": "keras.ops.conv",
    "conv2d_transpose": "keras.ops.conv_transpose",
    "conv3d": "keras.ops.conv",
    "count_params": "x.size",
    "cumprod": "keras.ops.cumprod(x, axis=0)",
    "cumsum": "keras.ops.cumsum(x, axis=0)",
    "depthwise_conv2d": "keras.ops.depthwise_conv",
    "dropout": "keras.random.dropout",
    "eval": "np.array(x)",
    "expand_dims": "keras.ops.expand_dims(x, -1)",
    "eye": "keras.Variable(np.eye(size))",
    "flatten": "keras.ops.reshape(x, -1)",
    "foldl": "functools.reduce",
    "foldr": "functools.reduce on the elements turned round",
    "function": "keras.Model(inputs, outputs)",
    "gather": "keras.ops.take(x, indices, axis=0)",
    "get_session": "nothing: there are no sessions",
    "get_uid": "itertools.count",
    "get_value": "np.array(x)",
    "gradients": "tf.GradientTape, or jax.grad",
    "hard_sigmoid": "keras.ops.clip(0.2 * x + 0.5, 0, 1)",
    "identity": "x",
    "image_dim_ordering": "keras.config.image_data_format()",
    "in_test_phase": "call(self, x, training=False)",
    "in_top_k": "keras.ops.in_top_k(targets, predictions, k)",
    "in_train_phase": "call(self, x, training=False)",
    "int_shape": "x.shape",
    "is_placeholder": "keras.utils.is_keras_tensor",
    "is_sparse": "False",
    "is_variable": "isinstance(x, keras.Variable)",
    "l2_normalize": "keras.utils.normalize",
    "learning_phase": "call(self, x, training=False)",
    "learning_phase_scope": "model(x, training=True)",
    "manual_variable_initialization": "nothing",
    "map_fn": "keras.ops.map",
    "moving_average_update": "variable.assign(momentum * variable + (1 - momentum) * value)",
    "name_scope": "nothing",
    "normalize_batch_in_training": "keras.ops.moments and keras.ops.batch_normalization",
    "permute_dimensions": "keras.ops.transpose(x, axes)",
    "placeholder": "keras.Input",
    "pool2d": "keras.ops.max_pool or average_pool",
    "pool3d": "keras.ops.max_pool or average_pool",
    "pow": "x ** a",
    "print_tensor": "jax.debug.print",
    "random_bernoulli": "keras.random.binomial",
    "random_binomial": "keras.random.binomial",
    "random_normal": "keras.random.normal",
    "random_normal_variable": "keras.Variable(keras.random.normal(shape))",
    "random_uniform": "keras.random.uniform",
    "random_uniform_variable": "keras.Variable(keras.random.uniform(shape))",
    "repeat": "keras.layers.RepeatVector(n)",
    "repeat_elements": "keras.ops.repeat",
    "reset_uids": "nothing",
    "resize_images": "keras.ops.repeat along both axes",
    "resize_volumes": "keras.ops.repeat along three axes",
    "reverse": "keras.ops.flip",
    "separable_conv2d": "keras.ops.separable_conv",
    "set_image_dim_ordering": "keras.config.set_image_data_format",
    "set_learning_phase": "model(x, training=True)",
    "set_session": "nothing: there are no sessions",
    "set_value": "variable.assign(value)",
    "spatial_2d_padding": "keras.ops.pad",
    "spatial_3d_padding": "keras.ops.pad",
    "sqrt": "keras.ops.sqrt(keras.ops.maximum(x, 0))",
    "switch": "keras.ops.where",
    "temporal_padding": "keras.ops.pad",
    "to_dense": "x",
    "truncated_normal": "keras.random.truncated_normal",
    "update": "variable.assign(value)",
    "update_add": "variable.assign_add(value)",
    "update_sub": "variable.assign_sub(value)",
    "variable": "keras.Variable",
}
