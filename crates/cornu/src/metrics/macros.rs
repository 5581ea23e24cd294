//! What all metric types have in common.

/// The method `name` of a metric type.
macro_rules! named {
    ($ty:ident) => {
        impl $ty {
            /// The metric under a name of its own.
            pub fn name(self, name: impl Into<String>) -> $crate::metrics::Metric {
                $crate::metrics::Metric::new(self).named(name)
            }
        }
    };
}
pub(super) use named;

/// The metric types that are a mean of values per sample and have no arguments: the struct, `new`,
/// `name` and [`MeanFn`](super::MeanFn).
macro_rules! plain_means {
    ($($(#[$doc:meta])* $ty:ident = $values:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
        pub struct $ty {}

        impl $ty {
            /// The metric; it has no arguments.
            pub fn new() -> Self {
                Self::default()
            }
        }

        impl $crate::metrics::MeanFn for $ty {
            fn class_name(&self) -> &'static str {
                stringify!($ty)
            }
            fn values(
                &self,
                y_true: &cornu_core::Tensor,
                y_pred: &cornu_core::Tensor,
            ) -> cornu_core::Tensor {
                $values(y_true, y_pred)
            }
        }
        $crate::metrics::macros::named!($ty);
    )*};
}
pub(super) use plain_means;

/// The metric types that are the mean of a loss without arguments.
macro_rules! loss_means {
    ($($(#[$doc:meta])* $ty:ident $(($name:literal))? = $loss:path;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
        pub struct $ty {}

        impl $ty {
            /// The metric; it has no arguments.
            pub fn new() -> Self {
                Self::default()
            }
        }

        impl $crate::metrics::MeanFn for $ty {
            fn class_name(&self) -> &'static str {
                stringify!($ty)
            }
            $(fn default_name(&self) -> String {
                $name.into()
            })?
            fn validate(
                &self,
                y_true: &cornu_core::TensorType,
                y_pred: &cornu_core::TensorType,
            ) -> cornu_core::Result<()> {
                $crate::losses::LossFn::validate(&<$loss>::new(), y_true, y_pred)
            }
            fn values(
                &self,
                y_true: &cornu_core::Tensor,
                y_pred: &cornu_core::Tensor,
            ) -> cornu_core::Tensor {
                let y_pred = $crate::metrics::shape::float(y_pred);
                $crate::losses::LossFn::call(&<$loss>::new(), y_true, &y_pred)
            }
        }
        $crate::metrics::macros::named!($ty);
    )*};
}
pub(super) use loss_means;
