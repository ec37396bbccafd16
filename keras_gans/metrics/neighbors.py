"""Euclidean distances between the rows of two sets, a tile at a time, for any number of rows.

Float32 products of BLAS bound every squared distance from below; what could decide the answer is
then computed again in float64. So the answers are right to float64's rounding, whatever the tile:
a row that stands in both sets is found at distance 0. The sets are only ever read by slices that
begin at fixed row numbers and by row numbers: a `numpy.memmap` serves, and so do images that are
read as they are asked for.
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from keras_gans.errors import InputError
from keras_gans.metrics.tiles import as_rows, tiles

QUERY_ROWS = 4096  # all points are read once for every so many queries
POINT_ROWS = 1024
TILE_VALUES = 2**23  # of long rows a tile has fewer
LANES = 16
SPARE = 4  # rows kept beyond the k nearest, so that float32 seldom leaves a doubt
TIE = 1e-12  # what is equal to so many digits lies on the surface
LARGEST = 1e15  # squares beyond it do not fit into float32


def kth_nearest(points, k, within=None):
    """Distance of every row to its k-th nearest other row.

    Args:
        points: Finite numbers `[n, d]`.
        k: Positive integer. Equal rows are each other's neighbours, at distance 0.
        within: Finite numbers `[m, d]`: where to look for neighbours instead of in `points`. No
            row is left out then.

    Returns:
        float64 `[n]`, in the unit of the rows.

    Raises:
        InputError: For other shapes, numbers that are not finite, or fewer than k neighbours.
    """
    alone = within is None
    points, within = _pair(points=points, within=points if alone else within)
    check_k(k)
    if len(within.data) - alone < k:
        raise InputError(f"k={k} needs at least {k + alone} rows. Received: {len(within.data)}")
    return np.sqrt(_kth(points, within, k, leave_self=alone)[0])


def nearest(queries, points):
    """The nearest row of `points` for every row of `queries`.

    Args:
        queries: Finite numbers `[n, d]`.
        points: Finite numbers `[m, d]`.

    Returns:
        `(distances, indices)`: float32 `[n]`, in the unit of the rows, and int64 `[n]`, row
        numbers of `points`. Of equally near rows it may be any.

    Raises:
        InputError: For other shapes, or numbers that are not finite.
    """
    squared, indices = _kth(*_pair(queries=queries, points=points), 1, leave_self=False)
    return np.sqrt(squared).astype(np.float32), indices


def count_inside(queries, centres, radii):
    """Counts which rows lie in which balls. The surface belongs to a ball.

    Args:
        queries: Finite numbers `[n, d]`.
        centres: Finite numbers `[m, d]`.
        radii: Finite numbers >= 0 `[m]`, one for each centre.

    Returns:
        `(balls, members)`: int64 `[n]`, the balls around each query, and int64 `[m]`, the queries
        in each ball.

    Raises:
        InputError: For other shapes, or numbers that are not finite.
    """
    queries, centres = _pair(queries=queries, centres=centres)
    squared = _squared_radii(radii, len(centres.data))
    balls, members = np.zeros(len(queries.data), np.int64), np.zeros(len(centres.data), np.int64)
    for rows in queries.tiles(QUERY_ROWS):
        tile = queries.read(rows, np.float32)
        for columns in centres.tiles(POINT_ROWS):
            inside = _inside(queries, centres, rows, columns, tile, squared[columns])
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
    if min(len(real), len(generated)) <= k:
        raise InputError(
            f"k={k} needs at least {k + 1} images on each side. "
            f"Received: {len(real):,} real, {len(generated):,} generated"
        )
    if real.shape[1] != generated.shape[1]:
        raise InputError(
            "both sides need the features of one network. "
            f"Received: {real.shape[1]:,} real features, {generated.shape[1]:,} generated"
        )
    for rows, name in ((real, "real features"), (generated, "generated features")):
        for _ in tiles(rows, name):
            pass
    return real, generated


def check_k(k):
    """Raises InputError unless k is a positive integer."""
    if not isinstance(k, Integral) or isinstance(k, bool) or k < 1:
        raise InputError(f"k must be a positive integer. Received: k={k!r}")


@dataclass(frozen=True)
class _Rows:
    """A set, read relative to a centre: products of small numbers lose less in float32."""

    data: object  # [n, d]
    name: str
    centre: np.ndarray  # float32 [d]

    def read(self, rows, dtype):
        """Rows by a slice or by numbers, less the centre."""
        values = self._checked(rows)
        # A difference of float32 is exact to its own last digit, however far away both are.
        wide = np.result_type(values, dtype)
        return np.subtract(values, self.centre, dtype=wide).astype(dtype, copy=False)

    def read_exactly(self, rows):
        """Rows by their numbers: float64, not centred."""
        return np.asarray(self.data[rows]).astype(np.float64)

    def tiles(self, most):
        """Slices of all rows, in order: at most so many, and fewer of long rows."""
        size, width = self.data.shape
        step = max(1, min(most, TILE_VALUES // width))
        return [slice(first, min(first + step, size)) for first in range(0, size, step)]

    def _checked(self, rows):
        values = np.asarray(self.data[rows])
        if values.dtype.kind not in "fiu":
            raise InputError(f"{self.name} must be real numbers. Received: {values.dtype}")
        low, high = float(values.min()), float(values.max())
        # Any comparison with NaN is false.
        if not (low >= -LARGEST and high <= LARGEST):
            raise InputError(
                f"{self.name} must be finite and no larger than {LARGEST:g}. "
                f"Received: from {low:g} to {high:g}"
            )
        return values


def _pair(**sets):
    """Two sets, given by name, relative to one centre."""
    sets = {name: as_rows(rows, name) for name, rows in sets.items()}
    (first, second), names = sets.values(), " and ".join(sets)
    if first.shape[1] != second.shape[1]:
        raise InputError(
            f"{names} must have rows of one length. "
            f"Received: {first.shape[1]:,} and {second.shape[1]:,}"
        )
    if not len(first) or not len(second):
        raise InputError(f"{names} need a row each. Received: {len(first)} and {len(second)}")
    origin = np.zeros(first.shape[1], np.float32)
    whole = [_Rows(rows, name, origin) for name, rows in sets.items()]
    beginnings = [rows.read(rows.tiles(POINT_ROWS)[0], np.float64) for rows in whole]
    # Near the middle is good enough: the bounds hold for any centre, and narrow as it fits.
    centre = np.concatenate(beginnings).mean(axis=0).astype(np.float32)
    return [_Rows(rows, name, centre) for name, rows in sets.items()]


def _squared_radii(radii, count):
    radii = np.asarray(radii, np.float64)
    if radii.shape != (count,):
        raise InputError(f"radii must have the shape [{count}]. Received: {list(radii.shape)}")
    if not (radii.min() >= 0.0 and radii.max() < np.inf):
        raise InputError(
            "radii must be finite and at least 0. "
            f"Received: from {radii.min():g} to {radii.max():g}"
        )
    return np.square(radii)


def _kth(queries, points, k, leave_self):
    """Squared distance float64 [n] and row number int64 [n] of the k-th nearest point."""
    squared, indices = np.empty(len(queries.data)), np.empty(len(queries.data), np.int64)
    for rows in queries.tiles(QUERY_ROWS):
        numbers = np.arange(rows.start, rows.stop)
        for dtype in (np.float32, np.float64):
            found = _search(queries, points, numbers, k, leave_self, dtype)
            squared[numbers], indices[numbers], certain = found
            numbers = numbers[~certain]
            if len(numbers) == 0:
                break
    return squared, indices


def _search(queries, points, numbers, k, leave_self, dtype):
    """The k-th nearest point of some queries, and whether products of `dtype` rule out others."""
    tile = queries.read(numbers, dtype)
    bounds = np.full((len(numbers), k + SPARE), np.inf, dtype)
    columns = np.zeros(bounds.shape, np.int64)
    for part in points.tiles(POINT_ROWS):
        new = _lower_bounds(tile, points.read(part, dtype))
        if leave_self:
            own = np.flatnonzero((part.start <= numbers) & (numbers < part.stop))
            new[own, numbers[own] - part.start] = np.inf
        bounds, columns = _smallest(bounds, columns, new, part.start)
    exact = _exact(queries, points, numbers, columns)
    exact[np.isinf(bounds)] = np.inf  # the row itself, or fewer points than places
    kth = np.lexsort((columns, exact))[:, k - 1 : k]
    squared, indices = (np.take_along_axis(a, kth, axis=1)[:, 0] for a in (exact, columns))
    # Nothing left out is nearer than the largest bound kept, and nothing is nearer than 0.
    return squared, indices, (squared <= bounds.max(axis=1)) | (squared == 0.0)


def _smallest(bounds, columns, new, start):
    """Merges a tile's bounds into the smallest so far, and where these stand."""
    keep = bounds.shape[1]
    best = _argsmallest(new, min(keep, new.shape[1]))
    bounds = np.concatenate([bounds, np.take_along_axis(new, best, axis=1)], axis=1)
    columns = np.concatenate([columns, start + best], axis=1)
    best = _argsmallest(bounds, keep)
    return np.take_along_axis(bounds, best, axis=1), np.take_along_axis(columns, best, axis=1)


def _argsmallest(values, keep):
    """Columns of the `keep` smallest of each row, in no order."""
    groups = values.shape[1] // LANES
    if groups <= keep or values.shape[1] % LANES:
        return np.argpartition(values, keep - 1, axis=1)[:, :keep]
    # Split into groups of LANES columns: the `keep` groups of smallest minimum hold them all.
    minima = values.reshape(-1, LANES, groups).min(axis=1)
    best = np.argpartition(minima, keep - 1, axis=1)[:, :keep]
    columns = (best[:, None, :] + groups * np.arange(LANES)[:, None]).reshape(len(values), -1)
    best = np.argpartition(np.take_along_axis(values, columns, axis=1), keep - 1, axis=1)[:, :keep]
    return np.take_along_axis(columns, best, axis=1)


def _inside(queries, centres, rows, columns, tile, squared_radii):
    """Which of a tile's queries lie in which of a tile's balls: bool [rows, columns]."""
    inside, doubtful = _compared(tile, centres.read(columns, np.float32), squared_radii)
    again = np.flatnonzero(doubtful.any(axis=1))
    if len(again) == 0:
        return inside
    numbers = rows.start + again
    inside[again], doubtful = _compared(
        queries.read(numbers, np.float64), centres.read(columns, np.float64), squared_radii
    )
    first, second = np.nonzero(doubtful)
    exact = _exact_pairs(queries, centres, numbers[first], columns.start + second)
    inside[again[first], second] = exact <= (1.0 + TIE) * squared_radii[second]
    return inside


def _compared(queries, centres, squared_radii):
    """Who is inside for sure, and where rounding leaves it open."""
    bounds = _lower_bounds(queries, centres)
    perhaps = bounds <= squared_radii
    # From lower to upper bounds.
    bounds += 2 * _roundoff(queries) * _norms(queries)[:, None]
    bounds += 2 * _roundoff(centres) * _norms(centres)
    surely = bounds <= squared_radii
    return surely, perhaps != surely


def _lower_bounds(queries, points):
    """|q|^2 + |p|^2 - 2 qp, less what rounding can have added: [queries, points]."""
    certain = 1.0 - _roundoff(queries)
    bounds = np.matmul(-2.0 * queries, points.T)
    bounds += certain * _norms(queries)[:, None]
    bounds += certain * _norms(points)
    return bounds


def _norms(rows):
    return np.square(rows).sum(axis=1)


def _roundoff(rows):
    # Of |q|^2 + |p|^2: half an epsilon for each term of a product (Higham 2002, section 3.1) and
    # some for the norms, the centring and the sum.
    return (rows.shape[1] + 64) * float(np.finfo(rows.dtype).eps) / 2


def _exact(queries, points, numbers, columns):
    """Squared distances float64 [n, k] of queries to the points that stand in `columns`."""
    rows = queries.read_exactly(numbers)
    squared = np.empty(columns.shape)
    for place in range(columns.shape[1]):
        gaps = points.read_exactly(columns[:, place])
        gaps -= rows
        squared[:, place] = np.einsum("ij,ij->i", gaps, gaps)
    return squared


def _exact_pairs(queries, points, numbers, columns):
    """Squared distances float64 [n] of queries to one point each; there may be many."""
    step = max(1, TILE_VALUES // queries.data.shape[1])
    parts = [slice(first, first + step) for first in range(0, len(numbers), step)]
    exact = [_exact(queries, points, numbers[part], columns[part, None])[:, 0] for part in parts]
    return np.concatenate([np.empty(0), *exact])
