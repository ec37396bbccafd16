"""The size that pictures of a folder are trained at, where nobody asks for one."""

from statistics import median

SMALLEST, LARGEST_ON_CPU, LARGEST_ON_GPU = 16, 64, 256
BY_DEFAULT = (64, 64)
DIVISOR = 4  # sizes of which all networks can make images


def choose_size(sides, on_gpu):
    """Chooses `((height, width), reason)` by the sizes of pictures and by the device.

    Pictures of one size that the device can take stay as they are. Else it is the largest power of
    two that does not enlarge most of them: networks halve and double sides.

    Args:
        sides: `[(height, width)]` of some of the pictures; of none the size is 64 x 64.
        on_gpu: Whether there is a GPU: at most 256 px then, 64 px on a CPU.
    """
    if not sides:
        return BY_DEFAULT, "as no picture tells its size"
    largest = LARGEST_ON_GPU if on_gpu else LARGEST_ON_CPU
    device = "a GPU" if on_gpu else "a CPU"
    if len(set(sides)) == 1 and min(sides[0]) >= SMALLEST and max(sides[0]) <= largest:
        return sides[0], "as the pictures are"
    shorter = median(min(pair) for pair in sides)
    side = SMALLEST
    while 2 * side <= min(shorter, largest):
        side *= 2
    if shorter < SMALLEST:
        return (side, side), f"the least, as most pictures are {shorter:g} px or less"
    if 2 * side > largest:
        return (side, side), f"the most that {device} is given, of pictures of about {shorter:g} px"
    return (side, side), f"as most pictures are {side} px or more, and not {2 * side}"


def enlarged_note(size, sides):
    """What a user should know of a size that he asks for; None if it enlarges few pictures."""
    if not sides or min(size) <= (shorter := median(min(pair) for pair in sides)):
        return None
    advice = -(-min(choose_size(sides, on_gpu=True)[0]) // DIVISOR) * DIVISOR
    if advice >= min(size):
        return None
    return (
        f"most pictures are {shorter:g} px or less, which {size[0]} x {size[1]} enlarges: "
        f"--image-size {advice} loses nothing and takes less time"
    )
