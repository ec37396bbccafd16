"""Settings of augmentation, of what a discriminator sees; the default goes by the data."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from keras_gans.data import diff_augment
from keras_gans.errors import InputError
from keras_gans.recipes.base import Recipe, setting

# Zhao 2020 (arXiv 2006.10738) gains most on hundreds of images (100: a distance of 80.2 falls to
# 46.9) and still on 5,000 and 10,000 (36.0 to 14.5, 23.1 to 12.2); on 70,000 it loses (3.8 to 4.2).
FEW_IMAGES = 10_000


@dataclass(frozen=True, kw_only=True)
class AugmentedRecipe(Recipe):
    """The settings of a variant whose discriminator can see its images changed."""

    absent: ClassVar[dict] = {"augment": "none", "augment_policy": [], "flip": False}

    augment: Literal["auto", "none", "diffaugment", "ada"] = setting(
        "auto",
        "how D sees real and generated images: as they are, changed each time, or changed with a "
        f"probability that follows D; auto: diffaugment below {FEW_IMAGES:,} images",
        source="diffaugment: Zhao 2020 (arXiv 2006.10738); ada: Karras 2020 (2006.06676)",
    )
    augment_policy: tuple[Literal[diff_augment.POLICY], ...] | None = setting(
        None, "what diffaugment changes; default: colour, place and a hole", source="Zhao 2020"
    )
    flip: bool = setting(
        False, "whether D sees half of all images mirrored: of photos say, not of letters"
    )

    def __post_init__(self):
        super().__post_init__()
        if self.augment_policy and self.augment not in ("auto", "diffaugment"):
            raise InputError(
                f"augment_policy needs augment=diffaugment. Received: augment={self.augment} with "
                f"augment_policy={self.augment_policy!r}"
            )

    def with_augmentation(self, source):
        """Returns the recipe with no setting of augmentation left open, by the data."""
        augment = self.augment
        if augment == "auto":
            augment = "diffaugment" if self.augment_policy else default_augment(source)
        policy = ()
        if augment == "diffaugment":
            policy = tuple(self.augment_policy or diff_augment.POLICY)
        return replace(self, augment=augment, augment_policy=policy)

    def augmentation(self, source):
        """Returns the names of augmentations for a model's constructor, or None."""
        recipe = self.with_augmentation(source)
        adaptive = ("ada",) if recipe.augment == "ada" else ()
        return (*(("flip",) if self.flip else ()), *adaptive, *recipe.augment_policy) or None

    def describe_augmentation(self, source):
        """Says in words which augmentation a run has, and why."""
        names = self.augmentation(source)
        text = f"{self.augment}: {', '.join(names)}" if names else "none"
        if self.augment == default_augment(source):
            few = "fewer than" if source.train.size < FEW_IMAGES else "at least"
            return f"{text}; {source.train.size:,} images are {few} {FEW_IMAGES:,}"
        return f"{text}, as asked"


def default_augment(source):
    """Returns what `auto` stands for with a data source."""
    return "diffaugment" if source.train.size < FEW_IMAGES else "none"
