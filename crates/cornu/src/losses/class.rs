//! What the typed losses have in common: name, reduction, arguments with defaults, JSON.

/// A loss class: a struct with its arguments, their builders and Keras' defaults.
macro_rules! loss_class {
    (
        $(#[$doc:meta])*
        $class:ident $name:literal
        { $($(#[$field_doc:meta])* $field:ident: $ty:ty = $default:expr),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        pub struct $class {
            name: String,
            reduction: $crate::losses::Reduction,
            $($field: $ty,)*
        }

        impl Default for $class {
            fn default() -> Self {
                Self {
                    name: $name.to_string(),
                    reduction: $crate::losses::Reduction::default(),
                    $($field: $default,)*
                }
            }
        }

        impl $class {
            /// With Keras' default arguments.
            pub fn new() -> Self {
                Self::default()
            }
            /// The name shown in logs.
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.name = name.into();
                self
            }
            /// How the values per sample become one.
            pub fn reduction(mut self, reduction: $crate::losses::Reduction) -> Self {
                self.reduction = reduction;
                self
            }
            $($(#[$field_doc])*
            pub fn $field(mut self, $field: impl Into<$ty>) -> Self {
                self.$field = $field.into();
                self
            })*
        }

        impl From<$class> for $crate::losses::Loss {
            fn from(loss: $class) -> Self {
                let (name, reduction) = (loss.name.clone(), loss.reduction);
                $crate::losses::Loss::new(loss).with_name(name).with_reduction(reduction)
            }
        }
    };
}

/// The parts of `LossFn` that are the same for every class.
macro_rules! loss_fn_basics {
    ($class:ident) => {
        fn name(&self) -> &str {
            &self.name
        }
        fn config(&self) -> Option<(&'static str, serde_json::Value)> {
            let config = serde_json::to_value(self).ok()?;
            Some((stringify!($class), config))
        }
    };
}

pub(super) use {loss_class, loss_fn_basics};
