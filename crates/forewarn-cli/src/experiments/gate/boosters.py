"""LightGBM and XGBoost on windows that forewarn writes, for `forewarn gate`.

    python boosters.py check LIBRARY
    python boosters.py fit LIBRARY FOLDER      fits several settings on train.f32, keeps the one of least validation loss
    python boosters.py score LIBRARY FOLDER    reads score.f32, writes scores.f32

FOLDER has columns.txt (their number), train.f32, validation.f32 (row-major, little-endian), and train.u8,
validation.u8 (labels). Needs numpy and the library.
"""

import pathlib
import sys

import numpy as np

# Models are fitted side by side, as many as there are processors: more threads each would wait for one another.
ROUNDS, PATIENCE, SEED, THREADS = 2000, 100, 7, 1

LIGHTGBM = [
    {"num_leaves": 4, "learning_rate": 0.05, "feature_fraction": 0.5},
    {"num_leaves": 8, "learning_rate": 0.05, "feature_fraction": 0.5},
    {"num_leaves": 16, "learning_rate": 0.05, "feature_fraction": 0.5, "min_data_in_leaf": 200},
    {"num_leaves": 31, "learning_rate": 0.03, "feature_fraction": 0.3, "min_data_in_leaf": 500, "lambda_l2": 10},
]
XGBOOST = [
    {"max_depth": 2, "eta": 0.05, "colsample_bytree": 0.5},
    {"max_depth": 3, "eta": 0.05, "colsample_bytree": 0.5},
    {"max_depth": 4, "eta": 0.05, "colsample_bytree": 0.5, "min_child_weight": 10},
    {"max_depth": 6, "eta": 0.03, "colsample_bytree": 0.3, "min_child_weight": 20, "lambda": 10},
]


def table(folder, name):
    columns = int((folder / "columns.txt").read_text())
    return np.memmap(folder / f"{name}.f32", dtype="<f4", mode="r").reshape(-1, columns)


def labels(folder, name):
    return np.fromfile(folder / f"{name}.u8", dtype=np.uint8)


def fit_lightgbm(folder):
    import lightgbm as lgb

    train = lgb.Dataset(np.asarray(table(folder, "train")), labels(folder, "train"), free_raw_data=False)
    held_out = lgb.Dataset(np.asarray(table(folder, "validation")), labels(folder, "validation"), reference=train)
    best = None
    for settings in LIGHTGBM:
        settings = settings | {
            "objective": "binary", "metric": "binary_logloss", "bagging_fraction": 0.5, "bagging_freq": 1,
            "verbosity": -1, "seed": SEED, "deterministic": True, "feature_pre_filter": False, "num_threads": THREADS,
        }
        stop = lgb.early_stopping(PATIENCE, verbose=False)
        model = lgb.train(settings, train, ROUNDS, valid_sets=[held_out], callbacks=[stop])
        loss = model.best_score["valid_0"]["binary_logloss"]
        if best is None or loss < best[0]:
            best = (loss, model)
    best[1].save_model(folder / "lightgbm.txt", num_iteration=best[1].best_iteration)


def score_lightgbm(folder):
    import lightgbm as lgb

    return lgb.Booster(model_file=folder / "lightgbm.txt").predict(np.asarray(table(folder, "score")))


def fit_xgboost(folder):
    import xgboost as xgb

    train = xgb.QuantileDMatrix(np.asarray(table(folder, "train")), labels(folder, "train"))
    held_out = xgb.QuantileDMatrix(np.asarray(table(folder, "validation")), labels(folder, "validation"), ref=train)
    best = None
    for settings in XGBOOST:
        settings = settings | {
            "objective": "binary:logistic", "eval_metric": "logloss", "subsample": 0.5, "tree_method": "hist",
            "seed": SEED, "nthread": THREADS,
        }
        model = xgb.train(settings, train, ROUNDS, evals=[(held_out, "validation")], verbose_eval=False,
                          early_stopping_rounds=PATIENCE)
        if best is None or model.best_score < best[0]:
            best = (model.best_score, model[: model.best_iteration + 1])
    best[1].save_model(folder / "xgboost.ubj")


def score_xgboost(folder):
    import xgboost as xgb

    return xgb.Booster(model_file=folder / "xgboost.ubj").inplace_predict(np.asarray(table(folder, "score")))


def main():
    what, library = sys.argv[1:3]
    if what == "check":
        __import__(library)
        return
    folder = pathlib.Path(sys.argv[3])
    if what == "fit":
        {"lightgbm": fit_lightgbm, "xgboost": fit_xgboost}[library](folder)
    else:
        scores = {"lightgbm": score_lightgbm, "xgboost": score_xgboost}[library](folder)
        np.clip(scores, 0, 1).astype("<f4").tofile(folder / "scores.f32")


main()
