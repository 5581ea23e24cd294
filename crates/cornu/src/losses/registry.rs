//! Every loss by its Keras strings and class name.

use super::*;
use serde_json::Value;

/// The losses: class, name of the function, short names.
macro_rules! registry {
    ($($class:ident $function:literal $([$($alias:literal)*])?;)*) => {
        /// The spellings that a string may have, short names last.
        const NAMES: &[&str] = &[
            $($function,)* $(stringify!($class),)* $($($($alias,)*)?)* "crossentropy", "ce",
        ];

        /// Class names, as in files.
        const CLASSES: &[&str] = &[$(stringify!($class),)*];

        pub(super) fn from_name(name: &str) -> Loss {
            $(if [stringify!($class), $function, $($($alias),*)?].contains(&name) {
                return named(name, stringify!($class), Arc::new($class::new()));
            })*
            if matches!(name, "crossentropy" | "ce") {
                return named(name, "", Arc::new(ByShape));
            }
            Loss {
                function: Err(Error::unknown("loss", name, NAMES)),
                reduction: Reduction::default(),
                name: name.to_string(),
                string: Some(name.to_string()),
            }
        }

        pub(super) fn from_config(class: &str, value: &Value) -> Result<Loss> {
            $(if class == stringify!($class) {
                return crate::config::read::<$class>(class, value).map(Loss::from);
            })*
            Err(Error::unknown("loss", class, CLASSES))
        }
    };
}

registry! {
    MeanSquaredError "mean_squared_error" ["mse" "MSE"];
    MeanAbsoluteError "mean_absolute_error" ["mae" "MAE"];
    MeanAbsolutePercentageError "mean_absolute_percentage_error" ["mape" "MAPE"];
    MeanSquaredLogarithmicError "mean_squared_logarithmic_error" ["msle" "MSLE"];
    Huber "huber";
    LogCosh "log_cosh";
    CosineSimilarity "cosine_similarity";
    BinaryCrossentropy "binary_crossentropy" ["bce" "BCE"];
    BinaryFocalCrossentropy "binary_focal_crossentropy";
    CategoricalCrossentropy "categorical_crossentropy";
    CategoricalFocalCrossentropy "categorical_focal_crossentropy";
    CategoricalGeneralizedCrossEntropy "categorical_generalized_cross_entropy";
    SparseCategoricalCrossentropy "sparse_categorical_crossentropy";
    KLDivergence "kl_divergence" ["kld" "KLD"];
    Poisson "poisson";
    Hinge "hinge";
    SquaredHinge "squared_hinge";
    CategoricalHinge "categorical_hinge";
    Dice "dice";
    Tversky "tversky";
    Circle "circle";
    CTC "ctc";
}

/// A function by its string, which is the loss' name unless it is that of the class.
fn named(string: &str, class: &str, function: Arc<dyn LossFn>) -> Loss {
    let mut loss = Loss::of(function);
    if string != class {
        loss.name = string.to_string();
    }
    loss.string = Some(string.to_string());
    loss
}

/// `"crossentropy"`: binary, sparse or categorical, whichever the shapes ask for.
struct ByShape;

impl ByShape {
    fn choose(y_true: &TensorType, y_pred: &TensorType) -> Box<dyn LossFn> {
        let (t, p) = (&y_true.shape, &y_pred.shape);
        if p.last().is_none_or(|n| *n == 1) {
            Box::new(BinaryCrossentropy::new())
        } else if t.rank() < p.rank() || t.last() == Some(&1) {
            Box::new(SparseCategoricalCrossentropy::new())
        } else {
            Box::new(CategoricalCrossentropy::new())
        }
    }
}

impl LossFn for ByShape {
    fn name(&self) -> &str {
        "crossentropy"
    }
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        ByShape::choose(y_true.ty(), y_pred.ty()).call(y_true, y_pred)
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        ByShape::choose(y_true, y_pred).validate(y_true, y_pred)
    }
    fn class_numbers(&self, y_true: &TensorType, y_pred: &TensorType) -> Option<ClassNumbers> {
        ByShape::choose(y_true, y_pred).class_numbers(y_true, y_pred)
    }
}
