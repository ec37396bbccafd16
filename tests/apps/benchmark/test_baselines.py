"""apps.benchmark.baselines: they train the same networks as the library, and all of them."""

import importlib.util

import numpy as np
import pytest

from apps.benchmark import baselines
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES

pytestmark = pytest.mark.slow


def made(variant, kind, **size):
    """`(baseline, model)` on a batch of four digits."""
    recipe = RECIPES[variant](batch_size=4, **size)
    source = recipe.load_source()
    batch = next(iter(recipe.batches(source, 0)))
    return kind(recipe, source, batch), recipe.build(source)


def test_the_blogs_loop_trains_both_networks():
    """On networks with BatchNormalization and labels."""
    baseline, model = made("cgan", baselines.BlogBaseline, filters=(4, 4))
    generator, discriminator = trainable(baseline.generator), trainable(baseline.discriminator)
    for _ in range(2):  # tracing, and as traced
        baseline.fit(1)
        generator = check_all_moved(generator, baseline.generator)
        discriminator = check_all_moved(discriminator, baseline.discriminator)
    # The combined phase alone: batch statistics of D would move with it, too.
    before = baseline.discriminator.get_weights()
    noise, labels = np.random.normal(size=(4, model.latent_dim)), baseline.batch[1:]
    baseline.combined.train_on_batch([noise, *labels] if labels else noise, np.ones((4, 1)))
    check_all_moved(generator, baseline.generator)
    for old, new in zip(before, baseline.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def check_all_moved(before, network):
    after = trainable(network)
    assert not [old.shape for old, new in zip(before, after, strict=True) if (old == new).all()]
    return after


def trainable(network):
    """Values of the weights that training should move, whatever `trainable` says now."""
    frozen = {"moving_mean", "moving_variance"}
    return [v.numpy() for v in network.weights if v.name not in frozen]


@pytest.mark.parametrize("variant", baselines.TORCH)
def test_torch_trains_networks_of_the_same_sizes(variant):
    if importlib.util.find_spec("triton"):
        pytest.skip("PyTorch with triton crashes in a process that has loaded TensorFlow before")
    pytest.importorskip("torch")
    baseline, model = made(variant, baselines.TORCH[variant])
    for theirs, ours in (
        (baseline.generator, model.generator),
        (baseline.discriminator, model.discriminator),
    ):
        sizes = sorted(parameter.numel() for parameter in theirs.parameters())
        assert sizes == sorted(int(np.prod(v.shape)) for v in ours.trainable_variables)
        baseline.fit(1)  # a block's first convolution moves when its last is not 0 any more
        before = [parameter.detach().numpy().copy() for parameter in theirs.parameters()]
        baseline.fit(1)
        for old, new in zip(before, theirs.parameters(), strict=True):
            # What shifts all of R3GAN's logits is lost in their differences.
            assert (old != new.detach().numpy()).any() or (variant == "r3gan" and old.size == 1)
    fake = baseline.generator(baseline.torch.randn(3, model.latent_dim))
    assert tuple(fake.shape) == (3, 1, 28, 28)
    assert tuple(baseline.discriminator(fake).shape) == (3, 1)


def test_a_baseline_that_is_not_installed_says_how(monkeypatch):
    monkeypatch.setattr(baselines.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install torch"):
        baselines.check_baselines(["torch"], ["dcgan"])
    baselines.check_baselines(["blogs"], ["dcgan"])


def test_of_the_baselines_a_variant_meets_its_own():
    assert baselines.baselines_for("dcgan", ["blogs", "torch"]) == ["blogs", "torch"]
    assert baselines.baselines_for("gan", ["blogs", "torch"]) == ["blogs"]
    assert baselines.baselines_for("cgan", ["blogs", "torch"]) == ["blogs"]
    assert baselines.baselines_for("vae", ["blogs", "torch"]) == []
