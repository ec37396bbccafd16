"""Names of files and classes in one line of text."""


def shortened(names, most=5):
    """Lists names in one line, the first ones of many: `cat, dog, ... (12)`."""
    shown = ", ".join(map(printable, list(names)[:most]))
    return shown if len(names) <= most else f"{shown}, ... ({len(names):,})"


def printable(name):
    """A file's name as one line of text; it can hold line breaks, or be no text."""
    return name if name.isprintable() else repr(name)
