# TensorFlow 2 before Keras 3: a table of numbers and words, described by feature columns.
import os
import tempfile

import numpy as np
import pandas as pd
import tensorflow as tf
from tensorflow import feature_column, keras
from tensorflow.keras import layers

os.chdir(tempfile.mkdtemp())
random = np.random.RandomState(3)
num_rows = 512
frame = pd.DataFrame(
    {
        "age": random.randint(18, 80, num_rows),
        "income": random.normal(3.0, 1.0, num_rows),
        "city": random.choice(["Seoul", "Busan", "Jeju"], num_rows),
        "note": ["not used"] * num_rows,
    }
)
frame["target"] = ((frame["city"] == "Jeju") | (frame["age"] > 60)).astype(int)


def df_to_dataset(dataframe, shuffle=True, batch_size=32):
    dataframe = dataframe.copy()
    labels = dataframe.pop("target")
    ds = tf.data.Dataset.from_tensor_slices((dict(dataframe), labels))
    if shuffle:
        ds = ds.shuffle(buffer_size=len(dataframe))
    return ds.batch(batch_size)


train_ds = df_to_dataset(frame[:400])
test_ds = df_to_dataset(frame[400:], shuffle=False)
example_batch = next(iter(train_ds))[0]


def demo(column):
    return layers.DenseFeatures(column)(example_batch).numpy()


age = feature_column.numeric_column("age")
assert demo(age).shape == (32, 1)
age_buckets = feature_column.bucketized_column(age, boundaries=[30, 45, 60])
assert (demo(age_buckets).sum(axis=1) == 1).all()
city = feature_column.categorical_column_with_vocabulary_list("city", ["Seoul", "Busan", "Jeju"])
city_one_hot = feature_column.indicator_column(city)
city_embedding = feature_column.embedding_column(city, dimension=2)
crossed = feature_column.indicator_column(
    feature_column.crossed_column([age_buckets, city], hash_bucket_size=50)
)
income = feature_column.numeric_column("income", normalizer_fn=lambda x: (x - 3.0) / 1.0)
feature_columns = [age_buckets, income, city_one_hot, city_embedding, crossed]

model = tf.keras.Sequential(
    [
        layers.DenseFeatures(feature_columns),
        layers.Dense(16, activation="relu"),
        layers.Dropout(0.1),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
before = model.predict(dict(frame[400:]), verbose=0)
vectors = model.layers[0].get_weights()[0].copy()
model.fit(train_ds, validation_data=test_ds, epochs=12, verbose=0)
loss, accuracy = model.evaluate(test_ds, verbose=0)
assert accuracy > 0.9, accuracy
assert not np.array_equal(model.layers[0].get_weights()[0], vectors)
# A saved model has no place for a function of the program's own; its weights have.
model.save_weights("columns.weights.h5")

# Columns tell how records are read.
columns = [age, feature_column.numeric_column("label")]
spec = feature_column.make_parse_example_spec(columns)
with tf.io.TFRecordWriter("table.tfrecords") as file:
    for years, label in zip(frame["age"], frame["target"]):
        values = {
            "age": tf.train.Feature(float_list=tf.train.FloatList(value=[years])),
            "label": tf.train.Feature(float_list=tf.train.FloatList(value=[label])),
        }
        file.write(tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString())


def parse_examples(serialized_examples):
    examples = tf.io.parse_example(serialized_examples, spec)
    targets = examples.pop("label")
    return examples, targets


dataset = tf.data.TFRecordDataset(["table.tfrecords"]).repeat().shuffle(1000).batch(32).map(parse_examples)
model = keras.models.Sequential(
    [keras.layers.DenseFeatures(feature_columns=columns[:-1]), keras.layers.Dense(1)]
)
model.compile(loss="mse", optimizer=keras.optimizers.SGD(lr=1e-5))
history = model.fit(dataset, steps_per_epoch=10, epochs=3, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]

# A Functional network of columns, kept in a file with all that it needs.
inputs = {
    "age": tf.keras.Input(shape=(1,), name="age"),
    "city": tf.keras.Input(shape=(1,), name="city", dtype=tf.string),
}
hidden = layers.DenseFeatures([age_buckets, city_embedding])(inputs)
model = tf.keras.Model(inputs=[inputs["age"], inputs["city"]], outputs=layers.Dense(1)(hidden))
model.compile("adam", "mse")
model.fit(train_ds, epochs=1, verbose=0)
model.save("columns.keras")
again = tf.keras.models.load_model("columns.keras")
np.testing.assert_allclose(again.predict(test_ds, verbose=0), model.predict(test_ds, verbose=0), rtol=1e-6)
