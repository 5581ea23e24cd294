"""statistics.json: what statsmodels says of least squares and of logistic regression.

    python make_statistics.py       # statsmodels 0.15.0, scikit-learn 1.9.1, scipy 1.17.1
"""

import json
import pathlib
import re
from importlib import resources

import numpy as np
import pandas as pd
import statsmodels.api as sm
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

HERE = pathlib.Path(__file__).parent


def numbers(values):
    return [float(f"{v:.15g}") for v in np.asarray(values, float).ravel()]


def table(summary):
    """The text of a summary, of a fixed moment."""
    text = re.sub(r"\w{3}, \d\d \w{3} \d{4}", "Wed, 25 Nov 2026", summary.as_text())
    return re.sub(r"\d\d:\d\d:\d\d", "11:08:50", text)


def common(fit):
    return {
        "params": numbers(fit.params),
        "bse": numbers(fit.bse),
        "tvalues": numbers(fit.tvalues),
        "pvalues": numbers(fit.pvalues),
        "conf_int": numbers(fit.conf_int()),
        "conf_int_10": numbers(fit.conf_int(0.1)),
        "llf": float(fit.llf),
        "aic": float(fit.aic),
        "bic": float(fit.bic),
        "df_resid": float(fit.df_resid),
        "df_model": float(fit.df_model),
        "summary": table(fit.summary()),
    }


def ols(note, names, x, y, intercept=True, weights=None, target="y"):
    x = np.round(np.asarray(x, float), 6)
    frame = pd.DataFrame(x, columns=names)
    if intercept:
        frame = sm.add_constant(frame)
    y = pd.Series(np.asarray(y), name=target)
    model = sm.OLS(y, frame) if weights is None else sm.WLS(y, frame, weights=weights)
    fit = model.fit()
    # Of the rows times the roots of their weights.
    influence = sm.OLS(fit.model.wendog, fit.model.wexog).fit().get_influence()
    return {
        "kind": "ols",
        "note": note,
        "target": target,
        "names": list(names),
        "x": numbers(x),
        "y": numbers(y),
        "weights": None if weights is None else numbers(weights),
        "intercept": intercept,
        **common(fit),
        "rsquared": float(fit.rsquared),
        "rsquared_adj": float(fit.rsquared_adj),
        "fvalue": float(fit.fvalue),
        "f_pvalue": float(fit.f_pvalue),
        "condition_number": float(fit.condition_number),
        "resid": numbers(fit.resid[:5]),
        "leverage": numbers(influence.hat_matrix_diag[:5]),
        "cooks": numbers(influence.cooks_distance[0][:5]),
    }


def logit(note, names, x, y, intercept=True, target="y"):
    x = np.round(np.asarray(x, float), 6)
    frame = pd.DataFrame(x, columns=names)
    if intercept:
        frame = sm.add_constant(frame)
    y = pd.Series(np.asarray(y), name=target)
    fit = sm.Logit(y, frame).fit(disp=0, tol=1e-14, maxiter=100)
    influence = sm.GLM(y, frame, family=sm.families.Binomial()).fit(tol=1e-14).get_influence()
    return {
        "kind": "logit",
        "note": note,
        "target": target,
        "names": list(names),
        "x": numbers(x),
        "y": numbers(y),
        "intercept": intercept,
        **common(fit),
        "llnull": float(fit.llnull),
        "prsquared": float(fit.prsquared),
        "llr_pvalue": float(fit.llr_pvalue),
        "condition_number": float(np.linalg.cond(frame)),
        "leverage": numbers(influence.hat_matrix_diag[:5]),
        "cooks": numbers(influence.cooks_distance[0][:5]),
    }


diabetes = load_diabetes(scaled=False)
x, y = diabetes.data[:60, [0, 2, 3]], diabetes.target[:60]
iris = load_iris()
cancer = load_breast_cancer()
longley = pd.read_csv(resources.files("statsmodels.datasets.longley") / "longley.csv")
cases = [
    ols("diabetes", ["age", "bmi", "bp"], x, y),
    ols("long names", ["age", "a body mass index", "bp"], x, y),
    ols("weights", ["age", "bmi", "bp"], x, y, weights=np.linspace(0.5, 2, 60)),
    ols("no intercept", ["age", "bmi", "bp"], x, y, intercept=False),
    ols("a named target", ["age", "bmi", "bp"], x, y, target="progression"),
    ols("long names of all", ["age", "a body mass index", "bp"], x, y, target="progression after one year"),
    ols("Longley", list(longley.columns[2:]), longley.iloc[:, 2:], longley["TOTEMP"].to_numpy()),
    logit("iris", ["width"], iris.data[50:, 1:2], iris.target[50:] - 1),
    logit("cancer", ["radius", "texture"], cancer.data[:100, :2], cancer.target[:100], target="benign"),
    logit("iris without intercept", ["width", "length"], iris.data[50:, 1:3] - [2.9, 4.9], iris.target[50:] - 1,
          intercept=False, target="the species is virginica"),
]
text = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
(HERE / "statistics.json").write_text("[\n" + text + "\n]\n", encoding="utf-8")
