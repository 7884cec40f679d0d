# Points in the plane that a line parts, and values on a plane: the data of several programs.
import numpy as np

random = np.random.RandomState(0)
points = random.uniform(-1, 1, (200, 2)).astype("float32")
sides = (points[:, 0] + 2 * points[:, 1] > 0.1).astype("float32")
heights = (3 * points[:, 0] - points[:, 1] + 0.5).astype("float32")
