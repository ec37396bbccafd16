"""DCGAN: the same game on its own page."""

import json

import keras
import numpy as np
import pytest

import keras_gans as kg
from tests.contract import momentum, same, state, values, values_of
from tests.models import test_gan

SETTINGS = {"loss": "least_squares", "label_smoothing": 0.1, "discriminator_steps": 2}


class TestDCGAN(test_gan.UnconditionalToys):
    """In whatever way it is trained, its steps are GAN's, bit for bit.

    So what GAN's tests find holds here. Should the two pages ever part, it needs the contract.
    """

    variant = kg.DCGAN

    def pair(self, **kwargs):
        """Two toys of equal weights: the DCGAN's, and a GAN's."""
        return [toys.compiled(**kwargs) for toys in (self, test_gan.UnconditionalToys())]

    def check_equal_steps(self, dcgan, gan, steps):
        for model in (dcgan, gan):
            self.fit(model, steps=steps)
        assert same(values_of(state(dcgan)), values_of(state(gan)))
        assert dcgan.last_step() == gan.last_step()
        assert dcgan.tracked == gan.tracked

    @pytest.mark.slow
    def test_compiled_steps_are_those_of_gan(self):
        self.check_equal_steps(*self.pair(optimizer=momentum), steps=3)

    @pytest.mark.slow
    def test_steps_with_all_settings_are_those_of_gan(self):
        options = {"ema_decay": 0.9, "augmentation": ("flip", "color")}
        models = self.pair(toy={"decay": 0.1}, options=options, run_eagerly=True, **SETTINGS)
        self.check_equal_steps(*models, steps=1)

    @pytest.mark.slow
    def test_steps_in_float16_are_those_of_gan(self):
        keras.mixed_precision.set_global_policy("mixed_float16")
        try:
            models = self.pair(run_eagerly=True)
        finally:
            keras.mixed_precision.set_global_policy("float32")
        self.check_equal_steps(*models, steps=1)

    @pytest.mark.slow
    def test_steps_on_two_replicas_are_those_of_gan(self, two_replicas):
        with two_replicas.scope():
            models = self.pair(run_eagerly=True)
        self.check_equal_steps(*models, steps=1)
        self.check_uneven_batch(models[0])

    def test_a_saved_model_comes_back_with_its_settings(self, tmp_path):
        model = self.compiled(options={"ema_decay": 0.9}, **SETTINGS)
        model.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        assert type(loaded) is kg.DCGAN
        assert same(values(loaded), values(model))
        for ask in ("get_config", "get_compile_config"):
            actual, expected = (json.dumps(getattr(m, ask)()) for m in (loaded, model))
            assert actual == expected

    def test_it_answers_as_gan_does(self):
        endpoints = [
            {name: function for name, (function, _) in model.signatures().items()}
            for model in self.pair()
        ]
        assert set(endpoints[0]) == set(endpoints[1])
        images = [each["generate"](np.arange(3, dtype=np.int32))["image"] for each in endpoints]
        np.testing.assert_array_equal(*images)
