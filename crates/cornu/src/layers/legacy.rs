//! What older versions of Keras wrote into layers' configurations and newer ones no longer do.

use serde_json::{Map, Value};

/// Drops arguments that say nothing any more, if they have the value that all but a few files have. Any other
/// value stays, and is refused as an argument that is not known.
pub(super) fn forget(class: &str, config: &mut Map<String, Value>) {
    const SILENT: [&str; 10] = [
        "fused",
        "implementation",
        "input_dtype",
        "input_length",
        "key_shape",
        "query_shape",
        "shared_object_id",
        "value_shape",
        "virtual_batch_size",
        "weights",
    ];
    let silent = |name: &str, value: &Value| {
        let empty = matches!(value, Value::Null | Value::Bool(false));
        match name {
            "time_major" | "ragged" | "adjustment" | "synchronized" => {
                empty && class != "InputLayer"
            }
            "groups" => *value == 1 && !is_plain_convolution(class),
            "sparse" => empty && class == "Embedding",
            "filters" => value.is_null(),
            _ => SILENT.contains(&name),
        }
    };
    config.retain(|name, value| !silent(name, value));
    if class == "LeakyReLU"
        && let Some(slope) = config.remove("alpha")
    {
        config.insert("negative_slope".into(), slope);
    }
    if class == "InputLayer"
        && let Some(shape) = config.remove("batch_input_shape")
    {
        config.insert("batch_shape".into(), shape);
    }
    if class == "BatchNormalization"
        && let Some([axis]) = config
            .get("axis")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
    {
        let axis = axis.clone();
        config.insert("axis".into(), axis);
    }
}

/// Convolutions that do have groups.
fn is_plain_convolution(class: &str) -> bool {
    matches!(class, "Conv1D" | "Conv2D" | "Conv3D" | "GroupNormalization")
}
