"""PNG and JPEG files inside a graph: their sizes, before they are decoded, and their pixels."""

import tensorflow as tf

from keras_gans.data import pixels

PNG_START, JPEG_START = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
PNG_HEAD = 24  # bytes up to the end of width and height
SIDE_OF_NONE = 8  # px, of the images that no file holds


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


def _size(contents):
    is_png = tf.strings.substr(contents, 0, len(PNG_START)) == PNG_START
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
        return tf.cast(tf.io.extract_jpeg_shape(contents)[:2], tf.int64)

    return tf.cond(is_png, of_png, of_jpeg)


def decode_images(image_bytes, channels, size=(None, None)):
    """Decodes PNG or JPEG files, string `[n]`, to uint8 `[n, height, width, channels]`.

    Refuses, inside the graph, what cannot be decoded, and files of two sizes, or of another `size`
    (height, width; None where it is open). `channels` are 1 or 3, whatever the files have.
    """
    sizes = image_sizes(image_bytes)
    wanted = [[-1 if side is None else side for side in size]]
    same = tf.reduce_all((sizes == sizes[:1]) & ((sizes == wanted) | tf.less(wanted, [[0]])))
    name = "one size" if None in size else f"{size[0]} x {size[1]} pixels"
    message = f"image_bytes must hold images of {name} (height, width). Received:"
    image_bytes = assured(same, image_bytes, [message, sizes], summarize=16)
    image = tf.TensorSpec((*size, channels), tf.uint8)

    def decoded():
        def one(contents):
            return tf.io.decode_image(contents, channels, expand_animations=False)

        return tf.map_fn(one, image_bytes, fn_output_signature=image)

    def none():
        return tf.zeros((0, *(side or SIDE_OF_NONE for side in size), channels), tf.uint8)

    return tf.cond(tf.size(image_bytes) > 0, decoded, none)


def encode_png(images):
    """Encodes images `float32 [n, h, w, c]` in [-1, 1], else clipped, as PNG files, string `[n]`.

    An output that carries them needs a name that ends in `_bytes`: only then does TF Serving send
    it as base64.
    """
    return tf.io.encode_png(pixels.to_uint8_tensor(images))
