"""Golden values of classifications: coefficients, intercepts, accuracies and probabilities."""

import numpy as np
from sklearn import linear_model as lm
from sklearn.multiclass import OneVsRestClassifier


def data():
    rng = np.random.default_rng(11)
    x = np.round(rng.normal(size=(60, 4)) * [1, 2, 0.5, 1] + [0, 1, 0, -2], 2)
    z = x @ [1.0, -0.5, 1.0, 0.2] + 1 + rng.logistic(size=60)
    w = np.round(rng.uniform(0, 3, 60), 1)
    three = np.digitize(z, [-0.5, 1.2]) * 2 + 1
    wide = np.round(rng.normal(size=(20, 40)), 2)
    two = (z > 0).astype(int)
    return {
        "two": {"x": x, "y": two},
        "two_weighted": {"x": x, "y": two, "w": w},
        "three": {"x": x, "y": three},
        "three_weighted": {"x": x, "y": three, "w": w},
        "wide": {"x": wide, "y": (wide[:, 0] + 0.5 * wide[:, 1] > 0).astype(int)},
        "separable": {"x": x, "y": (x[:, 0] > 0).astype(int)},
        "duplicate": {"x": np.concatenate([x, x[:, :1], np.ones((60, 1))], 1), "y": two},
    }


def cases():
    tight = {"tol": 1e-10, "max_iter": 100000}
    everything = list(data())
    for c in [1.0, 0.03]:
        yield "LogisticRegression", everything, {"solver": "lbfgs", "C": c, **tight}
    yield "LogisticRegression", ["two", "three"], {
        "solver": "lbfgs", "class_weight": "balanced", "fit_intercept": False, **tight}
    yield "LogisticRegression", ["two_weighted", "three_weighted"], {
        "solver": "newton-cholesky", "class_weight": "balanced", **tight}
    newton = ["two", "two_weighted", "three", "wide", "duplicate"]
    yield "LogisticRegression", newton, {"solver": "newton-cholesky", **tight}
    yield "LogisticRegression", ["two", "two_weighted", "three", "three_weighted"], {
        "solver": "newton-cholesky", "penalty": "none", **tight}
    saga = ["two", "two_weighted", "three"]
    for l1 in [1.0, 0.4]:
        yield "LogisticRegression", saga, {"solver": "saga", "l1_ratio": l1, "C": 0.5, **tight}
    yield "OneVsRest", ["three"], {"solver": "lbfgs", **tight}
    yield "RidgeClassifier", everything, {"alpha": 0.7}
    yield "RidgeClassifier", ["two", "three"], {"alpha": 2.0, "class_weight": "balanced"}
    rows = ["two", "two_weighted", "three"]
    fixed = {"shuffle": False, "max_iter": 30, "tol": None}
    for loss in ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"]:
        yield "SGDClassifier", rows, {"loss": loss, "alpha": 0.01, **fixed}
    yield "SGDClassifier", rows, {"loss": "log_loss", "penalty": "l1", "alpha": 0.01, **fixed}
    yield "SGDClassifier", rows, {"loss": "hinge", "penalty": "elasticnet", "l1_ratio": 0.3, **fixed}
    yield "SGDClassifier", rows, {
        "loss": "hinge", "learning_rate": "invscaling", "eta0": 0.05, "power_t": 0.4, **fixed}
    yield "SGDClassifier", rows, {
        "loss": "log_loss", "learning_rate": "adaptive", "eta0": 0.05,
        "shuffle": False, "max_iter": 200, "tol": 1e-3}
    yield "Perceptron", rows, fixed


def build():
    sets, out = data(), []
    for name, names, options in cases():
        for set_name in names:
            d = sets[set_name]
            w = d.get("w")
            arguments = dict(options)
            if arguments.get("penalty") == "none":
                arguments.pop("penalty")
                arguments["C"] = np.inf
            if name == "OneVsRest":
                model = OneVsRestClassifier(lm.LogisticRegression(**arguments)).fit(d["x"], d["y"])
                coef = np.concatenate([e.coef_ for e in model.estimators_])
                intercept = np.concatenate([e.intercept_ for e in model.estimators_])
            else:
                model = getattr(lm, name)(**arguments)
                model.fit(d["x"], d["y"], sample_weight=w)
                coef, intercept = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
            coef_intercept = np.broadcast_to(intercept, len(coef))
            case = {"estimator": name, "data": set_name, "options": options}
            case.update(coef=coef, intercept=coef_intercept)
            case["score"] = model.score(d["x"], d["y"], sample_weight=w)
            if hasattr(model, "predict_proba"):
                case["proba"] = model.predict_proba(d["x"][:5])
            out.append(case)
    return {"data": sets, "cases": out}
