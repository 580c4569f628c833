"""Prints the coefficients that `logistic.rs` holds the library to: scikit-learn on the same small data set.

    python certify_logistic.py
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

ROWS, OBSERVATION = 240, 4


def value(row, feature):
    return ((row * row * (7 + 2 * feature) + row * (13 + 10 * feature)) % 67) / 16 - 2


x = np.array([[value(row, feature) for feature in range(3)] for row in range(ROWS)])
noise = np.array([(row * 53) % 97 for row in range(ROWS)]) / 24 - 2
y = (x[:, 0] - 0.5 * x[:, 1] + noise > 1.5).astype(int)

last = np.arange(OBSERVATION - 1, ROWS)
windows = np.stack([x[row - OBSERVATION + 1 : row + 1] for row in last])
aggregates = np.stack([windows.mean(1), windows.max(1), windows[:, -1] - windows[:, 0]], axis=2)
inputs = {"Snapshot": x[last], "Aggregates": aggregates.reshape(len(last), 9)}

for name, design in inputs.items():
    for weight in (None, "balanced"):
        for c in (1.0, 0.01):
            model = LogisticRegression(C=c, class_weight=weight, solver="newton-cholesky", tol=1e-10).fit(design, y[last])
            print(name, weight, c, np.append(model.coef_, model.intercept_).round(9).tolist())

# Windows that stand for one to four.
stands_for = 1 + np.arange(len(last)) % 4
for weight in (None, "balanced"):
    model = LogisticRegression(class_weight=weight, solver="newton-cholesky", tol=1e-10)
    model.fit(inputs["Snapshot"], y[last], sample_weight=stands_for)
    print("weighted", weight, np.append(model.coef_, model.intercept_).round(9).tolist())
    # The same with each window repeated, which says what balanced means.
    model.fit(np.repeat(inputs["Snapshot"], stands_for, axis=0), np.repeat(y[last], stands_for))
    print("repeated", weight, np.append(model.coef_, model.intercept_).round(9).tolist())
