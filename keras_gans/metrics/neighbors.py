"""Nearest rows and balls around rows, by Euclidean distance, for sets of any size.

Products of BLAS in float64 find the candidates; what could be decided by their rounding is decided
by the differences themselves. So a row that stands in both sets is found at distance 0, and results
do not depend on the tiles. The sets are read by slices and by row numbers alone: a `numpy.memmap`
serves, and so do images that are read as they are sliced.

Neighbours are scikit-learn's. Balls are not: it has no balls of different radii, and distances of
its `pairwise_distances_chunked` leave 76 of 10,000 rows of 128 numbers out of the ball that reaches
to them, in 1.1 to 1.5 times the time.
"""

import itertools

import numpy as np

from keras_gans.errors import InputError, is_integer
from keras_gans.metrics.tiles import as_rows, check_sides, read_numbers, tiles

# All points are read once for every so many queries, fewer of long rows: 512 MiB of float64.
QUERY_ROWS, QUERY_VALUES = 16384, 2**26
POINT_ROWS = 1024
TILE_VALUES = 2**23  # of long rows any other tile has fewer: 64 MiB
SPARE = 2  # candidates beyond the k nearest: rounding may have put them in the wrong order
TIE = 1e-12  # what is equal to so many digits lies on the surface
LARGEST = 1e15  # beyond it squares lose all that distinguishes rows


def kth_nearest(points, k, within=None):
    """Distance float64 `[n]` of every row to its k-th nearest other row.

    Args:
        points: Finite numbers `[n, d]`.
        k: Positive integer. Equal rows are each other's neighbours, at distance 0.
        within: Finite numbers `[m, d]`: where to look for neighbours instead of in `points`. No
            row is left out then.

    Raises:
        InputError: For other shapes, numbers that are not finite, or fewer than k neighbours.
    """
    alone = within is None
    points, within = _pair(points=points, within=points if alone else within)
    check_k(k)
    if len(within.data) - alone < k:
        raise InputError(f"k={k} needs at least {k + alone} rows. Received: {len(within.data)}")
    # A row's nearest is the row itself, or one that is equal to it.
    return _nearest(points, within, k + alone)[0][:, -1]


def nearest(queries, points):
    """The nearest row of `points [m, d]` for every row of `queries [n, d]`, finite numbers.

    Returns:
        `(distances, indices)`: float32 `[n]`, and int64 `[n]`, row numbers of `points`. Of equally
        near rows it may be any.

    Raises:
        InputError: For other shapes, or numbers that are not finite.
    """
    distances, indices = _nearest(*_pair(queries=queries, points=points), 1)
    return distances[:, 0].astype(np.float32), indices[:, 0]


def count_inside(queries, centres, radii):
    """Counts which rows lie in which balls. The surface belongs to a ball.

    Args:
        queries, centres: Finite numbers `[n, d]` and `[m, d]`.
        radii: Finite numbers >= 0 `[m]`, one for each centre.

    Returns:
        `(balls, members)`: int64 `[n]`, the balls around each query, and int64 `[m]`, the queries
        in each ball.

    Raises:
        InputError: For other shapes, or numbers that are not finite.
    """
    queries, centres = _pair(queries=queries, centres=centres)
    radii, count = np.asarray(radii, np.float64), len(centres.data)
    if radii.shape != (count,):
        raise InputError(f"radii must have the shape [{count}]. Received: {list(radii.shape)}")
    if not (radii.min() >= 0.0 and radii.max() < np.inf):
        received = f"from {radii.min():g} to {radii.max():g}"
        raise InputError(f"radii must be finite and at least 0. Received: {received}")
    balls, members = np.zeros(len(queries.data), np.int64), np.zeros(count, np.int64)
    for rows in queries.tiles(QUERY_ROWS):
        tile = queries.read(rows)
        for columns in centres.tiles(POINT_ROWS):
            inside = _inside(tile, centres.read(columns), np.square(radii[columns]))
            balls[rows] += np.count_nonzero(inside, axis=1)
            members[columns] += np.count_nonzero(inside, axis=0)
    return balls, members


def real_and_generated(real, generated, k):
    """Returns both sets, checked: each row of each has a k-th nearest neighbour in its own set.

    Raises:
        InputError: Where that is not so; for other shapes, or numbers that are not finite.
    """
    check_k(k)
    real, generated = as_rows(real, "real features"), as_rows(generated, "generated features")
    check_sides(f"k={k}", k + 1, real=real.shape, generated=generated.shape)
    for rows, name in ((real, "real features"), (generated, "generated features")):
        for _ in tiles(rows, name):
            pass
    return real, generated


def check_k(k):
    """Raises InputError unless k is a positive integer."""
    if not is_integer(k, 1):
        raise InputError(f"k must be a positive integer. Received: k={k!r}")


class _Rows:
    """A set of rows, read a tile at a time as float64."""

    def __init__(self, data, name):
        self.data = as_rows(data, name)
        self.name = name

    def read(self, rows):
        """Reads rows, by a slice or by their numbers, as float64."""
        values = read_numbers(self.data, rows, self.name)
        low, high = float(values.min()), float(values.max())
        # Any comparison with NaN is false.
        if not (low >= -LARGEST and high <= LARGEST):
            raise InputError(
                f"{self.name} must be finite and no larger than {LARGEST:g}. "
                f"Received: from {low:g} to {high:g}"
            )
        return values.astype(np.float64)

    def tiles(self, most, values=None):
        """Returns slices of all rows, in order: at most so many each, fewer of long rows."""
        size, width = self.data.shape
        step = max(1, min(most, (values or TILE_VALUES) // width))
        return [slice(first, min(first + step, size)) for first in range(0, size, step)]


def _pair(**sets):
    """Two sets, given by name, that can be compared."""
    pair = [_Rows(data, name) for name, data in sets.items()]
    check_sides("a search for neighbours", 1, **{rows.name: rows.data.shape for rows in pair})
    return pair


def _nearest(queries, points, k):
    """Distances float64 [n, k] to the k nearest points, in order, and their rows int64 [n, k]."""
    from sklearn.neighbors import NearestNeighbors  # loads scipy: a second, for scores alone

    distances, indices = np.empty((len(queries.data), k)), np.empty((len(queries.data), k), int)
    for rows in queries.tiles(QUERY_ROWS, QUERY_VALUES):
        tile = queries.read(rows)
        best, where = np.empty((len(tile), 0)), np.empty((len(tile), 0), np.int64)
        for columns in points.tiles(QUERY_ROWS):
            keep = min(k + SPARE, columns.stop - columns.start)
            search = NearestNeighbors(n_neighbors=keep, algorithm="brute").fit(points.read(columns))
            found, places = search.kneighbors(tile)
            best = np.concatenate([best, found], axis=1)
            where = np.concatenate([where, columns.start + places], axis=1)
            order = np.argsort(best, axis=1)[:, : k + SPARE]
            best, where = (np.take_along_axis(each, order, axis=1) for each in (best, where))
        # scikit-learn's distances come of products: equal rows may be 1e-8 apart.
        step = max(1, TILE_VALUES // tile.shape[1])
        for first, place in itertools.product(range(0, len(tile), step), range(best.shape[1])):
            part = slice(first, first + step)
            gaps = points.read(where[part, place]) - tile[part]
            best[part, place] = np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
        order = np.lexsort((where, best))[:, :k]
        distances[rows] = np.take_along_axis(best, order, axis=1)
        indices[rows] = np.take_along_axis(where, order, axis=1)
    return distances, indices


def _inside(queries, centres, squared_radii):
    """Which queries lie in which balls: bool [queries, centres]."""
    norms = [np.einsum("ij,ij->i", rows, rows) for rows in (queries, centres)]
    beyond = np.matmul(-2.0 * queries, centres.T)
    beyond += norms[0][:, None]
    beyond += norms[1] - squared_radii
    # Half an epsilon for each term of a product (Higham 2002, section 3.1), and some for the rest.
    roundoff = (queries.shape[1] + 64) * np.finfo(np.float64).eps * sum(n.max() for n in norms)
    inside, perhaps = beyond <= -roundoff, beyond <= roundoff
    first, second = np.nonzero(inside != perhaps)
    step = max(1, TILE_VALUES // queries.shape[1])  # there may be as many as pairs
    for part in (slice(start, start + step) for start in range(0, len(first), step)):
        gaps = queries[first[part]] - centres[second[part]]
        exact = np.einsum("ij,ij->i", gaps, gaps)
        inside[first[part], second[part]] = exact <= (1.0 + TIE) * squared_radii[second[part]]
    return inside
