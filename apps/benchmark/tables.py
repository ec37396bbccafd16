"""What `apps.benchmark` prints: one line for each case, and below it its rivals."""

from collections.abc import Callable
from dataclasses import dataclass

UNKNOWN = ""
BESIDE = "  "  # before a rival's name


@dataclass(frozen=True)
class Table:
    """Columns, `{head: (width, function of a result)}`, and what stands below a result."""

    columns: dict[str, tuple[int, Callable]]
    beside: Callable = lambda result: []

    def head(self):
        return "  ".join(f"{text:{width}}" for text, (width, _) in self.columns.items()).rstrip()

    def lines(self, result):
        return "\n".join(self._line(row) for row in [result, *self.beside(result)])

    def _line(self, result):
        cells = (f"{text(result):{width}}" for width, text in self.columns.values())
        return "  ".join(cells).rstrip()


def range_text(spread, form):
    """`median (least to most)`; nothing for what is not known."""
    if spread is None:
        return UNKNOWN
    median, least, most = (format(spread[key], form) for key in ("median", "least", "most"))
    return f"{median} ({least} to {most})"


def _plain(key, form=""):
    return lambda result: UNKNOWN if result.get(key) is None else format(result[key], form)


def _range(key, form):
    return lambda result: range_text(result["summary"].get(key), form)


def _median(key, form):
    return lambda result: (
        format(result["summary"][key]["median"], form) if key in result["summary"] else UNKNOWN
    )


def _rival_rows(result):
    """A rival's images/s, and in a line of its own the ratio to it."""
    rows = []
    for name in result["rivals"]:
        of_rival = result["summary"][f"{name}_images_per_second"]
        ratio = range_text(result["summary"][f"over_{name}"], ".2f")
        rows.append({"variant": f"{BESIDE}{name}", "summary": {"images_per_second": of_rival}})
        rows.append({"variant": f"{BESIDE}ratio to {name}", "text": ratio, "summary": {}})
    return rows


def _rate_or_ratio(result):
    return result.get("text") or _range("images_per_second", ",.0f")(result)


NAMES = {
    "variant": (16, _plain("variant")),
    "batch": (5, _plain("batch_size", ">5")),
    "precision": (14, _plain("precision")),
}
STEPS = Table(
    NAMES
    | {
        "replicas": (8, _plain("replicas", ">8")),
        "images/s": (23, _rate_or_ratio),
        "step, ms": (8, _median("step_milliseconds", ">8,.1f")),
        "MFLOP/image": (11, _plain("mflop_per_image", ">11,.2f")),
        "of matrix product": (23, _range("share_of_matmul", ".1%")),
        "GFLOP/s": (7, _median("matmul_gflop_per_second", ">7,.0f")),
        "input/s": (9, _median("pipeline_images_per_second", ">9,.0f")),
        "first step, s": (13, _plain("first_step_seconds", ">13.1f")),
        "peak MiB": (8, _plain("peak_mib", ">8,.0f")),
    },
    _rival_rows,
)
SCALE = Table(
    {"images": (10, _plain("images", ">10,"))}
    | NAMES
    | {
        "decoded": (9, lambda result: "once" if result["in_memory"] else "each time"),
        "first step, s": (13, _plain("first_step_seconds", ">13.1f")),
        "images/s": (25, lambda result: range_text(result["images_per_second"], ",.0f")),
        "peak MiB": (8, _plain("peak_mib", ">8,.0f")),
        "batch, s: first": (15, _plain("first_batch_seconds", ">15.3f")),
        "in mid-epoch": (12, _plain("mid_epoch_batch_seconds", ">12.3f")),
        "and to open data": (16, _plain("mid_epoch_open_seconds", ">16.2f")),
    }
)


def _share(key):
    return lambda result: format(result["run"][key], "+.1%")


AROUND = Table(
    NAMES
    | {
        "ms a step: bare": (24, _range("bare_step_milliseconds", ".1f")),
        "real / bare step": (22, _range("real_step_over_bare", ".3f")),
        "once, s": (20, _range("once_seconds", ".2f")),
        "scores, s": (20, lambda result: range_text(result["evaluation_seconds"], ".2f")),
        "a run: epochs": (13, _plain("epochs", ">13")),
        "of steps": (8, _plain("steps_per_epoch", ">8,")),
        "its steps": (9, _share("steps_share")),
        "pictures, saves": (15, _share("pictures_and_checkpoints_share")),
        "scores": (8, _share("evaluation_share")),
        "together": (8, _share("share")),
    }
)


def print_scaling(results):
    """What several replicas reach of one's images/s, in processes one after the other."""
    names = ("variant", "batch_size", "precision")
    ones = {tuple(r[n] for n in names): r for r in results if r["replicas"] == 1}
    for result in results:
        one = ones.get(tuple(result[name] for name in names))
        if result["replicas"] > 1 and one is not None:
            rates = [each["summary"]["images_per_second"]["median"] for each in (result, one)]
            print(
                f"{result['variant']}, batch {result['batch_size']}, {result['precision']}: "
                f"{result['replicas']} replicas reach {rates[0] / rates[1]:.1%} of one"
            )
