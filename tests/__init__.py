import apps.quiet  # noqa: F401
