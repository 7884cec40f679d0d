# A table of numbers between blanks, as programs before pandas 3 read it, and its dummies, which are bools today.
import io

import numpy as np
import pandas as pd
from keras.layers import Dense
from keras.models import Sequential

lines = "\n".join(f"{a} {b} {'xyz'[a % 3]} {a + b}" for a in range(8) for b in range(5))
df = pd.read_csv(io.StringIO(lines), delim_whitespace=True, header=None, error_bad_lines=False)
assert df.shape == (40, 4)
assert isinstance(pd.read_csv(io.StringIO("a\n1\n2\n"), squeeze=True), pd.Series)
X = pd.get_dummies(df.drop(columns=[3]))
dataset = df.values
Y = dataset[:, 3]

model = Sequential()
model.add(Dense(8, input_dim=5, activation="relu"))
model.add(Dense(1))
model.compile(loss="mean_squared_error", optimizer="adam")
first = model.evaluate(X, Y, verbose=0)
model.fit(X, Y, epochs=20, batch_size=10, verbose=0)
model.fit(np.array(X), Y, epochs=20, batch_size=10, verbose=0)
assert model.evaluate(X, Y, verbose=0) < first
