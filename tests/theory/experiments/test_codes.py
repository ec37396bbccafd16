"""Claim 16: three autoencoders that are alike."""

from keras_gans.theory.experiments import codes


def test_encoders_and_decoders_are_of_one_size():
    models = {name: model for name, (model, _) in codes.models((28, 28, 1)).items()}
    assert set(models) == {"autoencoder", "AAE", "VAE"}
    assert len({model.decoder.count_params() for model in models.values()}) == 1
    # A Gaussian code has a variance beside each mean.
    assert [model.encoder.output_shape[1] for model in models.values()] == [8, 8, 16]
