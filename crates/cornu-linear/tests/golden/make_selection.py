"""Golden values of metrics, splits and scores of cross-validation."""

import numpy as np
from sklearn import linear_model as lm
from sklearn import metrics as m
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score


def data():
    rng = np.random.default_rng(5)
    two = rng.integers(0, 2, 40)
    three = rng.choice([1, 3, 7], 40, p=[0.5, 0.3, 0.2])
    proba = np.round(rng.dirichlet([1, 1, 1], 40), 3)
    proba[:, 2] = 1 - proba[:, 0] - proba[:, 1]
    return {
        "w": np.round(rng.uniform(0, 2, 40), 1),
        "two": two,
        "score": np.round(two * 0.8 + rng.normal(size=40), 1),
        "three": three,
        "three_pred": np.where(rng.uniform(size=40) < 0.6, three, rng.choice([1, 3, 9], 40)),
        "proba": np.clip(np.round(proba, 3), 0, 1),
        "y": np.round(rng.normal(size=(40, 2)), 2),
        "y_pred": np.round(rng.normal(size=(40, 2)), 2),
        "x": np.round(rng.normal(size=(40, 3)), 2),
    }


def metrics(d, w):
    out = {
        "accuracy": m.accuracy_score(d["three"], d["three_pred"], sample_weight=w),
        "log_loss": m.log_loss(d["three"], d["proba"], sample_weight=w),
        "auc": m.roc_auc_score(d["two"], d["score"], sample_weight=w),
        "r2": m.r2_score(d["y"], d["y_pred"], sample_weight=w),
        "mae": m.mean_absolute_error(d["y"], d["y_pred"], sample_weight=w),
        "mse": m.mean_squared_error(d["y"], d["y_pred"], sample_weight=w),
    }
    fpr, tpr, thresholds = m.roc_curve(d["two"], d["score"], sample_weight=w)
    out.update(fpr=fpr, tpr=tpr, thresholds=thresholds[1:])
    for name in ["precision", "recall", "f1"]:
        score = getattr(m, name + "_score")
        averages = [score(d["three"], d["three_pred"], average=a, sample_weight=w, zero_division=0)
                    for a in ["micro", "macro", "weighted"]]
        one = score(d["three"], d["three_pred"], labels=[3], average="macro", sample_weight=w)
        out[name] = averages + [one]
    return out


def build():
    d = data()
    out = {"data": d, "plain": metrics(d, None), "weighted": metrics(d, d["w"])}
    out["confusion"] = m.confusion_matrix(d["three"], d["three_pred"])
    tests = lambda cv: [test for _, test in cv.split(d["x"], d["three"])]
    out["kfold"] = {str(n): tests(KFold(n)) for n in [2, 3, 7]}
    out["stratified"] = {str(n): tests(StratifiedKFold(n)) for n in [2, 3, 5]}
    target = d["x"] @ [1.0, -2.0, 0.5] + d["y"][:, 0]
    out["target"] = target
    out["ridge_scores"] = cross_val_score(lm.Ridge(), d["x"], target, cv=4)
    out["logistic_scores"] = cross_val_score(lm.LogisticRegression(), d["x"], d["three"], cv=3)
    grid = GridSearchCV(lm.Ridge(), {"alpha": [0.01, 1, 5, 100]}).fit(d["x"], target, sample_weight=d["w"])
    out["grid_scores"] = [grid.cv_results_["split%d_test_score" % k] for k in range(5)]
    out["grid_best"] = int(grid.best_index_)
    out["grid_coef"] = grid.best_estimator_.coef_
    return out
