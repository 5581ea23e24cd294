//! What layers with a kernel and a bias, or with a table, have alike: how these start, what is asked of them,
//! and the builder methods that say so.

use crate::initializers::Initializer;

pub(super) fn yes() -> bool {
    true
}

pub(super) fn zeros() -> Initializer {
    "zeros".into()
}

pub(super) fn glorot_uniform() -> Initializer {
    "glorot_uniform".into()
}

pub(super) fn uniform() -> Initializer {
    "uniform".into()
}

/// The builder methods of one kind of weight, for a layer (over `const N` axes) with fields of these names.
macro_rules! weight_options {
    (
        $([const $n:ident])? $layer:ident, $what:literal, $start:literal,
        $initializer:ident, $regularizer:ident, $constraint:ident
    ) => {
        impl$(<const $n: usize>)? $layer$(<$n>)? {
            #[doc = concat!("How ", $what, " starts; ", $start, " by default.")]
            pub fn $initializer(
                mut self,
                initializer: impl Into<$crate::initializers::Initializer>,
            ) -> Self {
                self.$initializer = initializer.into();
                self
            }

            #[doc = concat!("A penalty on ", $what, ".")]
            pub fn $regularizer(
                mut self,
                regularizer: impl Into<$crate::regularizers::Regularizer>,
            ) -> Self {
                self.$regularizer = Some(regularizer.into());
                self
            }

            #[doc = concat!("A constraint on ", $what, ".")]
            pub fn $constraint(
                mut self,
                constraint: impl Into<$crate::constraints::Constraint>,
            ) -> Self {
                self.$constraint = Some(constraint.into());
                self
            }
        }
    };
}

/// The builder methods of kernel and bias; of layers that hold several, they are those of each.
macro_rules! kernel_options {
    ($layer:ident) => {
        $crate::layers::weight_options::weight_options!(
            $layer,
            "the kernel",
            "`\"glorot_uniform\"`",
            kernel_initializer,
            kernel_regularizer,
            kernel_constraint
        );
        $crate::layers::weight_options::weight_options!(
            $layer,
            "the bias",
            "`\"zeros\"`",
            bias_initializer,
            bias_regularizer,
            bias_constraint
        );
    };
}

/// The builder methods of a table of vectors, in which 0 may stand for what is not there.
macro_rules! table_options {
    ($layer:ident) => {
        $crate::layers::weight_options::weight_options!(
            $layer,
            "the table",
            "`\"uniform\"`, between −0.05 and 0.05,",
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint
        );

        impl $layer {
            /// Whether 0 stands for a step that is not there; not by default.
            pub fn mask_zero(mut self, mask: bool) -> Self {
                self.mask_zero = mask;
                self
            }
        }
    };
}

pub(super) use {kernel_options, table_options, weight_options};
