"""Settings and points as TensorBoard's own readers and a real TensorBoard see them."""

import io
import os

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.projector import ProjectorConfig

from keras_gans.recipes import RECIPES
from keras_gans.visualize import tensorboard
from tests import tensorboard_process
from tests.apps.processes import logged
from tests.tensorboard_process import running_tensorboard

pytestmark = pytest.mark.slow

SETTINGS = {
    "variant": "dcgan",
    "batch_size": 64,
    "generator_learning_rate": 0.0002,
    "augment": True,
    "ema_decay": None,
    "filters": [4, "ä"],
}
SHOWN = SETTINGS | {"ema_decay": "none", "filters": '[4, "ä"]'}
POINTS = {"kind": ["real", "real", "fake", "fake", "fake"], "label": ["0", "a\tb\n c", "", 3, "ä"]}
CELLS = [("real", "0"), ("real", "a b c"), ("fake", "-"), ("fake", "3"), ("fake", "ä")]
PICTURES = 40  # TensorBoard keeps 10 unless it is told otherwise
ANY_STATUS = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]


def write_run(folder, settings, value, success=None):
    """What one start of a run writes: settings, one scalar and perhaps its end."""
    with tf.summary.create_file_writer(str(folder)).as_default() as writer:
        tensorboard.log_hparams(writer, settings)
        tf.summary.scalar("epoch/d_loss", value, step=1)
        if success is not None:
            tensorboard.log_hparams_end(writer, success)


def records(run, tag):
    """The hparams plugin's own messages in a run's event files, oldest first."""
    return [
        plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
        for path in sorted(run.glob("events.out.tfevents.*"))
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
        if value.tag == tag
    ]


def plain(value):
    return getattr(value, value.WhichOneof("kind"))


def points(count=5, size=(6, 4), channels=3, dimensions=7):
    """Features with every digit in use, and images, for `write_projector`."""
    random = np.random.default_rng(0)
    features = random.normal(size=(count, dimensions)).astype("float32") / np.float32(3e7)
    return features, random.integers(0, 256, (count, *size, channels), dtype=np.uint8)


def tiles(directory):
    """The sprite cut up as the plugin's shader does it, `uint8 [n, h, w, c]`."""
    (embedding,) = config_of(directory).embeddings
    width, height = embedding.sprite.single_image_dim
    sprite = np.asarray(Image.open(directory / embedding.sprite.image_path))
    sprite = sprite.reshape(*sprite.shape[:2], -1)
    per_row, per_column = sprite.shape[1] // width, sprite.shape[0] // height
    corners = [(i // per_column * height, i % per_row * width) for i in range(per_row * per_column)]
    return np.stack([sprite[y : y + height, x : x + width] for y, x in corners])


def config_of(directory):
    text = (directory / "projector_config.pbtxt").read_text()
    return text_format.Parse(text, ProjectorConfig())


# Settings ----------------------------------------------------------------------------------------


def test_a_setting_of_another_type_is_refused(tmp_path):
    with pytest.raises(TypeError, match="rate"):
        write_run(tmp_path, {"rate": object()}, 1.0)


def test_settings_are_read_back_as_they_were(tmp_path):
    write_run(tmp_path, SETTINGS, 1.0)
    (record,) = records(tmp_path, hparams.SESSION_START_INFO_TAG)
    info = record.session_start_info
    assert {name: plain(value) for name, value in info.hparams.items()} == SHOWN
    assert info.hparams["augment"].WhichOneof("kind") == "bool_value"
    assert info.group_name == ""  # the row has the run's own name
    assert records(tmp_path, hparams.SESSION_END_INFO_TAG) == []


def test_settings_need_not_be_valid_text(tmp_path):
    """A folder's name can be any bytes."""
    settings = {"dataset": os.fsdecode(b"folder:/caf\xe9"), "epochs": 2}
    tensorboard.log_settings(tensorboard.make_writer(tmp_path), settings, step=0)
    (record,) = records(tmp_path, hparams.SESSION_START_INFO_TAG)
    assert plain(record.session_start_info.hparams["dataset"]) == "folder:/caf\\udce9"
    table = logged(tmp_path)["config"][0].item().decode()
    assert "| dataset | folder:/caf\\udce9 |" in table
    # A run that goes on has its table already.
    tensorboard.log_settings(tensorboard.make_writer(tmp_path / "on"), settings, step=8)
    assert "config" not in logged(tmp_path / "on")


@pytest.mark.parametrize("variant", RECIPES)
def test_every_recipe_can_be_shown(variant, tmp_path):
    settings = RECIPES[variant](seed=3).as_dict()
    write_run(tmp_path, settings, 1.0)
    (record,) = records(tmp_path, hparams.SESSION_START_INFO_TAG)
    shown = {name: plain(value) for name, value in record.session_start_info.hparams.items()}
    assert shown.keys() == settings.keys()
    assert shown["variant"] == variant
    assert shown["seed"] == 3


@pytest.mark.parametrize("success, status", [(True, 1), (False, 2)])
def test_the_end_has_a_status(success, status, tmp_path):
    write_run(tmp_path, SETTINGS, 1.0, success)
    (record,) = records(tmp_path, hparams.SESSION_END_INFO_TAG)
    assert record.session_end_info.status == status
    (begin,) = records(tmp_path, hparams.SESSION_START_INFO_TAG)
    assert record.session_end_info.end_time_secs >= begin.session_start_info.start_time_secs


# Points ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_points_are_read_back_as_they_were(channels, tmp_path):
    features, images = points(channels=channels)
    tensorboard.write_projector(tmp_path, features, images, POINTS)
    (embedding,) = config_of(tmp_path).embeddings
    rows = [line.split("\t") for line in lines(tmp_path / embedding.tensor_path)]
    np.testing.assert_array_equal(np.array(rows, "float32"), features)
    header, *cells = lines(tmp_path / embedding.metadata_path)
    assert header.split("\t") == ["kind", "label"]
    assert [tuple(line.split("\t")) for line in cells] == CELLS
    assert list(embedding.sprite.single_image_dim) == [4, 6]
    shown = tiles(tmp_path)
    np.testing.assert_array_equal(shown[:5], images)
    assert len(shown) == 9
    assert not shown[5:].any()


def lines(path):
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return text[:-1].split("\n")


def test_one_column_has_no_header(tmp_path):
    tensorboard.write_projector(tmp_path, *points(), {"label": POINTS["label"]})
    expected = [label for _, label in CELLS]
    assert lines(tmp_path / "projector" / "metadata.tsv") == expected


def test_a_class_name_need_not_be_valid_text(tmp_path):
    tensorboard.write_projector(tmp_path, *points(2), {"label": ["\udce4", " \t"]})
    assert lines(tmp_path / "projector" / "metadata.tsv") == ["\\udce4", "-"]


def test_large_images_are_shrunk(tmp_path):
    features, _ = points(3)
    images = np.full((3, 100, 200, 3), [[[[10]]], [[[20]]], [[[30]]]], np.uint8)
    tensorboard.write_projector(tmp_path, features, images, {"label": "abc"})
    shown = tiles(tmp_path)[:3]
    assert shown.shape == (3, 32, 64, 3)
    np.testing.assert_array_equal(shown, images[:, :32, :64])


def test_many_images_are_shrunk_until_the_sprite_fits(tmp_path, monkeypatch):
    monkeypatch.setattr(tensorboard, "SPRITE_SIDE", 100)
    features, _ = points(50)  # 8 columns of at most 12 px
    tensorboard.write_projector(
        tmp_path, features, np.full((50, 64, 32, 1), 7, np.uint8), {"label": range(50)}
    )
    shown = tiles(tmp_path)
    assert shown.shape == (64, 12, 6, 1)
    assert (shown[:50] == 7).all()


def test_points_replace_earlier_ones(tmp_path):
    tensorboard.write_projector(tmp_path, *points(9), {"label": range(9)})
    (tmp_path / ".projector.tmp").mkdir()  # as a killed program leaves it
    tensorboard.write_projector(tmp_path, *points(), POINTS)
    assert len(lines(tmp_path / "projector" / "features.tsv")) == 5
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"projector", "projector_config.pbtxt"}
    names = {path.name for path in (tmp_path / "projector").iterdir()}
    assert names == {"features.tsv", "metadata.tsv", "sprite.png"}


def test_a_failed_write_leaves_the_earlier_points(tmp_path, monkeypatch):
    tensorboard.write_projector(tmp_path, *points(9), {"label": range(9)})

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensorboard, "save_png", full_disk)
    with pytest.raises(OSError, match="No space left"):
        tensorboard.write_projector(tmp_path, *points(), POINTS)
    assert not (tmp_path / ".projector.tmp").exists()
    assert len(lines(tmp_path / "projector" / "features.tsv")) == 9
    assert len(config_of(tmp_path).embeddings) == 1


def test_a_write_that_is_cut_short_leaves_no_configuration(tmp_path, monkeypatch):
    tensorboard.write_projector(tmp_path, *points(9), {"label": range(9)})
    monkeypatch.setattr(tensorboard.Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tensorboard.write_projector(tmp_path, *points(), POINTS)
    assert not (tmp_path / "projector_config.pbtxt").exists()


def interrupted(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "change, message",
    [
        ({"features": np.zeros((5, 2), "float32")}, r"d >= 3. Received: shape=\(5, 2\)"),
        ({"features": np.zeros((0, 4), "float32")}, "features must be"),
        ({"features": np.full((5, 4), np.nan, "float32")}, "features must be finite"),
        ({"images": np.zeros((5, 8, 8, 2), np.uint8)}, "images must be uint8"),
        ({"images": np.zeros((5, 8, 8, 3), "float32")}, "images must be uint8"),
        ({"images": np.zeros((4, 8, 8, 3), np.uint8)}, "'images': 4"),
        ({"metadata": {"label": "abc"}}, "'label': 3"),
        ({"metadata": {}}, "every column of metadata must have 5 rows"),
    ],
)
def test_what_does_not_fit_is_refused(change, message, tmp_path):
    features, images = points()
    given = {"features": features, "images": images, "metadata": POINTS} | change
    with pytest.raises(ValueError, match=message):
        tensorboard.write_projector(tmp_path, **given)
    assert list(tmp_path.iterdir()) == []


# A real TensorBoard ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Three runs: one of them stopped and gone on, one still without an end."""
    logdir = tmp_path_factory.mktemp("runs")
    write_run(logdir / "first", SETTINGS, 1.0)
    write_run(logdir / "first", SETTINGS, 0.5, success=True)
    write_run(logdir / "second", SETTINGS | {"ema_decay": 0.99}, 2.0, success=False)
    write_run(logdir / "third", SETTINGS, 3.0)
    with tensorboard.make_writer(logdir / "third").as_default():
        for step in range(PICTURES):
            tf.summary.image("samples", np.zeros((1, 2, 2, 1), np.uint8), step=step)
    for name in ("first", "third"):
        tensorboard.write_projector(logdir / name, *points(), POINTS)
    with running_tensorboard(logdir) as running:
        yield running


def test_a_run_is_one_row(server):
    question = {"allowedStatuses": ANY_STATUS, "sliceSize": 10}
    answer = server.json("plugin/hparams/session_groups", question)
    rows = {group["name"]: group for group in answer["sessionGroups"]}
    assert rows.keys() == {"first", "second", "third"}
    assert rows["first"]["hparams"] == SHOWN
    assert rows["second"]["hparams"] == SHOWN | {"ema_decay": 0.99}
    sessions = {name: row["sessions"][0] for name, row in rows.items()}
    statuses = {name: session["status"] for name, session in sessions.items()}
    expected = {"first": "SUCCESS", "second": "FAILURE", "third": "UNKNOWN"}
    assert statuses == {name: f"STATUS_{status}" for name, status in expected.items()}
    (metric,) = rows["first"]["metricValues"]
    assert metric["name"] == {"tag": "epoch/d_loss", "group": ""}
    assert metric["value"] == 0.5


def test_settings_that_differ_come_first(server):
    experiment = server.json("plugin/hparams/experiment", {"experimentName": ""})
    names = [info["name"] for info in experiment["hparamInfos"]]
    assert names == ["ema_decay", *sorted(set(SETTINGS) - {"ema_decay"})]
    kinds = {info["name"]: info["type"] for info in experiment["hparamInfos"]}
    assert kinds["batch_size"] == kinds["generator_learning_rate"] == "DATA_TYPE_FLOAT64"
    assert kinds["augment"] == "DATA_TYPE_BOOL"
    (metric,) = experiment["metricInfos"]
    assert metric["name"]["tag"] == "epoch/d_loss"


def test_the_projector_serves_the_points(server):
    features, images = points()
    assert sorted(server.json("plugin/projector/runs")) == ["first", "third"]
    where = "run=first&name=features"
    (embedding,) = server.json(f"plugin/projector/info?{where}")["embeddings"]
    assert embedding["tensorShape"] == list(features.shape)
    assert server.get(f"plugin/projector/tensor?{where}") == features.tobytes()
    table = server.get(f"plugin/projector/metadata?{where}").decode()
    assert table.splitlines() == ["\t".join(cells) for cells in [("kind", "label"), *CELLS]]
    sprite = Image.open(io.BytesIO(server.get(f"plugin/projector/sprite_image?{where}")))
    np.testing.assert_array_equal(np.asarray(sprite)[:6, :4], images[0])


def test_every_picture_of_a_long_run_is_shown(server):
    shown = server.wait_for(
        "plugin/images/images?run=third&tag=samples&sample=0", lambda found: len(found) == PICTURES
    )
    assert [picture["step"] for picture in shown] == list(range(PICTURES))


def test_the_makefile_starts_the_same_program():
    makefile = (tensorboard_process.ROOT / "Makefile").read_text()
    assert f"$(PY) -c '{tensorboard_process.PROGRAM}'" in makefile


def test_curves_are_scalars_of_their_steps(tmp_path):
    tensorboard.log_curves(tmp_path, {"jsd": ([0, 50], [0.5, 0.25]), "other": ([7], [1.0])})
    assert logged(tmp_path) == {"jsd": {0: 0.5, 50: 0.25}, "other": {7: 1.0}}


def test_no_curves_leave_no_file(tmp_path):
    tensorboard.log_curves(tmp_path, {})
    assert list(tmp_path.iterdir()) == []
