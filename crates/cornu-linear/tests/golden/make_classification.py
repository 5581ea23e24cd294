"""Golden values of classifications: coefficients, intercepts, objectives, accuracies and probabilities."""

import numpy as np
from scipy.special import logsumexp
from sklearn import linear_model as lm
from sklearn.utils.class_weight import compute_class_weight


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
    all_four = ["two", "two_weighted", "three", "three_weighted"]
    for l1 in [1.0, 0.4]:
        yield "LogisticRegression", all_four, {"solver": "saga", "l1_ratio": l1, "C": 0.5, **tight}
    yield "LogisticRegression", ["two", "three"], {
        "solver": "saga", "l1_ratio": 0.7, "class_weight": "balanced", "fit_intercept": False, **tight}
    newton = {"solver": "newton-cholesky", **tight}
    rest = ["three", "three_weighted"]
    yield "OneVsRest", rest, {**newton, "C": 0.2}
    yield "OneVsRest", rest, {**newton, "penalty": "none"}
    yield "OneVsRest", ["three"], {**newton, "class_weight": "balanced"}
    for l1 in [1.0, 0.4]:
        # (Where all coefficients of a class are 0, its intercept is left where it is.)
        yield "OneVsRest", rest, {"solver": "saga", "l1_ratio": l1, "C": 5.0, **tight}
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


def objective(coef, intercept, d, options):
    """What logistic regressions minimise: C times the losses, and the penalty."""
    x, y, w = d["x"], d["y"], d.get("w", np.ones(len(d["x"])))
    classes = np.unique(y)
    chosen = np.searchsorted(classes, y)
    if "class_weight" in options:
        w = w * compute_class_weight("balanced", classes=classes, y=y, sample_weight=w)[chosen]
    z = x @ np.atleast_2d(coef).T + intercept
    if z.shape[1] == 1:
        z = np.concatenate([np.zeros_like(z), z], 1)
    losses = np.sum(w * (logsumexp(z, axis=1) - z[np.arange(len(y)), chosen]))
    if options.get("penalty") == "none":
        return losses
    l1 = options.get("l1_ratio", 0.0)
    return options.get("C", 1.0) * losses + l1 * np.sum(np.abs(coef)) + (1 - l1) / 2 * np.sum(coef**2)


class OneVsRest:
    """A logistic regression of each class against the rest; probabilities are divided by their sum."""

    def __init__(self, arguments):
        self.arguments = arguments

    def fit(self, x, y, sample_weight):
        self.classes = np.unique(y)
        models = [lm.LogisticRegression(**self.arguments).fit(x, y == c, sample_weight) for c in self.classes]
        self.coef_ = np.concatenate([m.coef_ for m in models])
        self.intercept_ = np.concatenate([m.intercept_ for m in models])
        self.models = models

    def predict_proba(self, x):
        each = np.stack([m.predict_proba(x)[:, 1] for m in self.models], 1)
        return each / each.sum(1, keepdims=True)

    def score(self, x, y, sample_weight):
        return np.average(self.classes[self.predict_proba(x).argmax(1)] == y, weights=sample_weight)


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
            model = OneVsRest(arguments) if name == "OneVsRest" else getattr(lm, name)(**arguments)
            model.fit(d["x"], d["y"], sample_weight=w)
            coef, intercept = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
            case = {"estimator": name, "data": set_name, "options": options}
            case.update(coef=coef, intercept=np.broadcast_to(intercept, len(coef)))
            case["score"] = model.score(d["x"], d["y"], sample_weight=w)
            if hasattr(model, "predict_proba"):
                case["proba"] = model.predict_proba(d["x"][:5])
            if name == "LogisticRegression":
                case["objective"] = objective(coef, intercept, d, options)
            if name == "OneVsRest":
                rest = [{**d, "y": d["y"] == c} for c in model.classes]
                case["objective"] = sum(objective(*each, options) for each in zip(coef, model.intercept_, rest))
            out.append(case)
    return {"data": sets, "cases": out}
