"""Golden values of regressions: coefficients, intercepts and scores."""

import numpy as np
from sklearn import linear_model as lm


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
    yield "LassoCV", ["plain", "weighted"], {**tight, "alphas": 20}
    yield "ElasticNetCV", ["plain"], {**tight, "alphas": 20, "l1_ratio": [0.2, 0.9]}
    yield "MultiTaskLassoCV", ["targets"], {**tight, "alphas": 20}
    for solver in ["lbfgs", "newton-cholesky"]:
        glm = {"alpha": 0.1, "solver": solver, "tol": 1e-11, "max_iter": 10000}
        yield "PoissonRegressor", ["counts"], glm
        yield "GammaRegressor", ["positive_targets"], glm
        yield "TweedieRegressor", ["counts"], {"power": 1.5, "link": "log", **glm}
        yield "TweedieRegressor", ["positive_targets"], {"power": 3, "link": "log", **glm}
        yield "TweedieRegressor", ["plain", "weighted"], {"power": 0, **glm}
    fixed = {"shuffle": False, "max_iter": 20, "tol": None, "eta0": 0.001}
    for loss in ["squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"]:
        yield "SGDRegressor", ["counts"], {"loss": loss, "epsilon": 0.2, **fixed}


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
            for key in ["rank_", "alpha_", "best_score_", "l1_ratio_"]:
                if hasattr(model, key):
                    case[key] = getattr(model, key)
            if hasattr(model, "mse_path_") and w is None:
                path = model.mse_path_
                if path.ndim == 3:
                    path = path[list(options["l1_ratio"]).index(model.l1_ratio_)]
                case["errors"] = path.mean(-1)
            out.append(case)
    return {"data": sets, "cases": out}
