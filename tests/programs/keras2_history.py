# Keras 2, as in Chollet's first edition: one-hot texts, validation data, history under 'acc'.
import numpy as np
from keras import layers, losses, metrics, models, optimizers

random = np.random.RandomState(1)
sequences = [random.choice(50, 12, replace=False) for _ in range(300)]
labels = np.asarray([float((s < 10).sum() > 2) for s in sequences]).astype("float32")


def vectorize_sequences(sequences, dimension=50):
    results = np.zeros((len(sequences), dimension))
    for i, sequence in enumerate(sequences):
        results[i, sequence] = 1.0
    return results


x = vectorize_sequences(sequences)
model = models.Sequential()
model.add(layers.Dense(16, activation="relu", input_shape=(50,)))
model.add(layers.Dense(16, activation="relu"))
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(
    optimizer=optimizers.RMSprop(lr=0.01), loss=losses.binary_crossentropy, metrics=[metrics.binary_accuracy]
)
model.fit(x[:200], labels[:200], epochs=1, batch_size=64, verbose=0)
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
history = model.fit(
    x[:200], labels[:200], epochs=8, batch_size=32, validation_data=(x[200:], labels[200:]), verbose=0
)
acc, val_acc = history.history["acc"], history.history["val_acc"]
epochs = range(1, len(acc) + 1)
assert len(epochs) == 8 and len(val_acc) == 8 and acc[-1] > 0.7
assert history.epoch == list(range(8))
