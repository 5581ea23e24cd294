//! Models to files and back.
#![cfg(feature = "saving")]

use cornu::constraints::Constraint;
use cornu::initializers::Initializer;
use cornu::prelude::*;
use cornu::regularizers::Regularizer;
use cornu::saving::{
    CustomObjects, LoadModel, load_model, load_model_with, model_from_json, model_from_json_with,
};
use std::path::{Path, PathBuf};

/// A folder of a test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("cornu-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Numbers that repeat on no axis.
fn numbers(shape: &[usize]) -> Array {
    let size: usize = shape.iter().product();
    let values: Vec<f32> = (0..size)
        .map(|i| ((i * 37 % 101) as f32 - 50.0) / 40.0)
        .collect();
    Array::from_vec(shape, values).unwrap()
}

/// Two encoders of which one is called twice, a stack and a graph inside, attention and recurrence.
fn everything() -> Model {
    let (a, b) = (
        Input::new([4]).name("a").symbol(),
        Input::new([4]).name("b").symbol(),
    );
    let q = Input::new([5, 4]).name("q").symbol();
    let encode = Dense::new(3).activation("relu").shared();
    let both = encode.on(&a) + encode.on(&b);
    let mut stack = Sequential::new().named("stack");
    stack.add(Dense::new(2).input_shape([3]));
    let inner = Input::new([2]).symbol();
    let inner = Model::new(&inner, Dense::new(2).name("deep").on(&inner))
        .unwrap()
        .named("graph");
    let y = (&inner).on((&stack).on(&both));
    let seen = MultiHeadAttention::new(2, 3).use_causal_mask(true).on(&q);
    let states = LSTM::new(3).return_state(true).on_all(&seen);
    let again = GRU::new(3).on([&seen, &states[1]]);
    let flat = Concatenate::new().on([&y, &(&states[0] * 2.0 + 1.0), &again]);
    let flat = BatchNormalization::new().on(&flat);
    let out = Dense::new(1).name("out").on(Dropout::new(0.2).on(&flat));
    let mut model = Model::new([&a, &b, &q], [&out, &y])
        .unwrap()
        .named("everything");
    let compile = Compile::optimizer(Adam::new().learning_rate(0.01))
        .loss_for("out", "mse")
        .loss_for("graph", Huber::new().delta(0.5))
        .loss_weight_for("graph", 0.5)
        .metrics_for("out", ["mae"]);
    model.compile_with(compile).unwrap();
    model
}

fn fit(model: &mut Model, epochs: usize) -> Vec<f64> {
    let (a, b, q) = (numbers(&[6, 4]), numbers(&[6, 4]), numbers(&[6, 5, 4]));
    let (out, y) = (numbers(&[6, 1]), numbers(&[6, 2]));
    let fit = Fit::new()
        .epochs(epochs)
        .batch_size(3)
        .shuffle(false)
        .verbose(0);
    model.fit((&a, &b, &q), (&out, &y), fit).unwrap()["loss"].to_vec()
}

fn predictions(model: &mut Model) -> Vec<Array> {
    model
        .predict_all((&numbers(&[2, 4]), &numbers(&[2, 4]), &numbers(&[2, 5, 4])))
        .unwrap()
}

fn optimizer_state(model: &Model) -> Vec<Array> {
    let variables = model.optimizer().unwrap().variables();
    variables.iter().map(Variable::value).collect()
}

#[test]
fn a_model_of_everything_comes_back_whole() {
    let folder = Folder::new("everything");
    let mut model = everything();
    fit(&mut model, 2);
    let path = folder.file("model.keras");
    model.save(&path).unwrap();
    let mut again = load_model(&path).unwrap();
    assert_eq!(again.name(), "everything");
    assert_eq!(again.layer_names(), model.layer_names());
    assert!(again.to_json() == model.to_json());
    assert_eq!(predictions(&mut again), predictions(&mut model));
    assert_eq!(again.optimizer().unwrap().iterations(), 4);
    assert_eq!(optimizer_state(&again), optimizer_state(&model));

    let bare = load_model_with(&path, &LoadModel::new().compile(false)).unwrap();
    assert!(!bare.is_compiled());
    assert_eq!(bare.get_weights().unwrap(), model.get_weights().unwrap());
    let copy = model_from_json(&model.to_json()).unwrap();
    assert!(copy.to_json() == model.to_json());
}

#[test]
fn weights_go_into_another_model_of_the_same_layers() {
    let folder = Folder::new("weights");
    let path: &Path = &folder.file("model.weights.h5");
    let (mut model, mut other) = (everything(), everything());
    fit(&mut model, 1);
    model.save_weights(path).unwrap();
    other.load_weights(path).unwrap();
    assert_eq!(other.get_weights().unwrap(), model.get_weights().unwrap());

    let stack = |units: usize| {
        let mut stack = Sequential::new();
        stack.add(Dense::new(3).input_shape([2]).name("first"));
        stack.add(Dense::new(units).name("second"));
        stack.build().unwrap();
        stack
    };
    let (narrow, mut wide) = (stack(4), stack(5));
    narrow.save_weights(path).unwrap();
    let before = wide.get_weights().unwrap();
    let e = wide.load_weights(path).unwrap_err().to_string();
    let told = "Layer \"second\": \"second/kernel\" has shape (3, 5) in the model. Received: shape (3, 4) in the file.";
    assert_eq!(e, told);
    assert_eq!(wide.get_weights().unwrap(), before);
    let skipped = wide.load_weights_skipping_mismatch(path).unwrap();
    assert_eq!(skipped.len(), 1);
    assert_eq!(
        wide.get_weights().unwrap()[0],
        narrow.get_weights().unwrap()[0]
    );
    assert_eq!(wide.get_weights().unwrap()[2], before[2]);

    let e = narrow
        .save_weights(folder.file("model.h5"))
        .unwrap_err()
        .to_string();
    assert!(e.contains("must end in \".weights.h5\""), "{e}");
    let e = narrow
        .save(folder.file("model.h5"))
        .unwrap_err()
        .to_string();
    assert!(e.contains("must end in \".keras\""), "{e}");
}

#[test]
fn training_goes_on_exactly() {
    let folder = Folder::new("training");
    let path = folder.file("model.keras");
    let build = || {
        let mut model = Sequential::new();
        model.add(Dense::new(8).activation("tanh").input_shape([4]));
        model.add(BatchNormalization::new());
        model.add(Dense::new(1));
        model
            .compile(
                RMSprop::new().momentum(0.9).learning_rate(0.01),
                "mse",
                ["mae"],
            )
            .unwrap();
        model
    };
    let (x, y) = (numbers(&[8, 4]), numbers(&[8, 1]));
    let fit = |model: &mut Model| {
        let fit = Fit::new().epochs(3).batch_size(4).shuffle(false).verbose(0);
        model.fit(&x, &y, fit).unwrap()["loss"].to_vec()
    };
    let mut model = build();
    fit(&mut model);
    model.save(&path).unwrap();
    let mut again = load_model(&path).unwrap();
    assert_eq!(fit(&mut again), fit(&mut model));
}

#[test]
fn a_folder_of_an_archives_members_is_a_model() {
    let folder = Folder::new("unzipped");
    let mut model = everything();
    fit(&mut model, 1);
    let path = folder.file("model.keras");
    model.save(&path).unwrap();
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
    archive.extract(folder.file("open")).unwrap();
    let again = load_model(folder.file("open")).unwrap();
    assert_eq!(again.get_weights().unwrap(), model.get_weights().unwrap());
    assert_eq!(optimizer_state(&again), optimizer_state(&model));
    std::fs::remove_file(folder.file("open/config.json")).unwrap();
    let e = load_model(folder.file("open")).unwrap_err().to_string();
    assert!(e.contains("config.json cannot be read"), "{e}");
}

#[test]
fn what_is_python_is_refused() {
    let mut model = Sequential::new();
    model.add(Dense::new(2).input_shape([3]));
    model.build().unwrap();
    let lambda = model.to_json().replace("\"Dense\"", "\"Lambda\"");
    let e = model_from_json(&lambda).unwrap_err().to_string();
    assert!(
        e.contains("A Lambda is a function, which no file holds"),
        "{e}"
    );
    let unknown = model.to_json().replace("\"Dense\"", "\"MyDense\"");
    let e = model_from_json(&unknown).unwrap_err().to_string();
    assert!(
        e.contains("Unknown layer class \"MyDense\"") && e.contains("custom object"),
        "{e}"
    );
}

#[test]
fn weights_go_through_several_files() {
    let folder = Folder::new("shards");
    let path = folder.file("model.weights.json");
    let (mut model, mut other) = (everything(), everything());
    fit(&mut model, 1);
    // Half a KiB each.
    model.save_weights_sharded(&path, 2f64.powi(-21)).unwrap();
    let files = std::fs::read_dir(&folder.0).unwrap().count();
    assert!(files > 4, "{files}");
    other.load_weights(&path).unwrap();
    assert_eq!(other.get_weights().unwrap(), model.get_weights().unwrap());
    assert_eq!(optimizer_state(&other), optimizer_state(&model));

    let e = model
        .save_weights_sharded(&path, 2f64.powi(-27))
        .unwrap_err();
    assert!(
        e.to_string()
            .contains("is larger than max_shard_size allows"),
        "{e}"
    );
    let index = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, index.replace("model_00000", "../model_00000")).unwrap();
    let e = other.load_weights(&path).unwrap_err().to_string();
    assert!(e.contains("is no name of a file beside it"), "{e}");
}

#[test]
fn objects_of_ones_own_come_back_by_their_names() {
    let folder = Folder::new("own");
    let path = folder.file("model.keras");
    let double =
        || Initializer::custom("twos", |shape, dtype, _| Ok(Array::full(dtype, shape, 2.0)));
    let penalty = || Regularizer::custom("mean_square", |w| w.square().mean());
    let halved = || Constraint::custom("halved", |w| w * 0.5);
    let mut model = Sequential::new();
    let dense = Dense::new(1)
        .kernel_initializer(double())
        .kernel_regularizer(penalty());
    model.add(dense.kernel_constraint(halved()).input_shape([2]));
    model.compile("sgd", "mse", ()).unwrap();
    model.save(&path).unwrap();
    let json = model.to_json().replace("\"SGD\"", "\"Descent\"");
    std::fs::write(folder.file("own.json"), &json).unwrap();
    let e = load_model(&path).unwrap_err().to_string();
    assert!(e.contains("Unknown constraint \"halved\""), "{e}");
    let own = CustomObjects::new()
        .initializer("twos", double())
        .regularizer("mean_square", penalty())
        .constraint("halved", halved())
        .optimizer("Descent", |config| {
            let rate = config["learning_rate"].as_f64().unwrap_or(0.5);
            Ok(SGD::new().learning_rate(2.0 * rate).into())
        });
    let own = LoadModel::new().custom_objects(own);
    let again = load_model_with(&path, &own).unwrap();
    assert!(again.to_json() == model.to_json());
    let fresh = model_from_json_with(&json, &own).unwrap();
    assert_eq!(fresh.get_weights().unwrap()[0].to_vec::<f32>(), [2.0, 2.0]);
    let rate = fresh.optimizer().unwrap().learning_rate();
    assert!((rate - 0.02).abs() < 1e-8, "{rate}");
}

#[test]
fn functions_are_not_saved() {
    let folder = Folder::new("functions");
    let mut inner = Sequential::new();
    inner.add(Lambda::new(|x| x * 2.0).name("twice").input_shape([2]));
    let mut model = Sequential::from_layers(vec![Input::new([2]).into(), inner.into()]);
    model.build().unwrap();
    let e = model.save(folder.file("model.keras")).unwrap_err();
    assert!(
        e.to_string().starts_with("The layer \"twice\" is a Lambda"),
        "{e}"
    );
    model.save_weights(folder.file("model.weights.h5")).unwrap();
}

#[test]
fn masks_of_ones_own_are_refused() {
    let (x, m) = (
        Input::new([4, 3]).name("x").symbol(),
        Input::new([4]).name("m").symbol(),
    );
    let y = GRU::new(2).name("gru").on(&x);
    let model = Model::new([&x, &m], [&y, &Flatten::new().on(&m)]).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&model.to_json()).unwrap();
    let layers = json["config"]["layers"].as_array_mut().unwrap();
    let named = |name: &str| layers.iter().position(|l| l["name"] == name).unwrap();
    let (gru, flatten) = (named("gru"), named("flatten"));
    let mask = layers[flatten]["inbound_nodes"][0]["args"][0].clone();
    layers[gru]["inbound_nodes"][0]["kwargs"]["mask"] = mask;
    let e = model_from_json(&json.to_string()).unwrap_err().to_string();
    assert_eq!(
        e,
        "Layer \"gru\": A layer is called with a mask of its own, which Cornu does not take in a call."
    );
}

#[test]
fn damaged_files_give_errors() {
    let folder = Folder::new("damaged");
    let path = folder.file("model.keras");
    let mut model = Sequential::from_layers(vec![
        Input::new([4, 2]).into(),
        LSTM::new(2).into(),
        Dense::new(1).into(),
    ]);
    model.compile("adam", "mse", ()).unwrap();
    model.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let options = LoadModel::new();
    assert!(cornu::saving::model_from_bytes(&whole, &options).is_ok());
    // Cut off anywhere, and with one bit turned at places spread over the file.
    for cut in (0..whole.len()).step_by(whole.len() / 60) {
        assert!(
            cornu::saving::model_from_bytes(&whole[..cut], &options).is_err(),
            "{cut}"
        );
    }
    for i in 0..400 {
        let mut bytes = whole.clone();
        let at = (i * 7919 + i * i * 104_729) % bytes.len();
        bytes[at] ^= 1 << (i % 8);
        // Either is right; what matters is that there is an answer.
        let _ = cornu::saving::model_from_bytes(&bytes, &options);
    }
}

/// Not a test by itself: what the next one kills.
#[test]
fn save_until_killed() {
    let Some(path) = std::env::var_os("CORNU_SAVE_UNTIL_KILLED") else {
        return;
    };
    let mut model = Sequential::new();
    model.add(Dense::new(64).input_shape([256]));
    model.build().unwrap();
    for n in 0u32.. {
        let value = f64::from(n % 1000);
        let values = [
            Array::full(DType::F32, [256, 64], value),
            Array::full(DType::F32, [64], value),
        ];
        model.set_weights(&values).unwrap();
        model.save(&path).unwrap();
    }
}

#[test]
fn a_kill_leaves_the_old_or_the_new_file_whole() {
    let folder = Folder::new("kill");
    let path = folder.file("model.keras");
    for round in 0..20u64 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "save_until_killed"])
            .env("CORNU_SAVE_UNTIL_KILLED", &path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while !path.exists() {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_micros(
            20_000 + round * 7919 % 30_000,
        ));
        child.kill().unwrap();
        child.wait().unwrap();
        let weights = load_model(&path).unwrap().get_weights().unwrap();
        let (kernel, bias) = (weights[0].to_vec::<f32>(), weights[1].to_vec::<f32>());
        assert!(kernel.iter().chain(&bias).all(|v| *v == bias[0]));
    }
}
