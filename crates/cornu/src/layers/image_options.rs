//! Options that layers of images have in common, for layers with fields of their names.

/// The least and the largest value of images.
macro_rules! value_range_option {
    () => {
        $crate::layers::image_options::value_range_option!(
            "The least and the largest value of images; 0 and 255 by default."
        );
    };
    ($doc:literal) => {
        #[doc = $doc]
        pub fn value_range(mut self, low: f64, high: f64) -> Self {
            self.value_range = (low, high);
            self
        }
    };
}

/// What lies between cells.
macro_rules! interpolation_option {
    () => {
        $crate::layers::image_options::interpolation_option!(
            "What lies between cells: [`Interpolation::Bilinear`], the default, or [`Interpolation::Nearest`]."
        );
    };
    ($doc:literal) => {
        #[doc = $doc]
        pub fn interpolation(mut self, interpolation: Interpolation) -> Self {
            self.interpolation = interpolation;
            self
        }
    };
}

/// What lies outside an image.
macro_rules! fill_options {
    () => {
        /// What lies outside an image; its reflection by default.
        pub fn fill_mode(mut self, mode: FillMode) -> Self {
            self.fill_mode = mode;
            self
        }

        /// The value outside an image with [`FillMode::Constant`]; 0 by default.
        pub fn fill_value(mut self, value: f64) -> Self {
            self.fill_value = value;
            self
        }
    };
}

/// All options of a layer that changes images at random which others have too.
macro_rules! augmentation_options {
    ($layer:ident) => {
        impl $layer {
            $crate::layers::spatial::data_format_option!(data_format);
            $crate::layers::base::seed_option!();
        }

        $crate::layers::base::options!($layer);
    };
}

/// The parts of [`Layer`](super::Layer) that [`builtin`](super::base::builtin) has, for a layer whose configuration
/// has ranges, which begin at `low` at the lowest, instead of these factors.
macro_rules! ranged {
    ($layer:ident, $($factor:ident),+ from $low:literal) => {
        fn class_name(&self) -> &str {
            stringify!($layer)
        }
        fn base(&self) -> Option<&$crate::layers::Base> {
            Some(&self.base)
        }
        fn config(&self) -> serde_json::Map<String, serde_json::Value> {
            let factors = [$((stringify!($factor), self.$factor)),+];
            $crate::layers::augmentation::with_ranges(self, factors, $low)
        }
    };
}

pub(super) use {
    augmentation_options, fill_options, interpolation_option, ranged, value_range_option,
};
