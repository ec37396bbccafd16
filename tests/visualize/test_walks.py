"""Paths through latents and classes, by closed forms and against plain images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import noise
from keras_gans.data import pixels
from keras_gans.errors import InputError
from keras_gans.networks import autoencoder
from keras_gans.serving import sampling
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import Sampler
from keras_gans.visualize import images, walks
from tests.contract import IMAGE_SHAPE, LATENT_DIM
from tests.models.test_cgan import CLASSES
from tests.models.test_cgan import TestConditionalGAN as ConditionalToy
from tests.models.test_gan import TestGAN as Toy

DRAW = np.random.default_rng(3)


def latents(count, width=100):
    return DRAW.normal(size=(count, width)).astype(np.float32)


def coder(variant, num_classes=None):
    """A small, untrained model of a variant that encodes."""
    keras.utils.set_random_seed(4)
    numbers = 2 * LATENT_DIM if variant is kg.VAE else LATENT_DIM
    output = "logits" if variant is kg.VAE else "images"
    encoder = autoencoder.encoder(IMAGE_SHAPE, numbers, units=(16,))
    decoder = autoencoder.decoder(IMAGE_SHAPE, LATENT_DIM, units=(16,), output=output)
    if variant is not kg.AdversarialAutoencoder:
        return variant(encoder, decoder)
    critic = autoencoder.discriminator(LATENT_DIM, units=(8,), num_classes=num_classes or 0)
    prior = {"prior": "gaussian_mixture", "prior_scale": 3.0, "num_classes": num_classes}
    return variant(encoder, decoder, critic, **prior)


CODERS = [
    (kg.VAE, None),
    (kg.AdversarialAutoencoder, None),
    (kg.AdversarialAutoencoder, 3),
    (kg.Autoencoder, None),
]


def pictures_of(count):
    return DRAW.integers(0, 256, size=(count, *IMAGE_SHAPE), dtype=np.uint8)


# Spherical interpolation -------------------------------------------------------------------------


def test_half_way_between_right_angles_is_the_bisector():
    a, b = np.float32([3, 0, 0]), np.float32([0, 0, 3])
    np.testing.assert_allclose(walks.slerp(a, b, 0.5), (a + b) / np.sqrt(2), rtol=1e-7)
    # At a third of the way, a third of the angle.
    third = [3 * np.cos(np.pi / 6), 0, 3 * np.sin(np.pi / 6)]
    np.testing.assert_allclose(walks.slerp(a, b, 1 / 3), third, rtol=1e-7)


def test_equal_norms_are_kept_and_the_angle_grows_evenly():
    a, b = latents(2)
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    path = walks.slerp(a, b, np.linspace(0, 1, 11))
    assert path.shape == (11, 100)
    assert path.dtype == np.float32
    norms = np.linalg.norm(path.astype(np.float64), axis=1)
    np.testing.assert_allclose(norms, norms[0], rtol=1e-6)
    steps = np.einsum("id,id->i", path[:-1], path[1:]) / norms[0] ** 2
    np.testing.assert_allclose(steps, steps[0], rtol=1e-5)


def test_other_norms_are_interpolated_linearly():
    a, b = np.float32([2, 0]), np.float32([0, 6])
    path = walks.slerp(a, b, [0.25, 0.5])
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), [3, 4], rtol=1e-6)


def test_both_ends_are_exact():
    for a, b in latents(40).reshape(20, 2, 100):
        a[0] = 0.0
        path = walks.slerp(a, b * 3, [0, 1])
        np.testing.assert_array_equal(path, [a, b * 3])


@pytest.mark.parametrize("factor", [1.0, 2.0, 1 + 1e-7, -1.0, -2.0, -1 - 1e-7, 0.0])
def test_no_great_circle_is_a_straight_line(factor):
    a = latents(1)[0]
    b = (a * factor).astype(np.float32)
    weights = np.linspace(0, 1, 5)
    expected = [(1 - w) * a.astype(float) + w * b for w in weights]
    np.testing.assert_allclose(walks.slerp(a, b, weights), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(walks.slerp(b, a, [0, 1]), [b, a])


def test_nearly_parallel_and_nearly_opposite_latents_stay_on_the_sphere():
    a, side = latents(2)
    for b in (a + 1e-4 * side, -a + 1e-4 * side):
        path = walks.slerp(a, b, np.linspace(0, 1, 9))
        np.testing.assert_allclose(np.linalg.norm(path, axis=1), np.linalg.norm(a), rtol=1e-3)


def test_a_straight_line_goes_evenly_and_hits_both_ends():
    a, b = latents(2)
    path = walks.straight(a, b, np.linspace(0, 1, 5))
    assert (path.shape, path.dtype) == ((5, 100), np.float32)
    np.testing.assert_array_equal(path[[0, 4]], [a, b])
    np.testing.assert_allclose(np.diff(path, axis=0), [(b - a) / 4] * 4, atol=1e-6)


# Stations ----------------------------------------------------------------------------------------


def test_stations_are_drawn_as_everywhere_else():
    seeds = np.array([[0, 5], [2**31 - 1, 7]])
    stations = sampling.latents_of_seeds(Endpoints.from_model(Toy().compiled()), seeds)
    assert stations.shape == (2, 2, LATENT_DIM)
    expected = noise.seeded_latents(seeds.ravel(), LATENT_DIM)
    np.testing.assert_array_equal(stations.reshape(4, LATENT_DIM), expected)


@pytest.mark.parametrize(("variant", "num_classes"), CODERS[:3])
def test_stations_of_a_prior_are_its_own_draws(variant, num_classes, tmp_path):
    model = coder(variant, num_classes)
    seeds = np.array([[3], [2**31 - 1]])
    labels = None if num_classes is None else np.array([[0], [2]])
    drawn = [seeds.ravel()] if labels is None else [seeds.ravel(), labels.ravel()]
    expected = model.prior_of_seeds(*(tf.constant(each, tf.int32) for each in drawn))
    made = pixels.to_uint8(Sampler.from_model(model).images(*drawn))
    for endpoints in (Endpoints.from_model(model), Endpoints.from_export(model.export(tmp_path))):
        stations = sampling.latents_of_seeds(endpoints, seeds, labels)
        np.testing.assert_allclose(stations[:, 0], expected, rtol=1e-6, atol=1e-6)
        # The frames of these stations are what is generated of the seeds.
        inputs = walks.through_latents(np.repeat(stations, 2, axis=1), 1)
        frame = next(walks.pictures(sampling.latent_decoder(endpoints), inputs))
        np.testing.assert_array_equal(frame, images.grid(made, 1))


# Paths -------------------------------------------------------------------------------------------


def test_a_path_passes_its_points_and_comes_back():
    points = latents(3)
    closed = walks.walk_latents(points, steps=4)
    assert closed.shape == (12, 100)
    np.testing.assert_array_equal(closed[::4], points)
    np.testing.assert_array_equal(closed[8:], walks.slerp(points[2], points[0], np.arange(4) / 4))
    opened = walks.walk_latents(points, steps=4, closed=False)
    assert opened.shape == (9, 100)
    np.testing.assert_array_equal(opened[::4], points)
    np.testing.assert_array_equal(opened[:8], closed[:8])
    np.testing.assert_array_equal(walks.walk_latents(points, steps=1), points)


def test_a_straight_path_there_and_back_meets_itself():
    a, b = latents(2, 5)
    path = walks.walk_latents([a, b], steps=4, between=walks.straight)
    np.testing.assert_array_equal(path[[0, 4]], [a, b])
    np.testing.assert_allclose(path[1:4], path[:4:-1], atol=1e-6)
    np.testing.assert_allclose(path[2], (a + b) / 2, atol=1e-6)


def test_a_path_through_classes():
    first, second, weight = walks.walk_classes([2, 0, 1], steps=2)
    assert first.tolist() == [2, 2, 0, 0, 1, 1]
    assert second.tolist() == [0, 0, 1, 1, 2, 2]
    assert weight.tolist() == [0, 0.5, 0, 0.5, 0, 0.5]
    assert (first.dtype, second.dtype, weight.dtype) == (np.int32, np.int32, np.float32)


def test_paths_that_lead_nowhere():
    for points, steps in ((latents(1), 2), (latents(2)[0], 2), (latents(2), 0)):
        with pytest.raises(InputError, match="must be at least"):
            walks.walk_latents(points, steps)
    for labels, steps in (([0], 2), ([0, 1], 0)):
        with pytest.raises(InputError, match="must be at least"):
            walks.walk_classes(labels, steps)


def test_latents_are_held_or_move_on_with_each_class():
    stations = latents(2 * 3, 5).reshape(2, 3, 5)
    held = walks.through_classes(stations[:, :1], [2, 0, 1], 4)
    assert held["latent"].shape == (12, 2, 1, 5)
    np.testing.assert_array_equal(held["latent"][:, :, 0], [stations[:, 0]] * 12)
    assert held["first"].shape == held["second"].shape == held["weight"].shape == (12, 2, 1)
    moving = walks.through_classes(stations, [2, 0, 1], 4)
    np.testing.assert_array_equal(moving["latent"][::4, :, 0], stations.swapaxes(0, 1))
    assert moving["first"][::4, 1, 0].tolist() == [2, 0, 1]
    with pytest.raises(InputError, match="must be 1 or 3 a row"):
        walks.through_classes(stations[:, :2], [2, 0, 1], 4)


# Images ------------------------------------------------------------------------------------------


def frames_of(function, inputs):
    return np.stack(list(walks.pictures(function, inputs)))


def test_stations_are_the_images_of_their_seeds(tmp_path):
    model = Toy().compiled()
    expected = pixels.to_uint8(Sampler.from_model(model).images(range(7, 10)))
    for endpoints in (Endpoints.from_model(model), Endpoints.from_export(model.export(tmp_path))):
        inputs = walks.through_latents(sampling.latents_of_seeds(endpoints, [[7, 8, 9]]), 50)
        frames = frames_of(sampling.latent_decoder(endpoints), inputs)
        assert frames.shape == (150, *IMAGE_SHAPE)
        np.testing.assert_array_equal(frames[::50], expected)


def test_a_frame_has_a_tile_for_each_row_and_column(tmp_path):
    model = ConditionalToy().compiled()
    for endpoints in (Endpoints.from_model(model), Endpoints.from_export(model.export(tmp_path))):
        stations = sampling.latents_of_seeds(endpoints, [[0, 1], [2, 3]])
        inputs = walks.through_latents(stations, 10, labels=range(CLASSES))
        frames = frames_of(sampling.latent_decoder(endpoints), inputs)
        assert frames.shape == (20, 2 * 8, CLASSES * 8, 1)
        plain = Sampler.from_model(model).images([1] * 3 + [3] * 3, [0, 1, 2] * 2)
        np.testing.assert_array_equal(frames[10], images.grid(pixels.to_uint8(plain), CLASSES))


def test_each_column_may_have_its_own_stations():
    stations = latents(2 * 3 * 4, 5).reshape(2, 3, 4, 5)
    inputs = walks.through_latents(stations, 6)
    assert set(inputs) == {"latent"}
    assert inputs["latent"].shape == (24, 2, 3, 5)
    np.testing.assert_array_equal(inputs["latent"][::6], np.moveaxis(stations, 2, 0))
    alone = walks.walk_latents(stations[1, 2], 6)
    np.testing.assert_array_equal(inputs["latent"][:, 1, 2], alone)


def translator():
    class Translator:
        class_names = None

        def signatures(self):
            spec = tf.TensorSpec((None, *IMAGE_SHAPE), tf.float32, name="image")
            names = ("serving_default", "translate_x_to_y")
            return {name: (lambda image: {"image": image}, [spec]) for name in names}

    return Endpoints.from_model(Translator())


def test_a_model_that_makes_no_images_from_latents_is_refused():
    for walk in (
        sampling.latent_decoder,
        lambda endpoints: sampling.latents_of_seeds(endpoints, [[0, 1]]),
    ):
        with pytest.raises(InputError, match=r"from latents .* serving_default, translate_x_to_y$"):
            walk(translator())
        with pytest.raises(InputError, match="walk between two images instead"):
            walk(Endpoints.from_model(coder(kg.Autoencoder)))


# Between images ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("variant", "num_classes"), CODERS)
def test_a_row_leads_from_the_one_image_to_the_other(variant, num_classes, tmp_path):
    model = coder(variant, num_classes)
    pairs = pictures_of(6).reshape(3, 2, *IMAGE_SHAPE)
    codes = model.encode(pairs.reshape(6, *IMAGE_SHAPE) / np.float32(127.5) - 1).numpy()
    codes = codes.reshape(3, 2, LATENT_DIM)
    for endpoints in (Endpoints.from_model(model), Endpoints.from_export(model.export(tmp_path))):
        picture = walks.rows_between(endpoints, pairs, 7)
        assert picture.shape == (3 * 8, 7 * 8, 1)
        for row, pair in enumerate(pairs):
            cells = np.split(picture[8 * row : 8 * row + 8], 7, axis=1)
            np.testing.assert_array_equal([cells[0], cells[6]], pair)
            for place, weight in enumerate(np.linspace(0, 1, 5)):
                code = (1 - weight) * codes[row, :1] + weight * codes[row, 1:]
                expected = pixels.to_uint8(model.decode(tf.constant(code, tf.float32)))[0]
                assert np.abs(expected.astype(int) - cells[1 + place]).max() <= 1
        # It starts at the reconstruction.
        made = endpoints["reconstruct"](image=pairs[:1, 0] / np.float32(127.5) - 1)["image"]
        assert np.abs(pixels.to_uint8(made)[0].astype(int) - picture[:8, 8:16]).max() <= 1


def test_a_model_that_does_not_encode_is_told_which_do():
    pairs = pictures_of(2)[None]
    for endpoints in (translator(), Endpoints.from_model(Toy().compiled())):
        with pytest.raises(InputError, match=r"vae, aae or autoencoder. This one answers"):
            walks.rows_between(endpoints, pairs, 5)
        with pytest.raises(InputError, match=r"vae, aae or autoencoder. This one answers"):
            sampling.encode_images(endpoints, pairs[0])


# Strips ------------------------------------------------------------------------------------------


def test_a_strip_shows_legs_from_station_to_station():
    time = np.arange(3 * 20, dtype=np.float32)
    one = {"latent": np.broadcast_to(time[:, None, None, None], (60, 2, 1, 5))}
    strip = walks.strip_inputs(one, steps=20)["latent"][..., 0]
    assert strip.shape == (1, 3, 11)
    assert strip[0, 0].tolist() == list(range(0, 21, 2))
    # The last leg ends where the first began.
    assert strip[0, 2].tolist() == [*range(40, 60, 2), 0]


def test_a_strip_of_short_or_many_legs_and_of_classes():
    latent = np.zeros((300, 1, 1, 5), np.float32)
    assert walks.strip_inputs({"latent": latent}, steps=3)["latent"].shape == (1, 20, 4, 5)
    labels = np.broadcast_to(np.arange(10, dtype=np.int32), (300, 2, 10))
    inputs = {"latent": np.broadcast_to(latent, (300, 2, 10, 5)), "label": labels}
    strip = walks.strip_inputs(inputs, steps=30)
    assert strip["label"].shape == (1, 10, 11)
    assert strip["label"][0, :, 4].tolist() == list(range(10))


# From class to class -----------------------------------------------------------------------------


def conditional(embed, label_shape=(), latent_dim=LATENT_DIM):
    """A generator whose label goes through `embed(label) -> tensors [n, d]`."""
    latent = keras.Input((latent_dim,))
    label = keras.Input(label_shape, dtype="int32")
    x = keras.layers.Concatenate()([latent, *embed(label)])
    x = keras.layers.Dense(64, activation="tanh")(x)
    return keras.Model([latent, label], keras.layers.Reshape(IMAGE_SHAPE)(x))


def one(label):
    return [keras.layers.Embedding(CLASSES, 4)(label)]


def two(label):
    return [*one(label), keras.layers.Dense(3)(keras.layers.Embedding(CLASSES, 2)(label))]


def shared(label):
    table = keras.layers.Embedding(CLASSES, 4)
    return [table(label), keras.layers.ReLU()(table(label))]


def column(label):
    return [keras.layers.Flatten()(each) for each in one(label)]


def with_a_nested_trunk(label):
    """Nested models are no trouble where the label does not enter them."""
    trunk = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    return [trunk(each) for each in one(label)]


@pytest.mark.parametrize(
    ("embed", "label_shape"),
    [(one, ()), (two, ()), (shared, ()), (column, (1,)), (with_a_nested_trunk, ())],
)
def test_whole_classes_are_the_plain_images_and_halves_are_between(embed, label_shape):
    generator = conditional(embed, label_shape)
    latent = tf.constant(latents(CLASSES, LATENT_DIM))
    here, there = tf.constant([0, 1, 2]), tf.constant([2, 0, 1])
    plain = [generator([latent, label], training=False).numpy() for label in (here, there)]
    mixer = walks.class_mixer(generator)
    begin, middle, end = (
        mixer(latent, here, there, tf.fill([CLASSES], weight))["image"].numpy()
        for weight in (0.0, 0.5, 1.0)
    )
    np.testing.assert_allclose(begin, plain[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(end, plain[1], rtol=0, atol=1e-6)
    assert np.abs(middle - plain[0]).max() > 1e-3
    assert np.abs(middle - plain[1]).max() > 1e-3
    # The generator itself is as it was.
    np.testing.assert_array_equal(generator([latent, here], training=False), plain[0])


def test_half_of_two_classes_is_the_mean_of_their_embeddings():
    generator = conditional(one)
    table = next(each for each in generator.layers if isinstance(each, keras.layers.Embedding))
    latent = tf.constant(latents(1, LATENT_DIM))
    mixer = walks.class_mixer(generator)
    weight = tf.constant([0.25])
    actual = mixer(latent, tf.constant([1]), tf.constant([2]), weight)["image"].numpy()
    rows = table.embeddings.numpy()
    rows[0] = 0.75 * rows[1] + 0.25 * rows[2]
    table.embeddings.assign(rows)
    expected = generator([latent, tf.constant([0])], training=False)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_a_models_class_walk_begins_at_its_own_images(ema_decay):
    """Bit for bit, batch statistics and running average as everywhere else."""
    toy = ConditionalToy()
    model = toy.compiled(options={"ema_decay": ema_decay})
    toy.fit(model)
    classes = np.arange(CLASSES)
    stations = sampling.latents_of_seeds(Endpoints.from_model(model), [[4]])
    inputs = walks.through_classes(stations, classes, 5)
    frames = frames_of(walks.class_mixer(model.sampler), inputs)
    plain = Sampler.from_model(model).images([4] * CLASSES, classes)
    np.testing.assert_array_equal(frames[::5], pixels.to_uint8(plain))


def test_a_mixer_follows_the_weights_and_leaves_the_generator_saveable(tmp_path):
    generator = conditional(one)
    mixer = walks.class_mixer(generator)
    latent, label = tf.constant(latents(1, LATENT_DIM)), tf.constant([1])
    inputs = (latent, label, label, tf.constant([0.5]))
    before = mixer(*inputs)["image"].numpy()
    generator.set_weights([2 * each for each in generator.get_weights()])
    after = mixer(*inputs)["image"].numpy()
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, generator([latent, label], training=False), atol=1e-6)
    generator.save(tmp_path / "g.keras")
    again = keras.models.load_model(tmp_path / "g.keras")
    np.testing.assert_array_equal(
        again([latent, label], training=False), generator([latent, label], training=False)
    )
    # Opened a second time, also after loading.
    walks.class_mixer(generator)
    np.testing.assert_array_equal(walks.class_mixer(again)(*inputs)["image"], after)


def test_half_precision_is_mixed_in_full():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        generator = conditional(one)
    finally:
        keras.config.set_dtype_policy("float32")
    latent, here, there = (
        tf.constant(latents(2, LATENT_DIM)),
        tf.zeros(2, "int32"),
        tf.ones(2, "int32"),
    )
    image = walks.class_mixer(generator)(latent, here, there, tf.constant([0.0, 1.0]))["image"]
    # Compiled too: bfloat16 is rounded in other places there.
    compiled = tf.function(lambda *inputs: generator(inputs, training=False))
    np.testing.assert_array_equal(image, compiled(latent, tf.constant([0, 1])))


def one_hot(label):
    return [keras.layers.CategoryEncoding(CLASSES, output_mode="one_hot")(label)]


def beside(label):
    return [*one(label), keras.layers.Reshape((1,))(tf_float(label))]


def tf_float(label):
    return keras.ops.cast(label, "float32")


def nested(label):
    inner = keras.Input((), dtype="int32")
    return [keras.Model(inner, one(inner)[0], name="inner")(label)]


@pytest.mark.parametrize(
    ("embed", "received"),
    [(one_hot, "CategoryEncoding"), (beside, "Cast"), (nested, "Functional inner")],
)
def test_a_generator_that_cannot_be_opened_is_told_what_is_needed(embed, received):
    with pytest.raises(InputError, match=rf"keras\.layers\.Embedding .* goes into {received}"):
        walks.class_mixer(conditional(embed))


def test_a_generator_without_a_label_cannot_be_opened():
    with pytest.raises(InputError, match="goes into none"):
        walks.class_mixer(Toy().compiled().generator)
