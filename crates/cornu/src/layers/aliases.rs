//! The other names that Keras has for some layers.

use super::*;

/// `alias = layer` for each.
macro_rules! aliases {
    ($($alias:ident = $layer:ident),* $(,)?) => {$(
        #[doc = concat!("Another name of [`", stringify!($layer), "`].")]
        pub type $alias = $layer;
    )*};
}

aliases! {
    AvgPool1D = AveragePooling1D,
    AvgPool2D = AveragePooling2D,
    AvgPool3D = AveragePooling3D,
    Convolution1D = Conv1D,
    Convolution1DTranspose = Conv1DTranspose,
    Convolution2D = Conv2D,
    Convolution2DTranspose = Conv2DTranspose,
    Convolution3D = Conv3D,
    Convolution3DTranspose = Conv3DTranspose,
    GlobalAvgPool1D = GlobalAveragePooling1D,
    GlobalAvgPool2D = GlobalAveragePooling2D,
    GlobalAvgPool3D = GlobalAveragePooling3D,
    GlobalMaxPool1D = GlobalMaxPooling1D,
    GlobalMaxPool2D = GlobalMaxPooling2D,
    GlobalMaxPool3D = GlobalMaxPooling3D,
    GroupQueryAttention = GroupedQueryAttention,
    MaxPool1D = MaxPooling1D,
    MaxPool2D = MaxPooling2D,
    MaxPool3D = MaxPooling3D,
    SeparableConvolution1D = SeparableConv1D,
    SeparableConvolution2D = SeparableConv2D,
}
