# Keras 2: two networks that learn from each other, with train_on_batch and a frozen part.
import numpy as np
from keras.layers import Dense, Input
from keras.models import Model, Sequential
from keras.optimizers import Adam

np.random.seed(0)
generator = Sequential([Dense(8, activation="relu", input_dim=3), Dense(1)])
discriminator = Sequential([Dense(8, activation="relu", input_dim=1), Dense(1, activation="sigmoid")])
discriminator.compile(loss="binary_crossentropy", optimizer=Adam(lr=0.01), metrics=["accuracy"])
discriminator.trainable = False
noise = Input(shape=(3,))
combined = Model(noise, discriminator(generator(noise)))
combined.compile(loss="binary_crossentropy", optimizer=Adam(0.01, beta_1=0.5))
for epoch in range(20):
    real = np.random.normal(4, 0.5, (16, 1))
    fake = generator.predict(np.random.normal(0, 1, (16, 3)))
    discriminator.trainable = True
    kept = [w.copy() for w in discriminator.get_weights()]
    d_loss_real = discriminator.train_on_batch(real, np.ones((16, 1)))
    d_loss_fake = discriminator.train_on_batch(fake, np.zeros((16, 1)))
    d_loss = 0.5 * np.add(d_loss_real, d_loss_fake)
    assert any((a != b).any() for a, b in zip(kept, discriminator.get_weights()))
    discriminator.trainable = False
    kept = [w.copy() for w in discriminator.get_weights()]
    g_loss = combined.train_on_batch(np.random.normal(0, 1, (16, 3)), np.ones((16, 1)))
    assert all((a == b).all() for a, b in zip(kept, discriminator.get_weights()))
assert np.isfinite(g_loss) and len(d_loss) == 2
