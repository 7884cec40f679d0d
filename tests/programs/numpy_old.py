# Names that NumPy has lost, in a program; libraries go on seeing NumPy as it is.
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import Perceptron

iris = load_iris()
X = iris.data[:, (2, 3)]
y = (iris.target == 0).astype(np.int)
classifier = Perceptron()
classifier.fit(X, y)
assert classifier.predict([[2, 0.5]]).dtype == int
table = np.array([1, 2]).astype(np.float)
assert (
    table.dtype == np.float64
    and np.array([1], dtype=np.bool).dtype == bool
    and np.array(["a"], dtype=np.object).dtype == object
)
assert np.product([2, 3]) == 6
