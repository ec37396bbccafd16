"""The tables that `apps.benchmark` prints: a line for each case, the baselines' lines below it.

Not by tabulate: it aligns rows that are all there, and these come one by one, minutes apart.
"""


def print_table(columns, results):
    """Prints a head, then each of the nested dictionaries as soon as it is there; returns them all.

    `columns` are `{head: (width, path of keys in a result, format)}`.
    """
    print("\n" + "  ".join(f"{head:{columns[head][0]}}" for head in columns).rstrip(), flush=True)
    shown = []
    for result in results:
        shown.append(result)
        for row in [result, *_baseline_rows(result)]:
            cells = (f"{_cell(row, *where):{width}}" for width, *where in columns.values())
            print("  ".join(cells).rstrip(), flush=True)
    return shown


def _baseline_rows(result):
    """A baseline's images/s, and in a row of its own the ratio to it."""
    for name in result.get("baselines", ()):
        rate = result["summary"][f"{name}_images_per_second"]
        ratio = range_text(result["summary"][f"over_{name}"], ".2f")
        yield {"variant": f"  {name}", "summary": {"images_per_second": rate}}
        yield {"variant": f"  ratio to {name}", "summary": {"images_per_second": ratio}}


def _cell(result, path, form):
    """What stands at a path such as `summary.step_milliseconds`; nothing where that is unknown."""
    value = result
    for key in path.split("."):
        value = (value or {}).get(key)
    if isinstance(value, dict):
        return range_text(value, form)
    if value is None or isinstance(value, str):
        return value or ""
    return form[value] if isinstance(form, dict) else format(value, form)


def range_text(spread, form):
    """Words a spread: `median (least to most)`; nothing for what is not known."""
    if spread is None:
        return ""
    return f"{spread['median']:{form}} ({spread['least']:{form}} to {spread['most']:{form}})"


CASE = {
    "variant": (16, "variant", ""),
    "batch": (5, "batch_size", ">5"),
    "precision": (14, "precision", ""),
}
STEPS = CASE | {
    "replicas": (8, "replicas", ">8"),
    "images/s": (23, "summary.images_per_second", ",.0f"),
    "step, ms": (8, "summary.step_milliseconds.median", ">8,.1f"),
    "MFLOP/image": (11, "mflop_per_image", ">11,.2f"),
    "of matrix product": (23, "summary.share_of_matmul", ".1%"),
    "GFLOP/s": (7, "summary.matmul_gflop_per_second.median", ">7,.0f"),
    "input/s": (9, "summary.pipeline_images_per_second.median", ">9,.0f"),
    "first step, s": (13, "first_step_seconds", ">13.1f"),
    "peak MiB": (8, "peak_mib", ">8,.0f"),
}
SCALE = {"images": (10, "images", ">10,")} | CASE
SCALE |= {
    "decoded": (9, "in_memory", {True: "once", False: "each time"}),
    "first step, s": STEPS["first step, s"],
    "images/s": (25, "images_per_second", ",.0f"),
    "peak MiB": STEPS["peak MiB"],
    "batch, s: first": (15, "first_batch_seconds", ">15.3f"),
    "in mid-epoch": (12, "mid_epoch_batch_seconds", ">12.3f"),
    "and to open data": (16, "mid_epoch_open_seconds", ">16.2f"),
}
AROUND = CASE | {
    "ms a step: bare": (24, "summary.bare_step_milliseconds", ".1f"),
    "real / bare step": (22, "summary.real_step_over_bare", ".3f"),
    "once, s": (20, "summary.once_seconds", ".2f"),
    "scores, s": (20, "evaluation_seconds", ".2f"),
    "a run: epochs": (13, "epochs", ">13"),
    "of steps": (8, "steps_per_epoch", ">8,"),
    "its steps": (9, "run.steps_share", "+.1%"),
    "pictures, saves": (15, "run.pictures_and_checkpoints_share", "+.1%"),
    "scores": (8, "run.evaluation_share", "+.1%"),
    "together": (8, "run.share", "+.1%"),
}


def print_scaling(results):
    """Prints what several replicas reach of one's images/s, each measured in its own process."""
    rates = {}
    for result in results:
        case = f"{result['variant']}, batch {result['batch_size']}, {result['precision']}"
        rates[case, result["replicas"]] = result["summary"]["images_per_second"]["median"]
    for (case, replicas), rate in rates.items():
        if replicas > 1 and (case, 1) in rates:
            print(f"{case}: {replicas} replicas reach {rate / rates[case, 1]:.1%} of one")
