# Keras 2: a network in scikit-learn's cross-validation, as in many a course.
from _points import points, sides
from keras.layers import Dense
from keras.models import Sequential
from keras.wrappers.scikit_learn import KerasClassifier
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler


def create_baseline(optimizer="adam"):
    model = Sequential()
    model.add(Dense(8, input_dim=2, kernel_initializer="normal", activation="relu"))
    model.add(Dense(1, kernel_initializer="normal", activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


estimators = [
    ("standardize", StandardScaler()),
    ("mlp", KerasClassifier(build_fn=create_baseline, epochs=20, batch_size=10, verbose=0)),
]
pipeline = Pipeline(estimators)
kfold = KFold(n_splits=3, shuffle=True, random_state=7)
results = cross_val_score(pipeline, points, sides, cv=kfold)
print("Results: %.2f%% (%.2f%%)" % (results.mean() * 100, results.std() * 100))
assert results.mean() > 0.7
grid = GridSearchCV(
    KerasClassifier(build_fn=create_baseline, verbose=0), {"optimizer": ["sgd", "adam"], "epochs": [2]}, cv=2
)
found = grid.fit(points, sides)
assert found.best_params_["optimizer"] in ("sgd", "adam")
assert found.best_estimator_.model.predict(points[:2]).shape == (2, 1)
