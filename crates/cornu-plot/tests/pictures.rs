//! What pictures hold, and what they refuse.

use cornu_plot::*;
use ndarray::{Array2, array};

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("should be refused").to_string()
}

#[test]
fn curves_of_a_figure_share_a_panel() {
    let history = [
        ("loss", vec![3.0, 2.0]),
        ("val_loss", vec![4.0, 3.0]),
        ("mae", vec![1.0]),
    ];
    let figure = learning_curves(history).expect("a figure");
    let svg = figure.svg();
    assert_eq!(svg.matches(">epoch<").count(), 2);
    assert_eq!(svg.matches(">validation<").count(), 1);
    assert!(svg.contains("<title>loss, mae</title>"));
}

#[test]
fn names_are_text_and_not_markup() {
    let names = ["<b>", "a & \"b\"\u{1}\n"];
    let panel = confusion_matrix(array![[1, 0], [0, 1]].view(), &names).expect("a panel");
    let figure = panel.title("<script>").figure().expect("a figure");
    assert!(figure.svg().contains("&lt;script&gt;") && !figure.svg().contains("<script>"));
    assert!(figure.svg().contains("a &amp; &quot;b&quot; <"));
}

#[test]
fn numbers_that_cannot_be_drawn_interrupt_lines() {
    let y = [1.0, f64::NAN, 3.0, f64::INFINITY, 2.0, 1e308, -1e308];
    let x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let whole = Panel::new("").line("", x, y).figure().expect("a figure");
    assert!(!whole.svg().contains("NaN") && !whole.svg().contains("inf"));
    let nothing = Panel::new("")
        .line("", [f64::NAN], [0.0])
        .points("", [0.0; 0], [0.0; 0]);
    assert!(nothing.figure().is_ok());
}

#[test]
fn what_does_not_fit_is_refused() {
    let none: [(&str, Vec<f64>); 1] = [("loss", vec![])];
    assert!(message(learning_curves(none)).contains("at least one epoch"));
    let wide = Array2::<usize>::zeros((2, 3));
    assert!(
        message(confusion_matrix(wide.view(), &["a", "b"]))
            .contains("2 rows, 3 columns and 2 names")
    );
    let panel = Panel::new("").line("", [1.0], [1.0, 2.0]);
    assert!(message(panel.figure()).contains("Received: 1 and 2"));
    let panel = Panel::new("").x_limits(1.0, f64::NAN);
    assert!(message(panel.figure()).contains("limits"));
    let panel = Panel::new("").plot_size(0.0, 1e9);
    assert!(message(panel.figure()).contains("1 to 8000"));
    assert!(message(Figure::new([])).contains("at least one panel"));
    let x = array![[0.0, 0.0]];
    let two = |_: &Array2<f64>| Ok(vec![2; 200 * 130]);
    assert!(message(decision_boundary(x.view(), &[0], &["a"], two)).contains("below 1"));
    assert!(
        message(decision_boundary(x.view(), &[0], &["a"], |_| Ok(vec![])))
            .contains("each of 26000")
    );
    let nothing = |_| {
        Ok(Estimate {
            mean: 0.0,
            low: 0.0,
            high: 0.0,
        })
    };
    assert!(message(regression_line(&[f64::NAN], &[0.0], nothing)).contains("finite x"));
    assert!(message(roc_curve([("a", vec![0.0, 1.0], vec![0.0])])).contains("2 and 1"));
    assert!(
        message(coefficient_path(
            &[1.0],
            wide.mapv(|v| v as f64).view(),
            &["a", "b"]
        ))
        .contains("3 columns")
    );
}

#[test]
fn the_ending_says_how_a_picture_is_written() {
    let folder = std::env::temp_dir().join(format!("cornu-plot-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let figure = Panel::new("A")
        .line("b", [0.0, 1.0], [0.0, 1.0])
        .figure()
        .expect("a figure");
    figure.save(folder.join("a.SVG")).expect("written");
    let svg = std::fs::read_to_string(folder.join("a.SVG")).expect("read");
    assert_eq!(svg, figure.svg());
    assert!(message(figure.save(folder.join("a.gif"))).contains(".svg or .png"));
    assert!(message(figure.save(folder.join("no/a.svg"))).contains("cannot be written"));
    #[cfg(feature = "png")]
    {
        figure.save(folder.join("a.png")).expect("written");
        let png = std::fs::read(folder.join("a.png")).expect("read");
        assert_eq!(&png[1..4], b"PNG");
        // Width and height are twice the SVG's.
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("4 bytes"));
        assert!(
            svg.contains(&format!(
                "width=\"{}\" height=\"{}\"",
                number(16) / 2,
                number(20) / 2
            )),
            "{svg}"
        );
    }
    std::fs::remove_dir_all(folder).expect("removed");
}
