"""What Keras has and doltap lacks: what of it is to come, and why the rest is not.

Only data. A namespace's row gives a reason for its names; "*" stands for all
that no other row names. `doors` tells users of it, `docs/coverage.py` writes it
down, and a name that works has no row.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LACKS", "Lack", "lack_of"]


class Lack(NamedTuple):
    """Names that are not there, and why; `is_planned` says whether they are to come."""

    is_planned: bool
    why: str
    names: tuple[str, ...]

    @property
    def fate(self) -> str:
        """What there is to say of such a name in a sentence: "planned" or "not planned"."""
        return "planned" if self.is_planned else "not planned"


def _coming(why: str, *names: str) -> Lack:
    return Lack(True, why, tuple(" ".join(names).split()))


def _never(why: str, *names: str) -> Lack:
    return Lack(False, why, tuple(" ".join(names).split()))


def lack_of(path: str) -> Lack | None:
    """What is to be said of a path below doltap, or of what it lies in; None if nothing.

    >>> lack_of("layers.Conv2D").is_planned
    True
    >>> lack_of("applications.vgg16.VGG16").is_planned
    False
    """
    while path:
        place, _, name = path.rpartition(".")
        rows = LACKS.get(place, ())
        for row in rows:
            if name in row.names:
                return row
        for row in rows:
            if place and "*" in row.names:
                return row
        path = place
    return None


_FILES = "Files of models are the next thing to come."
_CONVOLUTION = "Layers for images are the next family to come."
_SEQUENCES = "Recurrent layers come after those for images."
_ATTENTION = "Attention comes after the recurrent layers."
_AUGMENTING = "Changing images at random comes with the layers for images."
_PICTURES = "Reading and writing image files comes with the layers for images."
_QUANTIZED = "Weights of 8 bits and fewer serve networks far larger than those doltap is made for."
_SWITCH = "There is nothing to switch here."

LACKS: dict[str, tuple[Lack, ...]] = {
    "": (
        _never(
            "Large networks that others have trained are downloads of their own; train small ones here.",
            "applications",
        ),
        _coming("Training on several devices is to come.", "distribution device"),
        _coming("Recomputing instead of remembering saves memory; it is to come.", "remat RematScope"),
        _coming("Layers check their inputs themselves so far.", "InputSpec"),
        _never("model.export(path) writes it; there are no endpoints to choose.", "export"),
        _never(_QUANTIZED, "quantizers Quantizer"),
        _never("A Model with a compute_loss of your own does it.", "distillation"),
        _never("They draw boxes and masks on images; matplotlib does so too.", "visualization"),
        _never("It reads what Keras 2 wrote for itself.", "legacy"),
        _never("A Model without training does the same.", "Function"),
        _never("What can be called is a layer or a function of doltap.ops.", "Operation"),
        _never("Model.stateless_call computes from weights it is given.", "StatelessScope SymbolicScope"),
        _never("The names of layers tell their weights apart.", "name_scope"),
        _never("doltap.__version__ tells it.", "version"),
        _coming("jax.tree does it until then.", "tree"),
    ),
    "Model": (
        _coming("Recomputing instead of remembering saves memory; it is to come.", "rematerialized_call"),
        _never(_QUANTIZED, "quantize quantized_build quantized_call get_quantization_layer_structure"),
        _never("A layer answers to it, as to other old names; add_weight is today's.", "add_variable"),
        _never(
            "An epoch is one compiled program; train_step and test_step are there to be overridden.",
            "make_train_function make_test_function make_predict_function",
            "compute_loss_and_updates",
        ),
        _never("The weights of the layers are always those of the last step.", "jax_state_sync"),
        _never("Call the layer on what Input returned.", "symbolic_call compute_output_spec"),
    ),
    "backend": (_never("Layers count their names themselves.", "get_uid"),),
    "callbacks": (
        _never("LambdaCallback(on_epoch_end=...) sends what you like where you like.", "RemoteMonitor"),
        _never("It writes the files of another library.", "OrbaxCheckpoint"),
    ),
    "config": (
        _never("A file that is opened never runs code.", "enable_unsafe_deserialization"),
        _never(
            "The compiler chooses how attention is computed.",
            "disable_flash_attention enable_flash_attention is_flash_attention_enabled",
        ),
        _never("Flax's modules are a library of their own.", "is_nnx_enabled"),
        _never("verbose=0 is silent, verbose=1 and 2 speak.", "disable_interactive_logging"),
        _never(_SWITCH, "enable_interactive_logging is_interactive_logging_enabled"),
        _never("Tracebacks are never shortened.", "enable_traceback_filtering"),
        _coming(
            "A limit on all training, for trying a program out, is to come.",
            "max_epochs max_steps_per_epoch set_max_epochs set_max_steps_per_epoch",
        ),
    ),
    "dtype_policies": (
        _coming("Layers take their policies one by one so far.", "DTypePolicyMap"),
        _never(
            _QUANTIZED,
            "AWQDTypePolicy GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy QuantizedFloat8DTypePolicy",
        ),
    ),
    "layers": (
        _coming(
            _CONVOLUTION,
            "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose",
            "Convolution1D Convolution2D Convolution3D",
            "Convolution1DTranspose Convolution2DTranspose Convolution3DTranspose",
            "DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D",
            "SeparableConvolution1D SeparableConvolution2D",
            "AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D",
            "MaxPooling1D MaxPooling2D MaxPooling3D MaxPool1D MaxPool2D MaxPool3D",
            "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D",
            "GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D",
            "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D",
            "GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D",
            "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D",
            "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D",
            "Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D",
            "ZeroPadding1D ZeroPadding2D ZeroPadding3D SpectralNormalization",
        ),
        _coming(
            _SEQUENCES,
            "RNN SimpleRNN LSTM GRU SimpleRNNCell LSTMCell GRUCell StackedRNNCells Bidirectional",
            "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
        ),
        _coming(
            _ATTENTION,
            "Attention AdditiveAttention MultiHeadAttention GroupQueryAttention ReversibleEmbedding",
        ),
        _coming(
            _AUGMENTING,
            "AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix",
            "Equalization MixUp RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter",
            "RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur",
            "RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation",
            "RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom Resizing Solarization",
            "Pipeline",
        ),
        _coming("Texts come with the recurrent layers.", "TextVectorization"),
        _coming("Sounds come with the layers for sequences.", "MelSpectrogram STFTSpectrogram"),
        _coming("A function of JAX as a layer is to come.", "JaxLayer"),
        _coming("Layers check their inputs themselves so far.", "InputSpec"),
        _never("It runs a model of TensorFlow.", "TFSMLayer"),
        _never("It runs a model of PyTorch.", "TorchModuleWrapper"),
        _never("Flax's modules are a library of their own.", "FlaxLayer"),
        _never("Finding objects in images is a library of its own.", "MaxNumBoundingBoxes"),
    ),
    "losses": (_coming("It comes with the recurrent layers.", "CTC ctc"),),
    "ops": (
        _coming(_CONVOLUTION, "image"),
        _coming("It comes with the recurrent layers.", "ctc_decode ctc_loss"),
    ),
    "ops.nn": (_coming("It comes with the recurrent layers.", "ctc_decode ctc_loss"),),
    "optimizers": (
        _coming("Several optimizers for one model are to come.", "MultiOptimizer OptimizerMap"),
        _coming("It keeps two sets of weights; models are to know which one counts.", "ScheduleFreeAdamW"),
    ),
    "preprocessing": (
        _coming(_PICTURES, "image image_dataset_from_directory"),
        _coming("Texts come with the recurrent layers.", "text_dataset_from_directory"),
        _coming("It comes with the layers for sequences.", "timeseries_dataset_from_array"),
    ),
    "saving": (_never("doltap inspect FILE shows what a file holds.", "KerasFileEditor"),),
    "utils": (
        _coming(_PICTURES, "array_to_img image_dataset_from_directory img_to_array load_img save_img"),
        _never(
            "plot_model draws without Graphviz; plot_model(model, 'model.svg') can be edited.", "model_to_dot"
        ),
        _coming("Texts come with the recurrent layers.", "text_dataset_from_directory"),
        _coming("Sounds come with the layers for sequences.", "audio_dataset_from_directory"),
        _coming("It comes with the layers for sequences.", "timeseries_dataset_from_array"),
        _coming("It shows the bar that fit shows.", "Progbar"),
        _never("model.inputs tells it.", "get_source_inputs"),
        _never("A dict does it.", "Config"),
        _never("verbose=0 is silent, verbose=1 and 2 speak.", "disable_interactive_logging"),
        _never(_SWITCH, "enable_interactive_logging is_interactive_logging_enabled"),
        _never("Finding objects in images is a library of its own.", "bounding_boxes"),
    ),
}
