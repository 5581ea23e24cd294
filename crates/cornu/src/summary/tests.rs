use serde_json::Value;

use super::*;

fn golden() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/printed.json"
    );
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    golden["summaries"].as_array().unwrap().clone()
}

/// The number before `(` on the total line of this name.
fn total(text: &str, line: &str) -> Option<Count> {
    let line = text.lines().find_map(|l| l.strip_prefix(line))?;
    let params = line
        .split_once(" (")
        .unwrap()
        .0
        .replace(',', "")
        .parse()
        .unwrap();
    Some(Count {
        params,
        bytes: 4 * params,
    })
}

/// The layers of a printed summary: the cells, and the names from the model's configuration.
fn rows(case: &Value) -> Vec<Row> {
    let mut configured = Vec::new();
    let mut stack: Vec<(&Value, usize)> = case["model"]["layers"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|l| (l, 0))
        .collect();
    while let Some((layer, level)) = stack.pop() {
        if layer["class_name"] != "InputLayer" {
            configured.push((layer, level));
        }
        if case["args"]["expand_nested"] == true
            && let Some(inner) = layer["config"]["layers"].as_array()
        {
            stack.extend(inner.iter().rev().map(|l| (l, level + 1)));
        }
    }
    let between = case["args"]["layer_range"].as_array();
    let mut inside = between.is_none();
    configured.retain(|(layer, _)| {
        let name = &layer["config"]["name"];
        inside |= between.is_some_and(|b| b[0] == *name);
        let keep = inside;
        inside &= between.is_none_or(|b| b[1] != *name);
        keep
    });
    let text = case["text"].as_str().unwrap();
    // The first line of each layer: the one that tells a number of parameters.
    let lines = text.lines().filter(|line| line.starts_with('│'));
    let cells = lines.map(|line| -> Vec<&str> {
        line.trim_matches('│').split('│').map(str::trim).collect()
    });
    let cells: Vec<Vec<&str>> = cells.filter(|cells| !cells[1].is_empty()).collect();
    assert_eq!(cells.len(), configured.len());
    let made = configured
        .iter()
        .zip(&cells)
        .map(|((layer, level), cells)| Row {
            name: layer["config"]["name"].as_str().unwrap().to_string(),
            class: layer["class_name"].as_str().unwrap().to_string(),
            shape: cells[1].to_string(),
            params: match cells.get(2) {
                Some(&"0 (unbuilt)") => None,
                Some(&"") | None => Some(0),
                Some(number) => Some(number.replace(',', "").parse().unwrap()),
            },
            trainable: match cells.get(3) {
                Some(&"Y") => Some(true),
                Some(&"N") => Some(false),
                _ => None,
            },
            level: *level,
            ..Row::default()
        });
    made.collect()
}

#[test]
fn summaries_are_kerass_to_the_character() {
    let mut compared = 0;
    for case in golden() {
        // `positions` is not offered.
        if case["model"].is_null() || case["args"].get("positions").is_some() {
            continue;
        }
        let text = case["text"].as_str().unwrap();
        let mut summary = Summary {
            rows: rows(&case),
            trainable: total(text, " Trainable params: ").unwrap(),
            non_trainable: total(text, " Non-trainable params: ").unwrap(),
            optimizer: total(text, " Optimizer params: "),
            show_trainable: case["args"]["show_trainable"] == true,
            expand_nested: true,
            ..Summary::new(case["model"]["name"].as_str().unwrap())
        };
        let wide = case["args"]["line_length"].as_u64().map(|n| n as usize);
        if let Some(length) = wide {
            summary = summary.with_line_length(length).unwrap();
        }
        let ours = summary.render(80) + "\n";
        if wide.is_some_and(|length| length > 80) {
            // Keras cuts a table that is wider than the terminal; here it is as wide as asked for.
            let cut: Vec<String> = ours.lines().map(|l| l.chars().take(80).collect()).collect();
            assert!(ours.lines().nth(1).unwrap().chars().count() == wide.unwrap());
            let keras = text.lines();
            for (ours, keras) in cut.iter().zip(keras) {
                // The number of parameters lies beyond the cut.
                assert!(ours.starts_with('│') || ours == keras, "{ours}\n{keras}");
            }
        } else {
            assert_eq!(ours, text, "{}", case["note"]);
        }
        compared += 1;
    }
    assert!(compared >= 18, "{compared}");
}

#[test]
fn too_narrow_a_table_is_refused() {
    assert!(Summary::new("m").with_line_length(16).is_ok());
    let error = Summary::new("m").with_line_length(15).unwrap_err();
    assert!(error.to_string().contains("line_length=15"), "{error}");
    let shown = Summary {
        show_trainable: true,
        ..Summary::new("m")
    };
    assert!(shown.clone().with_line_length(31).is_ok());
    assert!(shown.with_line_length(30).is_err());
}

#[test]
fn any_width_has_straight_borders() {
    let row = Row {
        name: "a_rather_long_name of words".into(),
        class: "BatchNormalization".into(),
        shape: "[(None, 28, 28, 64), (None, 12)]".into(),
        params: Some(1_234_567),
        trainable: Some(true),
        level: 2,
        connected: "dense[0][0], dense_1[0][0]".into(),
    };
    for (show_trainable, show_connections) in [(false, false), (true, false), (true, true)] {
        for length in 44..120 {
            let summary = Summary {
                rows: vec![row.clone()],
                show_trainable,
                show_connections,
                expand_nested: true,
                ..Summary::new("model")
            };
            let text = summary.with_line_length(length).unwrap().render(80);
            for line in text.lines().skip(1).filter(|line| !line.starts_with(' ')) {
                assert_eq!(line.chars().count(), length, "{text}");
            }
        }
    }
}

#[test]
fn memory_sizes() {
    assert_eq!(memory(0), "0.00 B");
    assert_eq!(memory(1023), "1023.00 B");
    assert_eq!(memory(1024), "1.00 KB");
    assert_eq!(memory(16_005_248), "15.26 MB");
    assert_eq!(memory(1 << 52), "4.00 PB");
    assert_eq!(thousands(1_000), "1,000");
    let mut count = Count::default();
    count.add(10, 4);
    count.add(1, 2);
    assert_eq!(count.to_string(), "11 (42.00 B)");
}
