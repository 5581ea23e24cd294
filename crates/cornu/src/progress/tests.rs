use serde_json::Value;

use super::*;

fn golden() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/printed.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn on(verbose: i32, terminal: bool, colour: bool) -> Progress<Vec<u8>> {
    Progress::new(Vec::new(), verbose.into(), terminal, colour).unwrap()
}

fn logs(values: &[(&str, f64)]) -> Logs {
    let mut logs = Logs::default();
    for (name, value) in values {
        logs.set(name, *value);
    }
    logs
}

fn taken(progress: &mut Progress<Vec<u8>>) -> String {
    String::from_utf8(std::mem::take(&mut progress.out)).unwrap()
}

#[test]
fn drawings_are_kerass_to_the_character() {
    let golden = golden();
    let cases = golden["progbar"].as_array().unwrap();
    assert!(cases.len() >= 8);
    // One clock for all cases, as when they were made.
    let mut now = 1000.0;
    for case in cases {
        let mut progress = on(case["verbose"].as_i64().unwrap() as i32, true, true);
        progress.begin_at(case["target"].as_u64().map(|n| n as usize), now);
        for drawing in case["drawings"].as_array().unwrap() {
            now += drawing["seconds_since_last"].as_f64().unwrap();
            let values: Vec<(&str, f64)> = drawing["values"]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| (v[0].as_str().unwrap(), v[1].as_f64().unwrap()))
                .collect();
            let logs = logs(&values);
            if drawing["finalize"].as_bool().unwrap() {
                progress.finish_at(&logs, now);
            } else {
                progress.update_at(drawing["current"].as_u64().unwrap() as usize, &logs, now);
            }
            let mut expected = drawing["text"].as_str().unwrap().to_string();
            // Beside Keras' characters, those that keep a narrow terminal from wrapping.
            if expected.contains('\r') && !expected.ends_with('\n') {
                expected = format!("{CUT_LINES}{expected}{WRAP_LINES}");
            }
            assert_eq!(
                taken(&mut progress),
                expected,
                "{} {}",
                case["note"],
                drawing["current"]
            );
        }
    }
}

/// What stands on the lines at last, durations masked as in the golden file.
fn masked(text: &str) -> Vec<String> {
    text.split('\n')
        .map(|line| {
            let line = line.rsplit('\r').next().unwrap().trim_end_matches(' ');
            let word = |w: &str| match w {
                _ if w.ends_with("/step") => "<t>/step".to_string(),
                "0s" => "<s>".to_string(),
                "\x1b[1m0s\x1b[0m" => "\x1b[1m<s>\x1b[0m".to_string(),
                _ => w.to_string(),
            };
            line.split(' ').map(word).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn a_fit_prints_kerass_lines() {
    // The figures of the golden runs, printed in the order in which `fit` prints them.
    let values = |line: &str| -> Logs {
        let mut logs = Logs::default();
        for part in line.split(" - ").filter_map(|p| p.split_once(": ")) {
            logs.set(part.0, part.1.parse().unwrap());
        }
        logs
    };
    let golden = golden();
    let cases = golden["progress"].as_array().unwrap();
    assert!(cases.len() >= 18);
    for case in cases {
        let verbose = case["args"]["verbose"].as_i64().unwrap() as i32;
        let expected: Vec<&str> = case["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| l.as_str().unwrap())
            .collect();
        let epochs = case["args"]["epochs"].as_u64().unwrap_or(1) as usize;
        let first = case["args"]["initial_epoch"].as_u64().unwrap_or(0) as usize;
        let figures: Vec<&&str> = expected.iter().filter(|l| l.contains("<t>")).collect();
        let head = figures[0].trim_start_matches("\x1b[1m");
        let steps: usize = head[..head.find('/').unwrap()].parse().unwrap();
        let mut progress = on(verbose, true, true);
        for (i, line) in figures.iter().enumerate() {
            match case["method"].as_str().unwrap() {
                "fit" => progress.begin_epoch(first + i, epochs, Some(steps)),
                _ => progress.begin(Some(steps)),
            }
            for step in 1..=steps {
                if progress.due(step) {
                    progress.update(step, &values(line));
                }
            }
            progress.finish(&values(line));
        }
        assert_eq!(masked(&taken(&mut progress)), expected, "{case}");
    }
}

#[test]
fn a_file_gets_one_plain_line_per_epoch() {
    let mut progress = on(1, false, true);
    let figures = logs(&[("accuracy", 0.92547), ("loss", -0.2601), ("val_loss", 5e-4)]);
    for epoch in 0..2 {
        progress.begin_epoch(epoch, 2, Some(3));
        for step in 1..=3 {
            assert!(!progress.due(step));
        }
        progress.finish(&figures);
    }
    progress.begin_epoch(0, 1, None);
    progress.due(4);
    progress.finish(&Logs::default());
    let line = "3/3 - <s> - <t>/step - accuracy: 0.9255 - loss: -0.2601 - val_loss: 5.0000e-04";
    let expected = [
        format!("Epoch 1/2 - {line}"),
        format!("Epoch 2/2 - {line}"),
        "4/4 - <s> - <t>/step".to_string(),
        String::new(),
    ];
    assert_eq!(masked(&taken(&mut progress)), expected);
}

#[test]
fn without_colours_there_are_no_escapes() {
    let mut progress = on(1, true, false);
    progress.begin_at(Some(4), 0.0);
    progress.update_at(1, &Logs::default(), 1.0);
    assert_eq!(
        taken(&mut progress),
        "\r1/4 ━━━━━─────────────── 3s 1s/step"
    );
    progress.abandon();
    progress.abandon();
    assert_eq!(taken(&mut progress), "\n");
}

#[test]
fn silence_and_wrong_numbers() {
    let mut progress = on(0, true, true);
    progress.begin_epoch(0, 3, Some(2));
    assert!(!progress.due(1));
    progress.update(1, &Logs::default());
    progress.finish(&Logs::default());
    assert_eq!(taken(&mut progress), "");
    let error = Progress::stdout(Verbose::from(3)).unwrap_err();
    assert!(error.to_string().contains("verbose=3"), "{error}");
}

#[test]
fn a_drawing_is_due_at_first_and_then_every_interval() {
    let mut progress = on(1, true, true);
    progress.begin_at(Some(1_000_000), 0.0);
    // Steps of 10 µs: every 64th looks at the clock.
    let mut drawn = Vec::new();
    let mut looks = 0;
    for step in 1..=100_000 {
        let now = step as f64 * 1e-5;
        if step >= progress.next_look {
            looks += 1;
            if progress.look(step, now) {
                progress.update_at(step, &Logs::default(), now);
                drawn.push(now);
            }
        }
    }
    assert!(looks < 100_000 / 60, "{looks}");
    assert!((18..=20).contains(&drawn.len()), "{drawn:?}");
    assert!(
        drawn
            .windows(2)
            .all(|w| w[1] - w[0] >= INTERVAL && w[1] - w[0] < 0.052),
        "{drawn:?}"
    );
}
