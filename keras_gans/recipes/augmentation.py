"""Settings of augmentation, of what a discriminator sees; the default goes by the data."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from keras_gans.data import diff_augment
from keras_gans.errors import InputError
from keras_gans.recipes.base import Recipe, setting

# `auto` changes what D sees where it would learn the images by heart: few images, seen often.
# Zhao 2020 (arXiv 2006.10738), in runs of thousands of epochs, gains most on 100 images (a Frechet
# distance of 80.2 falls to 46.9) and still on 10,000 (23.1 to 12.2); on 70,000 it loses (3.8 to
# 4.2). Shorter runs only get slower: conditional GAN, 1,797 digits, 60 epochs, 5.6 without and
# 25.3 with it; 300 digits, 120 epochs, 6.9 and 20.9, and without it better and better to 400.
# R3GAN on 300 photos of frogs, by random features: without it 0.58 at epoch 237, 0.72 at 474, 0.93
# at 780, as D knows them by heart; with it 0.93, 0.75, 0.65, and cleaner pictures.
FEW_IMAGES = 10_000
MANY_EPOCHS = 500


@dataclass(frozen=True, kw_only=True)
class AugmentedRecipe(Recipe):
    """The settings of a variant whose discriminator can see its images changed."""

    absent: ClassVar[dict] = {
        **Recipe.absent, "augment": "none", "augment_policy": [], "flip": False
    }  # fmt: skip

    augment: Literal["auto", "none", "diffaugment", "ada"] = setting(
        "auto",
        "how D sees real and generated images: as they are, changed each time, or changed with a "
        f"probability that follows D; auto: diffaugment for fewer than {FEW_IMAGES:,} images over "
        f"{MANY_EPOCHS:,} epochs or more, else none",
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
        # All of them is what the configuration of a run says whose policy nobody chose.
        is_chosen = tuple(self.augment_policy or ()) not in ((), diff_augment.POLICY)
        if is_chosen and self.augment not in ("auto", "diffaugment"):
            raise InputError(
                f"augment_policy needs augment=diffaugment. Received: augment={self.augment} with "
                f"augment_policy={self.augment_policy!r}"
            )

    def with_augmentation(self, source):
        """Returns the recipe with `augment` and its policy filled in, by the data and `epochs`."""
        augment = self.augment
        if augment == "auto":
            default, _ = default_augment(source.train.size, self.epochs)
            augment = "diffaugment" if self.augment_policy else default
        policy = ()
        if augment == "diffaugment":
            policy = tuple(self.augment_policy or diff_augment.POLICY)
        return replace(self, augment=augment, augment_policy=policy)

    def augmentation(self, source):
        """Returns the names of augmentations for a model's constructor, or None."""
        recipe = self.with_augmentation(source)
        flip = ("flip",) if self.flip else ()
        adaptive = ("ada",) if recipe.augment == "ada" else ()
        return (*flip, *adaptive, *recipe.augment_policy) or None

    def choices(self, source):
        """Says in words what a run's discriminator sees, and why; see `Recipe.choices`."""
        recipe, names = self.with_augmentation(source), self.augmentation(source)
        default, reason = default_augment(source.train.size, self.epochs)
        text = f"{recipe.augment}, {reason if recipe.augment == default else 'as asked'}"
        text = f"{text}: D sees {', '.join(names)}" if names else text
        return [("augment", text)]


def default_augment(images, epochs):
    """Returns what `auto` stands for, "diffaugment" or "none", and why; without epochs "none"."""
    if images >= FEW_IMAGES:
        return "none", f"as there are {images:,} images"
    if (epochs or 0) < MANY_EPOCHS:
        return "none", f"as there are fewer than {MANY_EPOCHS:,} epochs"
    return "diffaugment", f"as there are only {images:,} images, over {epochs:,} epochs"
