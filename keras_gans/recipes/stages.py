"""Settings of convolutional networks that grow with the image, for the recipes that have them."""

from dataclasses import dataclass

from keras_gans.errors import InputError
from keras_gans.networks import convolutional
from keras_gans.recipes.base import setting


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """How many feature maps the stages have; see `networks.convolutional.stage_widths`."""

    width: int | None = setting(
        None,
        "feature maps at a half of the images' size, twice as many a stage; default: 64 up to 64 "
        "px, 32 up to 256 px, 16 beyond",
        low=1,
    )
    max_width: int | None = setting(
        None,
        f"feature maps of a stage, at most; default: {convolutional.MAX_WIDTH}",
        source="Radford 2015 (arXiv 1511.06434), figure 1",
        low=1,
    )
    filters: tuple[int, ...] | None = setting(
        None,
        "instead, feature maps of each of G's stages, from the smallest maps on; D's in reverse",
        low=1,
    )

    def widths_text(self, image_shape):
        """Says how wide the stages are, and why."""
        widths = ", ".join(map(str, self.stage_widths(image_shape)))
        open_ones = self.width is None and self.max_width is None and self.filters is None
        return f"{widths} feature maps, {'by the size of the images' if open_ones else 'as asked'}"

    def stage_widths(self, image_shape):
        """Returns the feature maps of every stage, from the smallest maps to the largest.

        Raises InputError if there is none, the images are of no size that has defaults, or widths
        are given in two ways.
        """
        if self.filters is None:
            return convolutional.stage_widths(image_shape, self.width, self.max_width)
        if not self.filters:
            raise InputError("filters must name a stage at least. Received: filters=()")
        for name in ("width", "max_width"):
            if getattr(self, name) is not None:
                raise InputError(
                    f"filters names the feature maps of every stage: leave {name} or filters out. "
                    f"Received: {name}={getattr(self, name)}, filters={self.filters}"
                )
        return self.filters
