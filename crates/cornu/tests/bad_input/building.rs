//! Layers with wrong arguments, or on shapes that they cannot take.

use super::*;

pub const CASES: &[Case] = &[
    Case(
        "bounds of another name",
        "Layer \"batch_normalization\": Unknown renorm_clipping key \"rmix\". Did you mean \"rmax\" or \
         \"rmin\"?",
        || {
            let layer = BatchNormalization::new().renorm(true);
            one(layer.renorm_clipping([("rmix", 1.0)]).input_shape([3]))
        },
    ),
    Case(
        "bounds the wrong way round",
        "Layer \"batch_normalization\": rmax must be at least rmin. Received: rmax=0.5, rmin=2.",
        || {
            let layer = BatchNormalization::new().renorm(true);
            one(layer
                .renorm_clipping([("rmin", 2.0), ("rmax", 0.5)])
                .input_shape([3]))
        },
    ),
    Case(
        "nothing to divide",
        "Layer \"spectral_normalization\": SpectralNormalization expects a layer with a weight \
         \"kernel\" or \"embeddings\". Received: Flatten.",
        || one(SpectralNormalization::new(Flatten::new()).input_shape([3])),
    ),
    Case(
        "no power iterations",
        "Layer \"spectral_normalization\": power_iterations must be a positive integer. Received: \
         power_iterations=0.",
        || {
            one(SpectralNormalization::new(Dense::new(2))
                .power_iterations(0)
                .input_shape([3]))
        },
    ),
    Case(
        "no layers",
        "The model \"sequential\" has no layers: add some first.",
        || Sequential::new().build(),
    ),
    Case(
        "compile without layers",
        "The model \"sequential\" has no layers: add some first.",
        || Sequential::new().compile("sgd", "mse", ()),
    ),
    Case(
        "no input shape",
        "The model \"sequential\" does not know its input shape: give the first layer \
         .input_shape([…]), start with Input::new([…]), or fit it.",
        || one(Dense::new(1)),
    ),
    Case(
        "input shape of the second layer",
        "Layer \"second\": input_shape says (None, 4), but the layer before gives (None, 5).",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(5).input_shape([3]));
            model.add(Dense::new(2).input_shape([4]).name("second"));
            model.build()
        },
    ),
    Case(
        "input that contradicts the first layer",
        "Layer \"dense\": input_shape says (None, 4), but the layer before gives (None, 3).",
        || {
            let mut model = Sequential::new();
            model.add(Input::new([3]));
            model.add(Dense::new(2).input_shape([4]));
            model.build()
        },
    ),
    Case(
        "two layers of one name",
        "Layer names must be unique. Received: \"a\" twice.",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(5).input_shape([3]).name("a"));
            model.add(Dense::new(5).name("a"));
            model.build()
        },
    ),
    Case(
        "no units",
        "Layer \"dense\": units must be a positive integer. Received: units=0.",
        || one(Dense::new(0).input_shape([3])),
    ),
    Case(
        "no features",
        "Layer \"dense\": Dense expects at least one feature. Received: input shape (None, \
         0).",
        || one(Dense::new(2).input_shape([0])),
    ),
    Case(
        "a scalar for Dense",
        "Layer \"dense\": Dense expects at least a batch axis and a feature axis. Received: \
         input shape (None,).",
        || one(Dense::new(2).input_shape(())),
    ),
    Case(
        "too large",
        "Layer \"dense\": Weight \"kernel\" of shape (3, 18446744073709551615) needs more memory \
         than there is, or than what it is read from may ask for.",
        || one(Dense::new(usize::MAX).input_shape([3])),
    ),
    Case(
        "rate above 1",
        "Layer \"dropout\": rate must be between 0 and 1. Received: rate=2.",
        || one(Dropout::new(2.0).input_shape([3])),
    ),
    Case(
        "rate not a number",
        "Layer \"dropout\": rate must be between 0 and 1. Received: rate=NaN.",
        || one(Dropout::new(f64::NAN).input_shape([3])),
    ),
    Case(
        "noise of another rank",
        "Layer \"dropout\": noise_shape must have one extent per axis of the input (None, 3). \
         Received: (None,).",
        || one(Dropout::new(0.5).noise_shape([None]).input_shape([3])),
    ),
    Case(
        "noise of another shape",
        "Layer \"dropout\": noise_shape must have None, 1 or the input's own extent on each \
         axis of the input (None, 3). Received: (None, 2).",
        || {
            let mut model = Sequential::new();
            model.add(
                Dropout::new(0.5)
                    .noise_shape([None, Some(2)])
                    .input_shape([3]),
            );
            model.add(Dense::new(4));
            model.compile("sgd", "sparse_categorical_crossentropy", ())?;
            model.fit(x(), y(), quiet()).map(|_| ())
        },
    ),
    Case(
        "reshape",
        "Layer \"reshape\": Cannot reshape samples of shape (3,) (3 elements) to [2, 2].",
        || one(Reshape::new([2, 2]).input_shape([3])),
    ),
    Case(
        "reshape with two unknowns",
        "Layer \"reshape\": target_shape may have one -1 and otherwise positive extents. \
         Received: [-1, -1].",
        || one(Reshape::new([-1, -1]).input_shape([3])),
    ),
    Case(
        "reshape to nothing",
        "Layer \"reshape\": Cannot reshape samples of shape (3,) (3 elements) to [-1, 0].",
        || one(Reshape::new([-1, 0]).input_shape([3])),
    ),
    Case(
        "permute",
        "Layer \"permute\": dims must be an order of the axes 1 to 2 of the input (None, 3, \
         4). Received: dims=[1, 3].",
        || one(Permute::new([1, 3]).input_shape([3, 4])),
    ),
    Case(
        "permute twice the same",
        "Layer \"permute\": dims must be an order of the axes 1 to 2 of the input (None, 3, \
         4). Received: dims=[1, 1].",
        || one(Permute::new([1, 1]).input_shape([3, 4])),
    ),
    Case(
        "repeat a matrix",
        "Layer \"repeat_vector\": RepeatVector expects (batch, features). Received: input \
         shape (None, 3, 4).",
        || one(RepeatVector::new(2).input_shape([3, 4])),
    ),
    Case(
        "repeat no time",
        "Layer \"repeat_vector\": n must be at least 1. Received: n=0.",
        || one(RepeatVector::new(0).input_shape([3])),
    ),
    Case(
        "softmax axis",
        "Layer \"softmax\": axis 2 is out of range for the input (None, 3).",
        || one(Softmax::new().axis(2isize).input_shape([3])),
    ),
    Case(
        "prelu axis",
        "Layer \"p_re_lu\": shared_axes must be axes 1 to 1 of the input (None, 3). Received: \
         3.",
        || one(PReLU::new().shared_axes([3]).input_shape([3])),
    ),
    Case(
        "rescaling",
        "Layer \"rescaling\": scale needs one number, or one for each feature of the input \
         (None, 3). Received: 2 numbers.",
        || one(Rescaling::new(vec![1.0, 2.0]).input_shape([3])),
    ),
    Case(
        "relu",
        "Layer \"re_lu\": threshold must be 0 or more. Received: threshold=-1.",
        || one(ReLU::new().threshold(-1.0).input_shape([3])),
    ),
    Case(
        "dtype",
        "Layer \"dense\": Unknown dtype \"float31\". Did you mean \"float32\" or \"float16\"?",
        || one(Dense::new(2).dtype("float31").input_shape([3])),
    ),
    Case(
        "integer dtype",
        "Layer \"dense\": A layer computes in floats. Received: dtype int32.",
        || one(Dense::new(2).dtype("int32").input_shape([3])),
    ),
    Case(
        "activation",
        "Layer \"dense\": Unknown activation \"rellu\". Did you mean \"relu\" or \"celu\"?",
        || one(Dense::new(2).activation("rellu").input_shape([3])),
    ),
    Case(
        "activation layer",
        "Layer \"activation\": Unknown activation \"sofmax\". Did you mean \"softmax\"?",
        || one(Activation::new("sofmax").input_shape([3])),
    ),
    Case(
        "initializer",
        "Layer \"dense\": Unknown initializer \"glorot\". Known: Zeros, zeros, zero, Ones, \
         ones, one, Constant, Identity, identity, IdentityInitializer, Orthogonal, \
         orthogonal, OrthogonalInitializer, RandomNormal, random_normal, normal, \
         RandomUniform, random_uniform, uniform, TruncatedNormal, truncated_normal, \
         VarianceScaling, variance_scaling, GlorotNormal, glorot_normal, GlorotUniform, \
         glorot_uniform, HeNormal, he_normal, HeUniform, he_uniform, LecunNormal, \
         lecun_normal, LecunUniform, lecun_uniform, STFT, stft, STFTInitializer.",
        || one(Dense::new(2).kernel_initializer("glorot").input_shape([3])),
    ),
    Case(
        "regularizer",
        "Layer \"dense\": Unknown regularizer \"l3\". Did you mean \"L1\" or \"L2\"?",
        || one(Dense::new(2).kernel_regularizer("l3").input_shape([3])),
    ),
    Case(
        "activity regularizer",
        "Layer \"dense\": Unknown regularizer \"l3\". Did you mean \"L1\" or \"L2\"?",
        || one(Dense::new(2).activity_regularizer("l3").input_shape([3])),
    ),
    Case(
        "constraint",
        "Layer \"dense\": Unknown constraint \"max_nrm\". Did you mean \"max_norm\" or \"MaxNorm\"?",
        || one(Dense::new(2).kernel_constraint("max_nrm").input_shape([3])),
    ),
    Case(
        "initializer of another shape",
        "Layer \"dense\": The initializer Identity makes matrices. Received: shape (2,).",
        || one(Dense::new(2).bias_initializer("identity").input_shape([3])),
    ),
    Case(
        "layer from JSON",
        "Layer \"Dens\": Unknown layer class \"Dens\". Did you mean \"Dense\"? If it is your own, \
         implement the layer in Rust and give it as a custom object.",
        || {
            let json = serde_json::json!({"class_name": "Dens", "config": {"units": 2}});
            cornu::layers::from_config(&json).map(|_| ())
        },
    ),
    Case(
        "argument from JSON",
        "Layer \"a\": unknown field `unit`, expected one of `units`, `activation`, \
         `use_bias`, `kernel_initializer`, `bias_initializer`, `kernel_regularizer`, \
         `bias_regularizer`, `kernel_constraint`, `bias_constraint`",
        || {
            let config = serde_json::json!({"units": 2, "unit": 2, "name": "a"});
            let json = serde_json::json!({"class_name": "Dense", "config": config});
            cornu::layers::from_config(&json).map(|_| ())
        },
    ),
    Case(
        "dtype from JSON",
        "Layer \"Dense\": A layer computes in floats. Received: dtype int32.",
        || {
            let json = serde_json::json!({"class_name": "Dense", "config": {"units": 2, "dtype": "int32"}});
            let mut model = Sequential::from_layers(vec![cornu::layers::from_config(&json)?]);
            model.build_for(&InputShape::batch_of([3]))
        },
    ),
];
