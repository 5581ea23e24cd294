//! Methods that set an option.

/// Within an `impl`: `name: Type => field;`, with its doc comment, is the method `name` that takes a value, puts it
/// into the field and returns the estimator.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => $($field:ident).+;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(mut self, $name: $type) -> Self {
                self.$($field).+ = $name;
                self
            }
        )*
    };
}

pub(crate) use setters;
