"""How training goes, on a terminal and in a log file."""

import io

import keras_gans as kg
from tests.models.own_variant import compiled, fit


def test_progress_in_a_log_file_is_a_line_with_losses_and_rate():
    log = io.StringIO()
    progress = kg.callbacks.Progress(8, steps_per_epoch=3, epochs=2, file=log)
    progress.SECONDS_BETWEEN_LINES = 1e9  # only the last epoch's line is due, however slow
    fit(compiled(), progress, epochs=2)
    progress.close()
    (line,) = log.getvalue().splitlines()
    assert line.startswith("epoch 2/2  energy 0.")
    # Losses alone, by what the model says of its logs.
    assert "slope" not in line
    assert "size" not in line
    assert line.endswith("images/s")
    assert "\r" not in log.getvalue()


def test_on_a_terminal_it_is_a_bar_with_losses():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    log = Terminal()
    progress = kg.callbacks.Progress(8, steps_per_epoch=3, epochs=2, file=log)
    fit(compiled(), progress, epochs=2)
    progress.close()
    last = log.getvalue().split("\r")[-1]
    assert last.startswith("epoch 2/2 |")
    assert "100%" in last
    assert ", energy 0." in last
    assert "size" not in last
