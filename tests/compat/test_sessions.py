"""What programs made of TensorFlow 1 for its settings does no harm, and what ran graphs is refused."""

import pytest

from doltap import optimizers
from doltap.compat import first_optimizers, sessions
from doltap.errors import NotSupportedError


def test_settings_of_a_session_are_taken_and_change_nothing():
    config = sessions.ConfigProto(intra_op_parallelism_threads=1, allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    config.gpu_options.per_process_gpu_memory_fraction = 0.3
    with sessions.Session(graph=sessions.get_default_graph(), config=config) as session:
        assert session.run(sessions.global_variables_initializer()) is None
        assert session.run([sessions.local_variables_initializer(), sessions.tables_initializer()]) is None
    with sessions.get_default_session().as_default(), sessions.Graph().as_default() as graph:
        graph.finalize()
    for switch in (
        sessions.disable_v2_behavior,
        sessions.disable_eager_execution,
        sessions.reset_default_graph,
    ):
        assert switch() is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: sessions.placeholder("float32", [None, 2]),
        lambda: sessions.Session().run("loss", feed_dict={}),
        lambda: sessions.InteractiveSession().run([]),
    ],
)
def test_what_a_session_would_run_is_refused_with_the_reason(call):
    with pytest.raises(NotSupportedError, match="planned its work and ran it in a session"):
        call()


def test_the_devices_are_listed_in_tensorflows_words():
    devices = sessions.list_local_devices()
    assert devices
    assert devices[0].device_type in ("CPU", "GPU", "TPU")
    assert devices[0].name == f"/device:{devices[0].device_type}:0"


@pytest.mark.parametrize(
    ("made", "kind", "config"),
    [
        (
            lambda: first_optimizers.AdamOptimizer(),
            optimizers.Adam,
            {"learning_rate": 0.001, "epsilon": 1e-8},
        ),
        (
            lambda: first_optimizers.AdamOptimizer(0.1, beta1=0.5),
            optimizers.Adam,
            {"learning_rate": 0.1, "beta_1": 0.5},
        ),
        (lambda: first_optimizers.GradientDescentOptimizer(0.5), optimizers.SGD, {"learning_rate": 0.5}),
        (lambda: first_optimizers.MomentumOptimizer(0.5, 0.9), optimizers.SGD, {"momentum": 0.9}),
        (lambda: first_optimizers.RMSPropOptimizer(0.01), optimizers.RMSprop, {"rho": 0.9, "epsilon": 1e-10}),
        (
            lambda: first_optimizers.AdagradOptimizer(0.1),
            optimizers.Adagrad,
            {"initial_accumulator_value": 0.1},
        ),
        (lambda: first_optimizers.AdadeltaOptimizer(), optimizers.Adadelta, {"rho": 0.95}),
    ],
)
def test_the_optimizers_of_tensorflow_1_are_those_of_today(made, kind, config):
    found = made()
    assert type(found) is kind
    written = found.get_config()
    assert {name: written[name] for name in config} == pytest.approx(config)


def test_a_seed_of_tensorflow_1_makes_draws_repeatable():
    from doltap import random

    sessions.set_random_seed(3)
    first = random.normal((2,)).tolist()
    sessions.set_random_seed(3)
    assert random.normal((2,)).tolist() == first
