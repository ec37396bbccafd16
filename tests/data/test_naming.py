"""Names of files and classes in one line of text."""

import pytest

from keras_gans.data.naming import printable, shortened


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b.png", "a b.png"),
        ("한국어", "한국어"),
        ("a\nb.png", r"'a\nb.png'"),
        ("a\x1b[31m.png", r"'a\x1b[31m.png'"),
        ("caf\udce9.png", r"'caf\udce9.png'"),  # bytes of a disk that are no UTF-8
        ("", ""),
    ],
)
def test_a_name_is_one_line_that_a_terminal_can_show(name, shown):
    assert printable(name) == shown
    assert printable(name).isprintable()


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, ""), (1, "c0"), (5, "c0, c1, c2, c3, c4"), (1234, "c0, c1, c2, c3, c4, ... (1,234)")],
)
def test_of_many_names_the_first_are_shown_and_their_number(count, shown):
    assert shortened([f"c{index}" for index in range(count)]) == shown


def test_keys_are_shown_as_they_come_and_no_more_than_asked():
    assert shortened({"b": 1, "a\n": 2, "c": 3}, most=2) == r"b, 'a\n', ... (3)"
