"""Keras's own tools on these models: what `fit` and `evaluate` take, and its callbacks."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.models import VAE, Autoencoder
from tests.apps.processes import assert_same_state
from tests.contract import LATENT_DIM
from tests.models.toys import IMAGES, LABELS, autoencoder, conditional_gan, fitted, gan

ENDLESS = tf.data.Dataset.from_tensors(IMAGES).repeat()


@pytest.mark.slow
def test_a_column_or_list_of_labels_trains_the_same_weights():
    models = [conditional_gan(run_eagerly=True) for _ in range(3)]
    for model, labels in zip(models, (LABELS, LABELS[:, None], LABELS.tolist()), strict=True):
        fitted(model, IMAGES[:10], labels[:10], epochs=1)
        assert_same_state(model, models[0])


@pytest.mark.slow
def test_other_labels_are_refused_in_a_line_before_a_weight_moves():
    model = conditional_gan()
    before = [variable.numpy() for variable in model.variables]
    for labels, message in (
        (np.eye(3)[LABELS], r"np.argmax\(labels, axis=1\)\)\. Received: float32 of shape \[n?1?0?"),
        (LABELS.astype(str), r"np.unique\(labels, return_inverse=True\)\[1\]\)\. Received: str"),
        (LABELS + 0.5, r"labels.astype\('int32'\)\)\. Received: float32"),
        (None, "has 3 classes. Received: no labels"),
        (np.int64(2), r"one for each image\. Received: int64 of shape \[\]"),
        (LABELS + 3, "^label must be an integer from 0 to 2"),
    ):
        with pytest.raises(InputError, match=message):
            fitted(model, IMAGES, labels)
        for variable, value in zip(model.variables, before, strict=True):
            np.testing.assert_array_equal(variable, value)


@pytest.mark.slow
def test_a_last_batch_that_cannot_be_split_is_refused_before_the_first():
    """Batches of 8, and of the last 4 of twelve images, are shared by four updates of D, 6 not."""
    model = gan()
    model.compile("sgd", "sgd", discriminator_steps=4, run_eagerly=True)
    with pytest.raises(InputError, match=r"steps=4.*size 6, of the last of 14 images: leave 6 out"):
        model.fit(IMAGES[:14], batch_size=8, verbose=0)
    assert model.steps_done == 0
    with pytest.raises(InputError, match="of the last of 14 images"):  # in the second epoch
        model.fit(IMAGES[:14], batch_size=8, steps_per_epoch=1, epochs=2, verbose=0)
    assert model.steps_done == 0
    model.fit(IMAGES[:14], batch_size=8, steps_per_epoch=1, verbose=0)
    model.fit(IMAGES[:12], batch_size=8, verbose=0)
    assert model.steps_done == 3
    batches = tf.data.Dataset.from_tensor_slices(IMAGES[:14]).batch(8)
    with pytest.raises(InputError, match=r"a multiple of discriminator_steps=4\. Received: .* 6$"):
        model.fit(batches, verbose=0)


@pytest.mark.slow
def test_what_replicas_cannot_share_is_refused_before_the_first_step(two_replicas):
    with two_replicas.scope():
        model = autoencoder(Autoencoder, LATENT_DIM)
        parts = gan(discriminator_steps=4)
    before = [variable.numpy() for variable in model.variables]
    message = r"a multiple of 2, the replicas\. Received: batch size "
    with pytest.raises(InputError, match=f"{message}1, of the last of 9 images: leave 1 out"):
        model.fit(IMAGES[:9], batch_size=4, verbose=0)
    with pytest.raises(InputError, match=f"{message}5$"):
        model.fit(IMAGES, batch_size=5, verbose=0)
    with pytest.raises(InputError, match=f"{message}3$"):
        model.fit(tf.data.Dataset.from_tensor_slices(IMAGES[:3]).batch(4), verbose=0)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    model.fit(IMAGES[:9], batch_size=4, steps_per_epoch=2, verbose=0)
    assert model.steps_done == 2
    with pytest.raises(
        InputError, match=r"steps=4\. Received: batch size 2 on each of 2 replicas$"
    ):
        parts.fit(IMAGES, batch_size=4, verbose=0)


@pytest.mark.slow
def test_two_replicas_evaluate_as_one_does(two_replicas):
    """Nine images in batches of 4, 4 and 1, and in one of 5 and 4: each counts once."""
    with two_replicas.scope():
        model = autoencoder(VAE, 2 * LATENT_DIM)
    found = model.evaluate(IMAGES[:9], batch_size=4, verbose=0, return_dict=True)
    mean, log_variance = (part.numpy() for part in model.posterior(IMAGES[:9]))
    terms = 0.5 * (mean**2 + np.exp(log_variance) - 1.0 - log_variance)
    assert found["kl_loss"] == pytest.approx(terms.sum(axis=1).mean(), rel=1e-5)
    assert math.isfinite(found["elbo_loss"])
    data = tf.data.Dataset.from_tensor_slices(IMAGES[:16]).batch(8)
    # Eagerly: the graphs of both take longer to make than to run.
    model.run_eagerly, model.test_function = True, None
    history = model.fit(data, validation_data=(IMAGES[:9], None), verbose=0).history
    mean, log_variance = (part.numpy() for part in model.posterior(IMAGES[:9]))
    terms = 0.5 * (mean**2 + np.exp(log_variance) - 1.0 - log_variance)
    assert history["val_kl_loss"][0] == pytest.approx(terms.sum(axis=1).mean(), rel=1e-4)


@pytest.mark.slow
def test_an_autoencoder_is_evaluated_by_every_image_alike():
    """Twenty images in batches of 8, 8 and 4: each counts once."""
    model = autoencoder(Autoencoder, LATENT_DIM)
    expected = np.mean(np.square(model(IMAGES, training=False) - IMAGES))
    (found,) = model.evaluate(IMAGES, batch_size=8, verbose=0, return_dict=True).values()
    assert found == pytest.approx(expected, rel=1e-5)
    history = fitted(model, IMAGES, validation_data=(IMAGES[:6], None)).history
    expected = np.mean(np.square(model(IMAGES[:6], training=False) - IMAGES[:6]))
    assert history["val_reconstruction_loss"][-1] == pytest.approx(expected, rel=1e-5)


def test_a_vae_has_its_bound_on_held_out_images():
    model = autoencoder(VAE, 2 * LATENT_DIM, run_eagerly=True)
    history = fitted(model, IMAGES, validation_split=0.3).history
    parts = [history[f"val_{name}"][-1] for name in ("reconstruction_loss", "kl_loss")]
    assert history["val_elbo_loss"][-1] == pytest.approx(sum(parts), rel=1e-5)
    # KL = 1/2 sum_j mean_j^2 + sigma_j^2 - 1 - log sigma_j^2, without noise
    mean, log_variance = (part.numpy() for part in model.posterior(IMAGES[14:]))
    terms = 0.5 * (mean**2 + np.exp(log_variance) - 1.0 - log_variance)
    assert parts[1] == pytest.approx(terms.sum(axis=1).mean(), rel=1e-4)
    assert "val_gradient_norm" not in history


@pytest.mark.slow
def test_validation_leaves_training_as_it_is():
    models = [autoencoder(VAE, 2 * LATENT_DIM, run_eagerly=True) for _ in range(2)]
    fitted(models[0], IMAGES, epochs=1)
    fitted(models[1], IMAGES, epochs=1, validation_data=(IMAGES, None))
    for one, other in zip(*(model.variables for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation_data": (IMAGES, None)}, r"GAN.fit takes no validation_data: .*Evaluator"),
        ({"validation_split": 0.1}, r"GAN.fit takes no validation_split: .*Evaluator"),
        ({"class_weight": {0: 2.0}}, r"GAN.fit takes no class_weight: .*repeat the images of rare"),
        ({"sample_weight": np.ones(20)}, r"GAN.fit takes no sample_weight"),
    ],
)
def test_what_a_gan_cannot_use_is_refused_before_it_trains(arguments, message):
    model = gan()
    with pytest.raises(InputError, match=message):
        fitted(model, IMAGES, **arguments)
    assert model.steps_done == 0


@pytest.mark.parametrize("name", ["sample_weight", "class_weight"])
def test_single_batches_take_no_weights_either(name):
    model = gan()
    with pytest.raises(InputError, match=rf"GAN.train_on_batch takes no {name}: .*repeat"):
        model.train_on_batch(IMAGES, **{name: np.ones(20)})
    with pytest.raises(InputError, match=r"VAE.test_on_batch takes no sample_weight: .*repeat"):
        autoencoder(VAE, 2 * LATENT_DIM).test_on_batch(IMAGES, sample_weight=np.ones(20))


def test_images_in_the_place_of_labels_are_refused_where_they_would_be_left_out():
    model = autoencoder(Autoencoder, LATENT_DIM)
    for use in (model.fit, model.evaluate):
        with pytest.raises(InputError, match=r"labels must not be images: .* left out"):
            use(IMAGES, 0.0 * IMAGES, batch_size=10, verbose=0)
    with pytest.raises(InputError, match="labels must not be images"):
        gan().fit(tf.data.Dataset.from_tensors((IMAGES, IMAGES)), verbose=0)


@pytest.mark.parametrize("data", [IMAGES, None])
def test_a_gan_is_not_evaluated_by_its_losses(data):
    with pytest.raises(InputError, match="GAN cannot be evaluated: the losses of GAN are"):
        gan().evaluate(data, verbose=0)


def test_rates_of_both_players_are_scheduled():
    model = gan(run_eagerly=True)
    fitted(
        model, IMAGES[:10], callbacks=[keras.callbacks.LearningRateScheduler(lambda _, r: r / 2)]
    )
    rates = [float(optimizer.learning_rate.numpy()) for optimizer in model.optimizers.values()]
    assert rates == pytest.approx([0.01 / 4, 0.02 / 4])


def test_rates_of_both_players_fall_on_a_plateau():
    model = gan(run_eagerly=True)
    plateau = keras.callbacks.ReduceLROnPlateau(
        "g_loss", factor=0.1, patience=1, mode="min", min_delta=1e6
    )
    fitted(model, IMAGES[:10], callbacks=[plateau])
    rates = [float(optimizer.learning_rate.numpy()) for optimizer in model.optimizers.values()]
    assert rates == pytest.approx([0.001, 0.002])


@pytest.mark.parametrize("spoilt", ["generator", "discriminator"])
def test_training_terminates_on_nan(spoilt):
    model = gan(run_eagerly=True)
    weight = getattr(model, spoilt).trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan))
    history = fitted(model, IMAGES, epochs=5, callbacks=keras.callbacks.TerminateOnNaN())
    assert len(history.epoch) == 1
    assert model.steps_done == 1
    assert not math.isfinite(history.history["d_loss"][0])


@pytest.mark.slow
def test_other_callbacks_of_keras_work_as_they_are(tmp_path):
    model, kept = gan(run_eagerly=True), tmp_path / "best.keras"
    made = [
        keras.callbacks.ModelCheckpoint(kept, "g_loss", mode="min", save_best_only=True),
        keras.callbacks.TensorBoard(tmp_path / "logs", write_steps_per_second=True),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.EarlyStopping("d_loss", mode="min", min_delta=1e6, patience=1),
    ]
    history = fitted(model, IMAGES[:10], epochs=9, callbacks=made)
    assert len(history.epoch) == 2  # the second is no better by a million
    assert keras.models.load_model(kept).steps_done in (1, 2)
    header, *rows = (tmp_path / "log.csv").read_text().splitlines()
    assert "d_loss" in header.split(",")
    assert len(rows) == 2
    assert list((tmp_path / "logs").rglob("events.out.tfevents.*"))


@pytest.mark.slow
def test_a_backup_goes_on_where_fit_was_stopped(tmp_path):
    class Stopped(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    model, whole, again = (gan(run_eagerly=True) for _ in range(3))
    fitted(whole, IMAGES[:10], epochs=2)
    with pytest.raises(KeyboardInterrupt):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        fitted(model, IMAGES[:10], epochs=2, callbacks=[backup, Stopped()])
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    fitted(again, IMAGES[:10], epochs=2, callbacks=[backup])
    assert model.steps_done == 1
    assert again.steps_done == 2
    for one, other in zip(again.variables, whole.variables, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_summary_counts_the_optimizers_of_both_players():
    lines = []
    gan().summary(print_fn=lambda text, **_: lines.append(text))
    assert "Optimizer params" in "\n".join(lines)


def test_one_rate_for_several_optimizers_is_refused_where_it_would_change_none():
    model = gan()
    assert not hasattr(model.optimizer, "learning_rate")
    with pytest.raises(AttributeError, match=r"optimizers\.values\(\).* Received: learning_rate="):
        model.optimizer.learning_rate = 1e-4
    with pytest.raises(AttributeError):
        model.optimizer.clipnorm = 1.0
    rates = [float(optimizer.learning_rate.numpy()) for optimizer in model.optimizers.values()]
    assert rates == pytest.approx([0.01, 0.02])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation_data": "photos"}, r"VAE.fit's validation_data must be given .*'photos'$"),
        ({"validation_data": IMAGES[:0]}, "validation_data must be given at least one image"),
        ({"validation_data": (IMAGES, None, LABELS)}, "validation_data takes no sample_weight"),
        ({"validation_data": ENDLESS}, "given validation_steps with a dataset without end"),
    ],
)
def test_validation_data_that_are_none_are_refused_before_an_epoch(arguments, message):
    model = autoencoder(VAE, 2 * LATENT_DIM)
    with pytest.raises(InputError, match=message):
        fitted(model, IMAGES, **arguments)
    assert model.steps_done == 0


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        ((), {}, r"VAE.evaluate must be given an array of images .* Received: None$"),
        ((IMAGES[:0],), {}, "VAE.evaluate must be given at least one image"),
        ((ENDLESS,), {}, "VAE.evaluate must be given steps with a dataset without end"),
        ((IMAGES,), {"sample_weight": LABELS}, "VAE.evaluate takes no sample_weight"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_what_came(data, arguments, message):
    with pytest.raises(InputError, match=message):
        autoencoder(VAE, 2 * LATENT_DIM).evaluate(*data, verbose=0, **arguments)


@pytest.mark.slow
def test_images_to_evaluate_are_of_the_range_of_those_to_train_on():
    with pytest.raises(
        InputError, match=r"from -1 to 1 \(of bytes.* Received: from -\d+.\d+ to \d+"
    ):
        autoencoder(VAE, 2 * LATENT_DIM).evaluate(100 * IMAGES, verbose=0)
