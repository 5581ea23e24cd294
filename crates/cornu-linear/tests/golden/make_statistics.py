"""statistics.json: what statsmodels says of least squares and of logistic regression.

    python make_statistics.py       # statsmodels 0.15.0, scikit-learn 1.9.1, scipy 1.17.1
"""

import json
import pathlib
from importlib import resources

import numpy as np
import pandas as pd
import statsmodels.api as sm
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

HERE = pathlib.Path(__file__).parent


def numbers(values):
    return [float(f"{v:.15g}") for v in np.asarray(values, float).ravel()]


def table(summary):
    """The text of a summary without date and time, lines trimmed."""
    lines = [line.rstrip() for line in summary.as_text().split("\n")]
    rule = [i for i, line in enumerate(lines) if line.startswith("===")]
    top = lines[rule[0] + 1 : rule[1]]
    left = [line[:37] for line in top if line[:5] not in ("Date:", "Time:")]
    left = [line for line in left if line.strip()]
    right = [line[40:] for line in top if line[40:].strip()]
    rows = max(len(left), len(right))
    left += [""] * (rows - len(left))
    right += [""] * (rows - len(right))
    top = [f"{a:37}   {b}".rstrip() for a, b in zip(left, right)]
    # The title is centred in the widest table by us, in the first by statsmodels.
    return "\n".join([lines[0].strip()] + top + lines[rule[1] :]).rstrip()


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


def ols(note, names, x, y, intercept=True, weights=None):
    x = np.round(np.asarray(x, float), 6)
    frame = pd.DataFrame(x, columns=names)
    if intercept:
        frame = sm.add_constant(frame)
    model = sm.OLS(y, frame) if weights is None else sm.WLS(y, frame, weights=weights)
    fit = model.fit()
    # Of the rows times the roots of their weights.
    influence = sm.OLS(fit.model.wendog, fit.model.wexog).fit().get_influence()
    return {
        "kind": "ols",
        "note": note,
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


def logit(note, names, x, y):
    x = np.round(np.asarray(x, float), 6)
    frame = sm.add_constant(pd.DataFrame(x, columns=names))
    fit = sm.Logit(y, frame).fit(disp=0, tol=1e-14, maxiter=100)
    influence = sm.GLM(y, frame, family=sm.families.Binomial()).fit(tol=1e-14).get_influence()
    return {
        "kind": "logit",
        "note": note,
        "names": list(names),
        "x": numbers(x),
        "y": numbers(y),
        "intercept": True,
        **common(fit),
        "llnull": float(fit.llnull),
        "prsquared": float(fit.prsquared),
        "llr_pvalue": float(fit.llr_pvalue),
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
    ols("Longley", list(longley.columns[2:]), longley.iloc[:, 2:], longley["TOTEMP"].to_numpy()),
    logit("iris", ["width"], iris.data[50:, 1:2], iris.target[50:] - 1),
    logit("cancer", ["radius", "texture"], cancer.data[:100, :2], cancer.target[:100]),
]
text = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
(HERE / "statistics.json").write_text("[\n" + text + "\n]\n", encoding="utf-8")
