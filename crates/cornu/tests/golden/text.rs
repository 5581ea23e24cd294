//! `TextVectorization` learns and says what Keras' layer does (`tests/golden/make_text.py`).

use crate::golden::load;
use cornu::preprocessing::{OutputMode, Split, Standardize, TextVectorization};
use serde_json::Value;

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect()
}

fn made(arguments: &Value) -> TextVectorization {
    let mut made = TextVectorization::new();
    for (name, value) in arguments.as_object().unwrap() {
        let size = || value.as_u64().unwrap() as usize;
        made = match name.as_str() {
            "max_tokens" => made.max_tokens(size()),
            "output_sequence_length" => made.output_sequence_length(size()),
            "pad_to_max_tokens" => made.pad_to_max_tokens(value.as_bool().unwrap()),
            "standardize" => made.standardize(match value.as_str() {
                None => Standardize::None,
                Some("lower") => Standardize::Lower,
                Some("strip_punctuation") => Standardize::StripPunctuation,
                other => panic!("{other:?}"),
            }),
            "split" => made.split(match value.as_str() {
                Some("character") => Split::Character,
                other => panic!("{other:?}"),
            }),
            "ngrams" => match value.as_array() {
                Some(sizes) => {
                    let sizes = sizes.iter().map(|v| v.as_u64().unwrap() as usize);
                    made.ngrams(sizes.collect::<Vec<_>>())
                }
                None => made.ngrams((1..=size()).collect::<Vec<_>>()),
            },
            "output_mode" => made.output_mode(match value.as_str().unwrap() {
                "int" => OutputMode::Int,
                "multi_hot" => OutputMode::MultiHot,
                "count" => OutputMode::Count,
                "tf_idf" => OutputMode::TfIdf,
                other => panic!("{other}"),
            }),
            other => panic!("{other}"),
        };
    }
    made
}

#[test]
fn vocabularies_and_outputs_are_those_of_keras() {
    let golden = load("text");
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 10);
    for case in cases {
        let mut layer = made(&case["arguments"]);
        layer.adapt(strings(&golden["texts"])).unwrap();
        assert_eq!(
            layer.vocabulary(),
            strings(&case["vocabulary"]),
            "{}",
            case["note"]
        );
        assert_eq!(layer.vocabulary_size(), layer.vocabulary().len());
        let output = layer.call(strings(&golden["unseen"])).unwrap();
        assert_eq!(output.dtype().to_string(), case["dtype"].as_str().unwrap());
        let shape: Vec<u64> = output.shape().iter().map(|&n| n as u64).collect();
        let expected: Vec<u64> = case["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_u64().unwrap())
            .collect();
        assert_eq!(shape, expected, "{}", case["note"]);
        let expected = case["output"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap());
        for (got, expected) in output.to_vec::<f64>().into_iter().zip(expected) {
            assert!(
                (got - expected).abs() < 1e-5,
                "{}: {got} is not {expected}",
                case["note"]
            );
        }
    }
}

#[test]
fn a_vocabulary_may_be_given() {
    let mut layer = TextVectorization::new();
    layer.set_vocabulary(["b", "a"]).unwrap();
    assert_eq!(layer.call(["a b c"]).unwrap().to_vec::<i32>(), [3, 2, 1]);
}

#[test]
fn what_is_wrong_is_said() {
    let message = |mut layer: TextVectorization| layer.adapt(["a"]).unwrap_err().to_string();
    let new = TextVectorization::new;
    assert!(message(new().max_tokens(2)).contains("more than 2"));
    assert!(message(new().ngrams([1, 0])).contains("ngrams=[1, 0]"));
    assert!(message(new().pad_to_max_tokens(true)).contains("needs max_tokens"));
    assert!(message(new().output_sequence_length(0)).contains("at least 1"));
    let bag = new()
        .output_mode(OutputMode::Count)
        .output_sequence_length(3);
    assert!(message(bag).contains("output_sequence_length=3 with Count"));
    assert!(
        new()
            .call(["a"])
            .unwrap_err()
            .to_string()
            .contains("must have a vocabulary")
    );
    assert!(
        new()
            .adapt([""; 0])
            .unwrap_err()
            .to_string()
            .contains("Received: none")
    );
    let twice = new().set_vocabulary(["a", "a"]).unwrap_err().to_string();
    assert!(twice.contains("\"a\" again"), "{twice}");
    let many = new()
        .max_tokens(3)
        .set_vocabulary(["a", "b"])
        .unwrap_err()
        .to_string();
    assert!(
        many.contains("at most 1 tokens, for max_tokens=3. Received: 2"),
        "{many}"
    );
    let weightless = new().output_mode(OutputMode::TfIdf).set_vocabulary(["a"]);
    assert!(weightless.unwrap_err().to_string().contains("TfIdf"));
}
