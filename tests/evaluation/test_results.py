"""The file that keeps a run's scores: entries, names of earlier versions, damage."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from keras_gans.errors import InputError, RunError
from keras_gans.evaluation import results

ENTRY = {"protocol": {}, "scores": {}, "floor": {}}


def test_entries_stand_beside_one_another_and_replace_their_own(tmp_path):
    path = tmp_path / "metrics.json"
    assert results.read(path) == {}
    results.write(path, "a_1_pixels", ENTRY)
    other = ENTRY | {"scores": {"mmd_1_pixels": {"value": 2.0, "standard_error": None}}}
    results.write(path, "b_1_pixels", other)
    results.write(path, "a_1_pixels", other)
    assert results.read(path) == {"a_1_pixels": other, "b_1_pixels": other}
    assert list(results.read(path)) == ["b_1_pixels", "a_1_pixels"]  # the newest is the last


def test_of_several_writers_none_loses_an_entry(tmp_path):
    """As a training and `make evaluate` of the same run."""
    path = tmp_path / "metrics.json"
    keys = [f"epoch_{epoch}_1_pixels" for epoch in range(80)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: results.write(path, key, ENTRY), keys))
    assert set(results.read(path)) == set(keys)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_scores_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot write"):
        results.write(tmp_path / "file" / "metrics.json", "key", ENTRY)
    with pytest.raises(InputError, match=f"^cannot read {tmp_path}: Is a directory$"):
        results.read(tmp_path)


def test_what_an_earlier_version_wrote_is_read_by_todays_names(tmp_path):
    score = {"value": 1.5, "standard_error": None}
    protocol = {"features": "inception", "generated_images": 20}
    entry = {"protocol": protocol, "scores": {"kid_20_inception": score}, "floor": {}}
    entry["floor"] = {"parzen_20_pixels": score}
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"evaluations": {"best_20_inception": entry}}))
    assert results.read(path) == {
        "best_20_inception_keras": {
            "protocol": {"features": "inception_keras", "generated_images": 20},
            "scores": {"kid_20_inception_keras": score},
            "floor": {"parzen_20_pixels": score},
        }
    }
    best = {"metric": "fid_2k_classifier", "value": 3.0, "epoch": 4, "step": 5}
    best["scores"] = {"fid_2k_classifier": score}
    (tmp_path / "best.json").write_text(json.dumps(best))
    found = results.read_best(tmp_path / "best.keras")
    assert found["metric"] == "frechet_2k_classifier"
    assert found["scores"] == {"frechet_2k_classifier": score}


@pytest.mark.parametrize("text", ["{", "{}", '{"metric": 3, "value": 1}', "\xff"])
def test_damaged_notes_of_the_best_checkpoint(tmp_path, text):
    (tmp_path / "best.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"best.json is damaged: delete it"):
        results.read_best(tmp_path / "best.keras")
    assert results.read_best(tmp_path / "none.keras") is None
