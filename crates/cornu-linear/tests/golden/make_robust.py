"""Golden values of regressions that resist outliers or choose their own penalty, and of preprocessing."""

import numpy as np
from sklearn import linear_model as lm
from sklearn import preprocessing as pp


def data():
    rng = np.random.default_rng(23)
    x = np.round(rng.normal(size=(50, 3)) * [1, 20, 0.1] + [0, 100, -1], 3)
    y = np.round(x @ [2.0, 0.1, -5.0] + rng.normal(size=50), 3)
    y[:4] += [40, -30, 25, 60]
    labels = np.digitize(x[:, 0] + rng.normal(size=50), [-0.5, 0.7])
    wide = np.round(rng.normal(size=(12, 20)), 2)
    return {
        "plain": {"x": x, "y": y},
        "weighted": {"x": x, "y": y, "w": np.round(rng.uniform(0, 3, 50), 1)},
        "wide": {"x": wide, "y": np.round(wide[:, 0] * 3 + rng.normal(size=12), 2)},
        "labels": {"x": x, "y": labels},
        "duplicate": {"x": np.concatenate([x, x[:, :1], np.ones((50, 1))], 1), "y": y},
    }


def cases():
    some = ["plain", "weighted", "wide", "duplicate"]
    # Of "wide" rows that can be fitted exactly, so that the scale is 0, unless the penalty is strong.
    yield "HuberRegressor", some[:2], {}
    for options in [{"alpha": 100.0}, {"alpha": 100.0, "fit_intercept": False}]:
        yield "HuberRegressor", ["wide"], options
    for options in [{"epsilon": 1.1, "alpha": 1.0}, {"fit_intercept": False, "alpha": 0.01}]:
        yield "HuberRegressor", ["plain", "weighted", "duplicate"], options
    for options in [{"alpha": 0.0}, {"quantile": 0.8, "alpha": 0.05}, {"quantile": 0.2, "alpha": 0.0},
                    {"alpha": 0.1, "fit_intercept": False}, {"alpha": 1.0}]:
        yield "QuantileRegressor", ["plain", "weighted"] if options["alpha"] == 0 else some, options
    for options in [{}, {"fit_intercept": False}, {"alpha_1": 1.0, "alpha_2": 2.0, "lambda_1": 0.5, "lambda_2": 0.1},
                    {"alpha_init": 2.0, "lambda_init": 0.1, "tol": 1e-8}]:
        yield "BayesianRidge", some, options
    yield "LogisticRegressionCV", ["labels"], {"Cs": [0.01, 0.1, 1.0, 10.0], "cv": 4}


def huber_objective(m, x, y, w):
    r = np.abs(y - m.predict(x))
    s, e = m.scale_, m.epsilon
    loss = np.where(r > e * s, s + 2 * e * r - s * e * e, s + r * r / s)
    return np.sum(w * loss) + m.alpha * np.sum(m.coef_**2)


def quantile_objective(m, x, y, w):
    r = y - m.predict(x)
    loss = np.where(r > 0, m.quantile * r, (m.quantile - 1) * r)
    return np.sum(w * loss) / np.sum(w) + m.alpha * np.sum(np.abs(m.coef_))


def fits():
    sets = data()
    for name, names, options in cases():
        for set_name in names:
            d = sets[set_name]
            w = d.get("w")
            arguments = dict(options)
            if name == "BayesianRidge":
                arguments.update(compute_score=True)
            if name == "HuberRegressor":
                arguments.update(tol=1e-12, max_iter=100000)
            if name == "LogisticRegressionCV":
                arguments.update(solver="newton-cholesky", tol=1e-10, max_iter=10000, scoring="accuracy", l1_ratios=(0,),
                                 use_legacy_attributes=True)
            m = getattr(lm, name)(**arguments).fit(d["x"], d["y"], sample_weight=w)
            case = {"estimator": name, "data": set_name, "options": options}
            case.update(coef=m.coef_, intercept=m.intercept_)
            ones = np.ones(len(d["y"])) if w is None else w
            if name == "HuberRegressor":
                case.update(objective=huber_objective(m, d["x"], d["y"], ones), scale=m.scale_)
            if name == "QuantileRegressor":
                case.update(objective=quantile_objective(m, d["x"], d["y"], ones))
            if name == "BayesianRidge":
                case.update(alpha=m.alpha_, lambda_=m.lambda_, std=m.predict(d["x"][:4], return_std=True)[1],
                            iterations=m.n_iter_,
                            # The last one is of the coefficients before, by mistake.
                            scores=m.scores_[:-1])
            if name == "LogisticRegressionCV":
                scores = m.scores_[0] if 0 in m.scores_ else next(iter(m.scores_.values()))
                case.update(c=np.ravel(m.C_)[0], scores=np.reshape(scores, (4, 4)))
            yield case


def transforms():
    d = data()["plain"]["x"]
    w = data()["weighted"]["w"]
    outside = np.array([[-9.0, 20.0, -3.0], [0.0, 100.0, -1.0], [8.0, 300.0, 5.0]])
    cases = [
        ("StandardScaler", {}), ("StandardScaler", {"with_mean": False}), ("StandardScaler", {"with_std": False}),
        ("RobustScaler", {}), ("RobustScaler", {"quantile_range": [10, 80]}),
        ("RobustScaler", {"quantile_range": [10, 80], "unit_variance": True}), ("RobustScaler", {"unit_variance": True}),
        ("PolynomialFeatures", {}), ("PolynomialFeatures", {"degree": 3}),
        ("PolynomialFeatures", {"degree": 3, "interaction_only": True, "include_bias": False}),
        ("SplineTransformer", {}), ("SplineTransformer", {"n_knots": 4, "degree": 2, "knots": "quantile"}),
        ("SplineTransformer", {"degree": 1, "include_bias": False}),
    ]
    # Degree 1 with linear extrapolation is left out: scikit-learn takes a wrong knot from the second feature on.
    for e in ["constant", "linear", "continue", "periodic"]:
        cases.append(("SplineTransformer", {"n_knots": 6, "extrapolation": e}))
    for name, options in cases:
        arguments = dict(options)
        if "quantile_range" in arguments:
            arguments["quantile_range"] = tuple(arguments["quantile_range"])
        m = getattr(pp, name)(**arguments).fit(d)
        yield {"transformer": name, "options": options, "made": m.transform(np.concatenate([d[:3], outside]))}
    for name, options in [("StandardScaler", {}), ("SplineTransformer", {"knots": "quantile", "n_knots": 4}),
                          ("SplineTransformer", {"knots": "uniform", "n_knots": 4})]:
        m = getattr(pp, name)(**options).fit(d, sample_weight=w)
        yield {"transformer": name, "options": {**options, "weighted": True},
               "made": m.transform(np.concatenate([d[:3], outside]))}


def build():
    return {"data": data(), "cases": list(fits()), "transforms": list(transforms())}
