"""Golden values of regressions: coefficients, intercepts, objectives and scores."""

import numpy as np
from sklearn import linear_model as lm
from sklearn.metrics import mean_tweedie_deviance


def data():
    rng = np.random.default_rng(7)
    out = {}

    def add(name, x, y, w=None):
        out[name] = {"x": x, "y": y}
        if w is not None:
            out[name]["w"] = w

    x = np.round(rng.normal(size=(40, 5)) * [1, 2, 0.5, 10, 1] + [0, 5, 0, -30, 2], 2)
    y = np.round(x @ [1.0, -2.0, 3.0, 0.1, 0.0] + 4 + rng.normal(size=40), 2)
    w = np.round(rng.uniform(0, 3, 40), 1)
    w[3] = 0
    add("plain", x, y)
    add("weighted", x, y, w)
    y2 = np.round(np.stack([y, 2 - x[:, 0] + rng.normal(size=40)], 1), 2)
    add("targets", x, y2)
    add("targets_weighted", x, y2, w)
    add("duplicate", np.concatenate([x, x[:, :1], np.ones((40, 1))], 1), y)
    wide = np.round(rng.normal(size=(12, 30)), 2)
    add("wide", wide, np.round(wide[:, 0] * 2 - wide[:, 3] + 0.1 * rng.normal(size=12), 2))
    counts = rng.poisson(np.exp(0.4 * x[:, 0] + 0.3)).astype(float)
    add("counts", x[:, :3], counts)
    add("positive_targets", x[:, :3], np.round(np.exp(0.3 * x[:, 0] + 0.2 * rng.normal(size=40)), 3))
    for name in ["counts", "positive_targets"]:
        add(name + "_weighted", out[name]["x"], out[name]["y"], w)
    out["outliers"] = {"x": x[:, :3], "y": np.where(np.arange(40) % 9 == 0, y + 30, y)}
    return out


def cases():
    everything = ["plain", "weighted", "targets", "targets_weighted", "duplicate", "wide"]
    tight = {"tol": 1e-13, "max_iter": 1000000}
    single = ["plain", "weighted", "duplicate", "wide"]
    joint = ["targets", "targets_weighted"]
    yield "LinearRegression", everything, {"tol": 1e-12}
    yield "LinearRegression", everything, {"tol": 1e-12, "fit_intercept": False}
    # (Of two equal columns either may bear the weight.)
    yield "LinearRegression", [n for n in everything if n != "duplicate"], {"positive": True}
    for alpha in [1.0, 1e-3, 100.0]:
        yield "Ridge", everything, {"alpha": alpha}
    yield "Ridge", everything, {"alpha": 2.0, "solver": "svd", "fit_intercept": False}
    yield "Ridge", ["plain", "weighted", "wide"], {"alpha": 2.0, "solver": "cholesky"}
    yield "Ridge", ["plain"], {"alpha": 2.0, "positive": True, "tol": 1e-14}
    yield "RidgeCV", everything, {"alphas": [0.1, 1.0, 10.0]}
    yield "RidgeCV", everything, {"alphas": [0.01, 0.5, 30.0], "fit_intercept": False}
    for alpha in [0.01, 0.3]:
        yield "Lasso", everything, {"alpha": alpha, **tight}
        yield "ElasticNet", everything, {"alpha": alpha, "l1_ratio": 0.3, **tight}
    yield "Lasso", single, {"alpha": 0.1, "positive": True, **tight}
    yield "Lasso", single, {"alpha": 0.1, "fit_intercept": False, **tight}
    yield "MultiTaskLasso", ["targets"], {"alpha": 0.2, **tight}
    yield "MultiTaskElasticNet", ["targets"], {"alpha": 0.2, "l1_ratio": 0.7, **tight}
    yield "ElasticNet", single, {"alpha": 0.1, "l1_ratio": 0.8, "positive": True, **tight}
    yield "MultiTaskElasticNet", ["targets"], {"alpha": 0.1, "l1_ratio": 0.2, "fit_intercept": False, **tight}
    yield "LassoCV", ["plain", "weighted"], {**tight, "alphas": 20}
    yield "ElasticNetCV", ["plain", "weighted"], {**tight, "alphas": 20, "l1_ratio": [0.2, 0.9]}
    yield "MultiTaskLassoCV", ["targets"], {**tight, "alphas": 20}
    yield "MultiTaskElasticNetCV", ["targets"], {**tight, "alphas": 20, "l1_ratio": [0.3, 0.7]}
    for solver in ["lbfgs", "newton-cholesky"]:
        glm = {"alpha": 0.1, "solver": solver, "tol": 1e-11, "max_iter": 10000}
        counts, positive = ["counts", "counts_weighted"], ["positive_targets", "positive_targets_weighted"]
        yield "PoissonRegressor", counts, glm
        yield "PoissonRegressor", ["counts"], {**glm, "fit_intercept": False}
        yield "GammaRegressor", positive, glm
        yield "TweedieRegressor", counts, {"power": 1.5, "link": "log", **glm}
        yield "TweedieRegressor", positive, {"power": 3, "link": "log", **glm}
        yield "TweedieRegressor", ["plain", "weighted"], {"power": 0, **glm}
    fixed = {"shuffle": False, "max_iter": 20, "tol": None, "eta0": 0.001}
    for loss in ["squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"]:
        yield "SGDRegressor", ["counts"], {"loss": loss, "epsilon": 0.2, **fixed}


def objective(name, model, d, options):
    """What the estimator minimises, but for a factor in none of them."""
    x, y, w = d["x"], d["y"], d.get("w", np.ones(len(d["x"])))
    coef = np.atleast_2d(model.coef_)
    alpha, ratio = getattr(model, "alpha_", options.get("alpha", 1.0)), getattr(model, "l1_ratio_", None)
    if name in ["PoissonRegressor", "GammaRegressor", "TweedieRegressor"]:
        power = {"PoissonRegressor": 1, "GammaRegressor": 2}.get(name, options.get("power"))
        losses = mean_tweedie_deviance(y, model.predict(x), sample_weight=w, power=power) / 2
        return losses + alpha / 2 * np.sum(coef**2)
    squares = np.sum(w * ((y - model.predict(x)) ** 2).T)
    if name == "LinearRegression":
        return squares
    if name.startswith("Ridge"):
        return squares + alpha * np.sum(coef**2)
    ratio = 1.0 if "Lasso" in name else options["l1_ratio"] if ratio is None else ratio
    joint = name.startswith("MultiTask")
    absolute = np.sum(np.sqrt(np.sum(coef**2, 0))) if joint else np.sum(np.abs(coef))
    penalty = ratio * absolute + (1 - ratio) / 2 * np.sum(coef**2)
    return squares / (2 * np.sum(w)) + alpha * penalty


def paths():
    """Coefficients along a path, from the greatest penalty on."""
    d = data()["plain"]
    x, y = d["x"] - d["x"].mean(0), d["y"] - d["y"].mean()
    for ratio in [1.0, 0.4]:
        alphas, coefs, gaps = lm.enet_path(x, y, l1_ratio=ratio, alphas=[0.01, 2.0, 0.3, 0.05], tol=1e-13, max_iter=1000000)
        yield {"l1_ratio": ratio, "alphas": alphas, "coefs": coefs.T}


def build():
    sets = data()
    out = []
    for name, names, options in cases():
        for set_name in names:
            d = sets[set_name]
            w = d.get("w")
            model = getattr(lm, name)(**options)
            if w is None:
                model.fit(d["x"], d["y"])
            else:
                model.fit(d["x"], d["y"], sample_weight=w)
            case = {"estimator": name, "data": set_name, "options": options}
            case["coef"] = np.atleast_2d(model.coef_)
            targets = np.ndim(d["y"]) > 1 and d["y"].shape[1] or 1
            case["intercept"] = np.broadcast_to(model.intercept_, targets)
            case["score"] = model.score(d["x"], d["y"], sample_weight=w)
            if name != "SGDRegressor":
                case["objective"] = objective(name, model, d, options)
            for key in ["rank_", "alpha_", "best_score_", "l1_ratio_"]:
                if hasattr(model, key):
                    case[key] = getattr(model, key)
            if hasattr(model, "mse_path_") and w is None:
                path = model.mse_path_
                if path.ndim == 3:
                    path = path[list(options["l1_ratio"]).index(model.l1_ratio_)]
                case["errors"] = path.mean(-1)
            out.append(case)
    return {"data": sets, "cases": out, "paths": list(paths())}
