"""The page of the claims: every experiment is there, in both languages, with its picture."""

import re
from pathlib import Path

import pytest

import keras_gans
from keras_gans.theory.experiments import CLAIMS

FOLDER = Path(keras_gans.__file__).parent / "theory"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_has_its_command_its_sentences_its_number_and_its_picture(name):
    number = CLAIMS[name].number
    (holds,) = re.findall(rf"^\| {number} \| `{name}` \| .+ \| (yes|no|-).*\|$", PAGE, re.M)
    section = PAGE.split(f"### {number}: `make theory CLAIM={name}`\n")[1].split("\n### ")[0]
    (row,) = [line for line in section.splitlines() if line.startswith("| ")][2:]
    english, korean = row.strip("| ").split(" | ")
    assert not HANGUL.search(english)
    assert HANGUL.search(korean)
    pictures = re.findall(r"!\[.+\]\((.+)\)", section)
    assert pictures or holds == "-"  # not measured yet
    assert all((FOLDER / picture).is_file() for picture in pictures)
