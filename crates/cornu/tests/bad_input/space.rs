//! Convolutions, pooling and other layers over space.

use super::*;

pub const CASES: &[Case] = &[
    Case(
        "a kernel larger than the image",
        "Layer \"conv2d\": kernel_size [5, 5] with dilation_rate [1, 1] is larger than \
         the input (None, 4, 4, 1): the output would be empty. Use padding=\"same\" or a \
         smaller kernel.",
        || one(Conv2D::new(2, 5).input_shape([4, 4, 1])),
    ),
    Case(
        "a kernel longer than the sequence",
        "Layer \"conv1d\": kernel_size [5] with dilation_rate [1] is larger than the \
         input (None, 4, 1): the output would be empty. Use padding=\"same\" or a smaller \
         kernel.",
        || one(Conv1D::new(2, 5).input_shape([4, 1])),
    ),
    Case(
        "a kernel whose cells are too far apart",
        "Layer \"conv2d\": kernel_size [3, 3] with dilation_rate [2, 2] is larger than \
         the input (None, 4, 4, 1): the output would be empty. Use padding=\"same\" or a \
         smaller kernel.",
        || one(Conv2D::new(2, 3).dilation_rate(2).input_shape([4, 4, 1])),
    ),
    Case(
        "a depthwise kernel larger than the image",
        "Layer \"depthwise_conv2d\": kernel_size [7, 7] with dilation_rate [1, 1] is \
         larger than the input (None, 4, 4, 2): the output would be empty. Use \
         padding=\"same\" or a smaller kernel.",
        || one(DepthwiseConv2D::new(7).input_shape([4, 4, 2])),
    ),
    Case(
        "a separable kernel larger than the image",
        "Layer \"separable_conv2d\": kernel_size [7, 7] with dilation_rate [1, 1] is \
         larger than the input (None, 4, 4, 2): the output would be empty. Use \
         padding=\"same\" or a smaller kernel.",
        || one(SeparableConv2D::new(3, 7).input_shape([4, 4, 2])),
    ),
    Case(
        "an image without cells",
        "Layer \"conv2d\": Conv2D expects at least one cell along every axis. Received: \
         input shape (None, 0, 6, 1).",
        || one(Conv2D::new(3, 3).padding("same").input_shape([0, 6, 1])),
    ),
    Case(
        "an image without channels",
        "Layer \"conv2d\": Conv2D expects a known number of channels. Received: input \
         shape (None, 6, 6, 0).",
        || one(Conv2D::new(3, 2).input_shape([6, 6, 0])),
    ),
    Case(
        "no image",
        "Layer \"conv2d\": Conv2D expects an input of rank 4: batch, 2 spatial and a \
         channel axis. Received: input shape (None, 4, 4).",
        || one(Conv2D::new(3, 2).input_shape([4, 4])),
    ),
    Case(
        "no filters",
        "Layer \"conv2d\": filters must be a positive integer. Received: filters=0.",
        || one(Conv2D::new(0, 3).input_shape([4, 4, 1])),
    ),
    Case(
        "no kernel",
        "Layer \"conv2d\": kernel_size must be 2 positive integers (or one for all axes). \
         Received: kernel_size=[0, 0].",
        || one(Conv2D::new(3, 0).input_shape([4, 4, 2])),
    ),
    Case(
        "no strides",
        "Layer \"conv2d\": strides must be 2 positive integers (or one for all axes). \
         Received: strides=[0, 0].",
        || one(Conv2D::new(3, 2).strides(0).input_shape([4, 4, 2])),
    ),
    Case(
        "no groups",
        "Layer \"conv2d\": groups must be a positive integer. Received: groups=0.",
        || one(Conv2D::new(4, 3).groups(0).input_shape([4, 4, 2])),
    ),
    Case(
        "channels that do not divide by groups",
        "Layer \"conv2d\": The channels of the input and filters must be multiples of \
         groups. Received: 2 channels, filters=6, groups=3.",
        || one(Conv2D::new(6, 3).groups(3).input_shape([4, 4, 2])),
    ),
    Case(
        "filters that do not divide by groups",
        "Layer \"conv2d\": The channels of the input and filters must be multiples of \
         groups. Received: 2 channels, filters=3, groups=2.",
        || one(Conv2D::new(3, 3).groups(2).input_shape([4, 4, 2])),
    ),
    Case(
        "strides and dilation",
        "Layer \"conv2d\": strides and dilation_rate cannot both be greater than 1. \
         Received: strides=[2, 2] and dilation_rate=[2, 2].",
        || {
            one(Conv2D::new(3, 2)
                .strides(2)
                .dilation_rate(2)
                .input_shape([6, 6, 1]))
        },
    ),
    Case(
        "padding",
        "Layer \"conv2d\": Unknown padding \"sam\". Did you mean \"same\"?",
        || one(Conv2D::new(2, 3).padding("sam").input_shape([4, 4, 1])),
    ),
    Case(
        "causal images",
        "Layer \"conv2d\": padding=\"causal\" is for Conv1D with channels last.",
        || one(Conv2D::new(2, 3).padding("causal").input_shape([4, 4, 1])),
    ),
    Case(
        "a format that is none",
        "Layer \"conv2d\": Unknown data_format \"channel_first\". Did you mean \
         \"channels_first\" or \"channels_last\"?",
        || {
            one(Conv2D::new(2, 3)
                .data_format("channel_first")
                .input_shape([4, 4, 3]))
        },
    ),
    Case(
        "pooling: a format that is none",
        "Layer \"max_pooling2d\": Unknown data_format \"first\". Known: channels_last, \
         channels_first.",
        || {
            one(MaxPooling2D::new(2)
                .data_format("first")
                .input_shape([4, 4, 3]))
        },
    ),
    Case(
        "too many filters",
        "Layer \"conv2d\": Weight \"kernel\" of shape (3, 3, 1, 18446744073709551615) \
         needs more memory than there is, or than what it is read from may ask for.",
        || one(Conv2D::new(usize::MAX, 3).input_shape([6, 6, 1])),
    ),
    Case(
        "too large a kernel",
        "Layer \"conv2d\": kernel_size must be below 2^31. Received: \
         kernel_size=[18446744073709551615, 18446744073709551615].",
        || {
            one(Conv2D::new(1, usize::MAX)
                .padding("same")
                .input_shape([6, 6, 1]))
        },
    ),
    Case(
        "too large a dilation",
        "Layer \"conv2d\": dilation_rate must be below 2^31. Received: \
         dilation_rate=[18446744073709551615, 18446744073709551615].",
        || {
            one(Conv2D::new(1, 2)
                .dilation_rate(usize::MAX)
                .padding("same")
                .input_shape([6, 6, 1]))
        },
    ),
    Case(
        "transposed: too large a stride",
        "Layer \"conv2d_transpose\": strides must be below 2^31. Received: \
         strides=[18446744073709551615, 18446744073709551615].",
        || {
            one(Conv2DTranspose::new(3, 2)
                .strides(usize::MAX)
                .input_shape([4, 4, 2]))
        },
    ),
    Case(
        "transposed: a result larger than any memory",
        "Layer \"conv2d_transpose\": A tensor of shape (2, 4294967296, 4294967296, 3) is \
         larger than any memory.",
        || {
            one(Conv2DTranspose::new(3, 2)
                .strides(1 << 30)
                .input_shape([4, 4, 2]))
        },
    ),
    Case(
        "transposed: output_padding",
        "Layer \"conv2d_transpose\": output_padding must be less than strides. Received: \
         output_padding=[2, 2], strides=[2, 2].",
        || {
            one(Conv2DTranspose::new(3, 2)
                .strides(2)
                .output_padding(2)
                .input_shape([4, 4, 2]))
        },
    ),
    Case(
        "transposed: causal",
        "Layer \"conv1d_transpose\": padding must be \"valid\" or \"same\". Received: \
         padding=\"causal\".",
        || {
            one(Conv1DTranspose::new(3, 2)
                .padding("causal")
                .input_shape([4, 2]))
        },
    ),
    Case(
        "no multiplier",
        "Layer \"depthwise_conv2d\": depth_multiplier must be a positive integer. \
         Received: depth_multiplier=0.",
        || {
            one(DepthwiseConv2D::new(2)
                .depth_multiplier(0)
                .input_shape([4, 4, 2]))
        },
    ),
    Case(
        "a window larger than the image",
        "Layer \"max_pooling2d\": pool_size [5, 5] is larger than the input (None, 4, 4, \
         1): the output would be empty. Use padding=\"same\" or a smaller window.",
        || one(MaxPooling2D::new(5).input_shape([4, 4, 1])),
    ),
    Case(
        "a mean of more than the image",
        "Layer \"average_pooling2d\": pool_size [2, 5] is larger than the input (None, 4, \
         4, 1): the output would be empty. Use padding=\"same\" or a smaller window.",
        || one(AveragePooling2D::new([2, 5]).input_shape([4, 4, 1])),
    ),
    Case(
        "no window",
        "Layer \"max_pooling2d\": pool_size must be 2 positive integers (or one for all \
         axes). Received: pool_size=[0, 0].",
        || one(MaxPooling2D::new(0).input_shape([4, 4, 1])),
    ),
    Case(
        "windows without distance",
        "Layer \"max_pooling2d\": strides must be 2 positive integers (or one for all \
         axes). Received: strides=[0, 0].",
        || one(MaxPooling2D::new(2).strides(0).input_shape([4, 4, 1])),
    ),
    Case(
        "too large a window",
        "Layer \"max_pooling2d\": pool_size must be below 2^31. Received: \
         pool_size=[18446744073709551615, 18446744073709551615].",
        || {
            one(MaxPooling2D::new(usize::MAX)
                .padding("same")
                .input_shape([4, 4, 1]))
        },
    ),
    Case(
        "causal windows",
        "Layer \"max_pooling1d\": padding must be \"valid\" or \"same\". Received: \
         padding=\"causal\".",
        || one(MaxPooling1D::new(2).padding("causal").input_shape([4, 4])),
    ),
    Case(
        "the mean of nothing",
        "Layer \"global_average_pooling2d\": GlobalAveragePooling2D expects at least one \
         cell along every axis. Received: input shape (None, 0, 4, 1).",
        || one(GlobalAveragePooling2D::new().input_shape([0, 4, 1])),
    ),
    Case(
        "the largest of nothing",
        "Layer \"global_max_pooling1d\": GlobalMaxPooling1D expects at least one cell \
         along every axis. Received: input shape (None, 0, 4).",
        || one(GlobalMaxPooling1D::new().input_shape([0, 4])),
    ),
    Case(
        "no parts",
        "Layer \"adaptive_max_pooling2d\": output_size must be 2 positive integers (or \
         one for all axes). Received: output_size=[0, 0].",
        || one(AdaptiveMaxPooling2D::new(0).input_shape([4, 4, 1])),
    ),
    Case(
        "parts of nothing",
        "Layer \"adaptive_average_pooling2d\": AdaptiveAveragePooling2D expects at least \
         one cell along every axis. Received: input shape (None, 0, 4, 1).",
        || one(AdaptiveAveragePooling2D::new(2).input_shape([0, 4, 1])),
    ),
    Case(
        "all of it cropped",
        "Layer \"cropping2d\": cropping [(2, 2), (2, 2)] leaves nothing of the input \
         (None, 4, 4, 1).",
        || one(Cropping2D::new(2).input_shape([4, 4, 1])),
    ),
    Case(
        "more than all of it cropped",
        "Layer \"cropping2d\": cropping must be below 2^31. Received: \
         cropping=[18446744073709551615, 18446744073709551615].",
        || one(Cropping2D::new(usize::MAX).input_shape([4, 4, 1])),
    ),
    Case(
        "too large a margin",
        "Layer \"zero_padding2d\": padding must be below 2^31. Received: \
         padding=[18446744073709551615, 18446744073709551615].",
        || one(ZeroPadding2D::new(usize::MAX).input_shape([4, 4, 1])),
    ),
    Case(
        "a margin larger than any memory",
        "Layer \"zero_padding2d\": A tensor of shape (2, 2147483652, 2147483652, 1) is \
         larger than any memory.",
        || one(ZeroPadding2D::new(1 << 30).input_shape([4, 4, 1])),
    ),
    Case(
        "not even once",
        "Layer \"up_sampling2d\": size must be 2 positive integers (or one for all axes). \
         Received: size=[0, 0].",
        || one(UpSampling2D::new(0).input_shape([4, 4, 1])),
    ),
    Case(
        "too often",
        "Layer \"up_sampling1d\": size must be below 2^31. Received: \
         size=[18446744073709551615].",
        || one(UpSampling1D::new(usize::MAX).input_shape([4, 1])),
    ),
    Case(
        "no height",
        "Layer \"resizing\": Resizing needs a positive height and width. Received: \
         height=0, width=3.",
        || one(Resizing::new(0, 3).input_shape([4, 4, 1])),
    ),
    Case(
        "too much height",
        "Layer \"resizing\": height and width must be below 2^31. Received: height and \
         width=[18446744073709551615, 3].",
        || one(Resizing::new(usize::MAX, 3).input_shape([4, 4, 1])),
    ),
    Case(
        "whole channels of a vector",
        "Layer \"spatial_dropout2d\": SpatialDropout2D expects an input of rank 4: batch, \
         2 spatial and a channel axis. Received: input shape (None, 4).",
        || one(SpatialDropout2D::new(0.5).input_shape([4])),
    ),
    Case(
        "groups of channels",
        "Layer \"group_normalization\": groups must divide the number of channels, 4. \
         Received: groups=3.",
        || one(GroupNormalization::new(3).input_shape([4, 4])),
    ),
];
