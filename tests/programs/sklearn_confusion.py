# A tutorial of Kaggle: a table, a split, a network, scikit-learn's measures of it.
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow.keras.callbacks import EarlyStopping
from tensorflow.keras.layers import Dense, Dropout
from tensorflow.keras.models import Sequential

data = load_breast_cancer()
X_train, X_test, y_train, y_test = train_test_split(data.data, data.target, test_size=0.25, random_state=101)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)
model = Sequential()
model.add(Dense(units=30, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(units=15, activation="relu"))
model.add(Dense(units=1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics="accuracy")
early_stop = EarlyStopping(monitor="val_loss", mode="min", verbose=0, patience=5)
model.fit(
    x=X_train,
    y=y_train,
    epochs=30,
    validation_data=(X_test, y_test),
    callbacks=[early_stop],
    verbose=0,
    class_weight={0: 1.5, 1: 1.0},
)
predictions = model.predict_classes(X_test)
assert predictions.shape == (143, 1) and accuracy_score(y_test, predictions) > 0.9
assert confusion_matrix(y_test, (model.predict(X_test) > 0.5).astype("int32")).sum() == 143
