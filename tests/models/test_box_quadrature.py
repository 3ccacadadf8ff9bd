"""Boxes that contain the mass of a density."""

import numpy as np

from surrogacy.models.exact.box_quadrature import DROP, find_box, integrate_box, rule

SD = np.array([[3.9, 3.5], [3.0, 3.2], [0.02, 0.001]])  # the searches for boxes of the first two end early
LOW, HIGH = np.full((3, 2), -20.0), np.full((3, 2), 20.0)


def normal(sd):
    return lambda points: (
        -0.5 * ((points[0] / sd[:, [0]]) ** 2)[:, :, None] - 0.5 * ((points[1] / sd[:, [1]]) ** 2)[:, None]
    )


def test_box_contains_the_points_that_are_high_enough():
    low, high = find_box(normal(SD), LOW, HIGH)
    reach = np.minimum(np.sqrt(2 * DROP) * SD, 20.0)
    assert (low <= -reach).all()
    assert (high >= reach).all()
    assert (high - low < 4 * reach).all()


def test_box_does_not_depend_on_the_other_data_sets():
    together = np.stack(find_box(normal(SD), LOW, HIGH))
    alone = [np.stack(find_box(normal(SD[[i]]), LOW[[i]], HIGH[[i]])) for i in range(3)]
    assert (together == np.concatenate(alone, axis=1)).all()


def test_nodes_lie_in_the_box_also_if_it_is_still_too_narrow():
    """A box of a hundredth of an SD, which is widened as often as allowed."""
    narrow, domain = (np.full((1, 2), -0.005), np.full((1, 2), 0.005)), (LOW[:1], HIGH[:1])
    log_density = normal(np.ones((1, 2)))
    integral = integrate_box(lambda points: (log_density(points), points), (5, 5), narrow, domain)
    for axis, points in enumerate(integral.extra):
        low, high = integral.low[0, axis], integral.high[0, axis]
        assert high - low > 0.05
        assert np.allclose(points, low + (high - low) * (1 + rule(5)[0]) / 2)
