"""PNG and JPEG files inside a graph: their sizes, before they are decoded, and their pixels."""

import numpy as np
import tensorflow as tf

from keras_gans.data import pixels

PNG_START, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
LUMA = (19595, 38470, 7471)  # of 65536: ITU-R BT.601, as Pillow and JPEG have it
PNG_HEAD = 24  # bytes up to the end of width and height
ALPHA_TYPES = [b"\x04", b"\x06"]  # gray and colours with alpha, by the byte after the depth
SIDE_OF_NONE = 8  # px, of the images that no file holds
EXIF_HEAD = 2**14  # bytes from a JPEG file's start in which its EXIF data is looked for
# Its tag 0x0112, Orientation, from 1 to 8, in little and in big endian: an entry of 12 bytes among
# those of the first directory, which begins behind a head of 8.
ORIENTATION = (
    r"^\C*?Exif\x00\x00(?:"
    r"II\*\x00\x08\x00\x00\x00\C\C(?:\C{12}){0,60}?\x12\x01\x03\x00\x01\x00\x00\x00([\x01-\x08])|"
    r"MM\x00\*\x00\x00\x00\x08\C\C(?:\C{12}){0,60}?\x01\x12\x00\x03\x00\x00\x00\x01\x00([\x01-\x08])"
    r")\C*$"
)
FIRST_TRANSPOSED = 5  # orientations from 5 on have rows for columns
UPSIDE_DOWN, MIRRORED = {3, 4, 7, 8}, {2, 3, 6, 7}
REVERSED_AXES = np.array([[n in UPSIDE_DOWN, n in MIRRORED, False] for n in range(9)])


def assured(condition, tensor, message, summarize=3):
    """Returns `tensor`, or refuses it with `message` when the graph finds `condition` false.

    Of `message`, a list of words and tensors, `summarize` values of each tensor are shown.
    """
    message = [tf.convert_to_tensor(each) for each in message]
    # `tf.debugging.Assert` would put each into a branch of its own.
    check = tf.raw_ops.Assert(condition=condition, data=message, summarize=summarize)
    with tf.control_dependencies([check]):
        return tf.identity(tensor)


def image_sizes(image_bytes):
    """Reads the heights and widths of files, string `[n]`, from their first bytes: int64 `[n, 2]`.

    Refuses, inside the graph, what is neither PNG nor JPEG.
    """
    size = tf.TensorSpec([2], tf.int64)
    return tf.map_fn(_size, tf.ensure_shape(image_bytes, [None]), fn_output_signature=size)


def _is_png(contents):
    return tf.strings.substr(contents, 0, len(PNG_START)) == PNG_START


# AutoGraph, for which there is nothing to do here, would take half a second to translate these.
@tf.autograph.experimental.do_not_convert
def _size(contents):
    is_png = _is_png(contents)
    is_png &= tf.strings.length(contents) >= PNG_HEAD
    is_jpeg = tf.strings.substr(contents, 0, len(JPEG_START)) == JPEG_START
    message = "image_bytes must hold PNG or JPEG files"
    contents = assured(is_png | is_jpeg, contents, [message])

    def of_png():
        width_and_height = tf.io.decode_raw(tf.strings.substr(contents, 16, 8), tf.uint8)
        bytes_of_each = tf.cast(tf.reshape(width_and_height, [2, 4]), tf.int64)
        worth = tf.constant([2**24, 2**16, 2**8, 1], tf.int64)
        return tf.reverse(tf.reduce_sum(bytes_of_each * worth, axis=1), [0])

    def of_jpeg():
        size = tf.cast(tf.io.extract_jpeg_shape(contents)[:2], tf.int64)
        return tf.where(_orientation(contents) < FIRST_TRANSPOSED, size, size[::-1])

    return tf.cond(is_png, of_png, of_jpeg)


def _orientation(contents):
    """How a JPEG file is to be turned, by its EXIF data: int32 from 1, as it is, to 8."""
    head = tf.strings.substr(contents, 0, EXIF_HEAD)
    found = tf.strings.regex_replace(head, ORIENTATION, r"\1\2")
    # Where nothing is found the head comes back.
    byte = tf.io.decode_raw(tf.strings.substr(found + b"\x01", 0, 1), tf.uint8)[0]
    return tf.where(tf.strings.length(found) == 1, tf.cast(byte, tf.int32), 1)


def decode_images(image_bytes, channels, size=(None, None)):
    """Decodes PNG or JPEG files, string `[n]`, to uint8 `[n, height, width, channels]`.

    Refuses, inside the graph, what cannot be decoded, and files of two sizes, or of another `size`
    (height, width; None where it is open). `channels` are 1 or 3, whatever the files have. As in
    training, what is transparent lies on white, and JPEG files are turned upright by their EXIF
    data, where that is among the first 16 KiB. Of PNG files, EXIF data is not read.
    """
    sizes = image_sizes(image_bytes)
    wanted = [[-1 if side is None else side for side in size]]
    same = tf.reduce_all((sizes == sizes[:1]) & ((sizes == wanted) | tf.less(wanted, [[0]])))
    name = "one size" if None in size else f"{size[0]} x {size[1]} pixels"
    message = f"image_bytes must hold images of {name} (height, width). Received:"
    image_bytes = assured(same, image_bytes, [message, sizes], summarize=16)
    image = tf.TensorSpec((*size, channels), tf.uint8)

    def decoded():
        @tf.autograph.experimental.do_not_convert
        def one(contents):
            image = tf.cond(
                _is_png(contents),
                lambda: _png_on_white(contents, channels),
                lambda: _upright_jpeg(contents, channels),
            )
            return tf.ensure_shape(image, (*size, channels))

        return tf.map_fn(one, image_bytes, fn_output_signature=image)

    def none():
        return tf.zeros((0, *(side or SIDE_OF_NONE for side in size), channels), tf.uint8)

    return tf.cond(tf.size(image_bytes) > 0, decoded, none)


def _upright_jpeg(contents, channels):
    image, orientation = tf.io.decode_jpeg(contents, channels), _orientation(contents)
    transposed = orientation >= FIRST_TRANSPOSED
    image = tf.cond(transposed, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
    return tf.raw_ops.Reverse(tensor=image, dims=tf.gather(REVERSED_AXES, orientation))


def _png_on_white(contents, channels):
    def opaque():
        # Asked for alpha that there is none of, TensorFlow misreads palettes and single bits.
        image = tf.io.decode_png(contents, 3)
        return tf.pad(image, [[0, 0], [0, 0], [0, 1]], constant_values=tf.constant(255, tf.uint8))

    has_alpha = tf.reduce_any(tf.strings.substr(contents, 25, 1) == ALPHA_TYPES)
    # A palette or a single colour is made transparent by a chunk of its own, before the pixels.
    first_chunk = tf.strings.regex_replace(contents, r"^\C*?(IDAT|tRNS)\C*$", r"\1")
    has_alpha |= first_chunk == "tRNS"
    rgba = tf.cond(has_alpha, lambda: tf.io.decode_png(contents, 4), opaque)
    rgba = tf.cast(rgba, tf.int32)
    color, alpha = rgba[..., :3], rgba[..., 3:]
    image = (color * alpha + 255 * (255 - alpha) + 127) // 255
    if channels == 1:
        image = (tf.reduce_sum(image * LUMA, axis=-1, keepdims=True) + 2**15) // 2**16
    return tf.cast(image, tf.uint8)


def encode_png(images):
    """Encodes images `float32 [n, h, w, c]` in [-1, 1], else clipped, as PNG files, string `[n]`.

    An output that carries them needs a name that ends in `_bytes`: only then does TF Serving send
    it as base64.
    """
    return tf.io.encode_png(pixels.to_uint8_tensor(images))
