//! What a metric is: a function with state, and the handle that owns the state.

use super::{registry, resolve};
use cornu_core::{Array, DType, Device, Error, Result, Tensor, TensorType, Variable};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// One state variable of a metric before its first batch.
#[derive(Clone, Debug)]
pub struct State {
    /// Keras' name of the variable, such as `total`.
    pub name: &'static str,
    /// Its first value, which also says its shape and element type.
    pub initial: Array,
}

impl State {
    /// `f32` zeros.
    pub fn zeros(name: &'static str, shape: impl Into<cornu_core::Shape>) -> State {
        State {
            name,
            initial: Array::zeros(DType::F32, shape),
        }
    }
}

/// One metric: how its state begins, how a batch changes it, and what it says. Everything is tensor
/// expressions, so that updates are part of the compiled training step.
///
/// A metric of one's own implements this trait and is then given wherever a [`Metric`] is expected;
/// a mean of values per sample is simpler as [`MeanFn`](super::MeanFn) or [`Metric::custom`].
pub trait MetricFn: fmt::Debug + Send + Sync {
    /// Keras' class name, such as `MeanSquaredError`.
    fn class_name(&self) -> &'static str;

    /// The name when the user gives none: the class name in Keras' snake case.
    fn default_name(&self) -> String {
        registry::snake_case(self.class_name())
    }

    /// The state variables, given the types of the first batch.
    ///
    /// # Errors
    /// If the metric cannot work on such types, or if its configuration is wrong.
    fn state(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<Vec<State>>;

    /// The state after one batch. `sample_weight` has one weight per sample, or per sample and
    /// further leading axes of the metric's values.
    fn update(
        &self,
        state: &[Tensor],
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Vec<Tensor>;

    /// What the state says: a scalar for most metrics.
    fn result(&self, state: &[Tensor]) -> Tensor;

    /// The same result computed on the host from the values of the state variables, for metrics whose
    /// result is a scalar made of few numbers; it spares running a program.
    fn host_result(&self, _state: &[&[f32]]) -> Option<f32> {
        None
    }

    /// The configuration as in Keras' `get_config`, without `name` and `dtype`.
    fn config(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Keras' name of the element type of the state, as written in `get_config`.
    fn dtype(&self) -> DType {
        DType::F32
    }
}

/// A metric with its name and its state: what `compile` takes.
///
/// Made from a string (`"accuracy"`), from a [`Loss`](crate::losses::Loss), from a metric type (`Precision::new().thresholds(0.7)`), from a
/// name and a closure that gives a value per sample, or by [`Metric::from_config`]. An unknown string
/// is reported by [`Metric::check`] and by [`Metric::build`]. Clones of a built metric share its state.
///
/// ```
/// use cornu::metrics::Metric;
/// use cornu_core::{Device, Reference};
///
/// let device = Device::new(Reference);
/// let mut mae = Metric::from("mae");
/// mae.update_state(&device, [[0.0f32], [1.0]], [[1.0f32], [1.0]], None)?;
/// mae.update_state(&device, [[0.0f32], [1.0]], [[0.0f32], [4.0]], None)?;
/// assert_eq!(mae.value(&device)?.item::<f32>()?, 1.0);
/// mae.reset()?;
/// assert_eq!(mae.host_value(), Some(0.0));
///
/// let e = Metric::from("acuracy").check().unwrap_err();
/// assert!(e.to_string().contains("Did you mean \"accuracy\""));
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Metric {
    name: String,
    /// The string that it was made from, which files repeat.
    string: Option<String>,
    source: Source,
    variables: Vec<Variable>,
    initial: Vec<Array>,
}

#[derive(Clone)]
enum Source {
    Function(Arc<dyn MetricFn>),
    /// `"accuracy"` or `"crossentropy"`: which one depends on the shapes.
    ByShape(resolve::ByShape),
    Wrong(Error),
}

impl Metric {
    /// A metric from its function, under its own name.
    pub fn new(function: impl MetricFn + 'static) -> Metric {
        Metric::of(Arc::new(function))
    }

    pub(super) fn of(function: Arc<dyn MetricFn>) -> Metric {
        Metric {
            name: function.default_name(),
            string: None,
            source: Source::Function(function),
            variables: Vec::new(),
            initial: Vec::new(),
        }
    }

    /// The mean of values per sample that a function of (`y_true`, `y_pred`) gives; Keras'
    /// `MeanMetricWrapper`.
    ///
    /// ```
    /// use cornu::metrics::Metric;
    /// let worst = Metric::custom("worst", |y_true, y_pred| {
    ///     (y_true - y_pred).abs().max_axes(&[-1], false)
    /// });
    /// assert_eq!(worst.name(), "worst");
    /// ```
    pub fn custom(
        name: impl Into<String>,
        values: impl Fn(&Tensor, &Tensor) -> Tensor + Send + Sync + 'static,
    ) -> Metric {
        Metric::new(super::MeanMetricWrapper::new(values)).named(name)
    }

    /// A metric from Keras' class name and configuration (`get_config`), as in saved models.
    ///
    /// # Errors
    /// An unknown class, or a value of the wrong kind.
    pub fn from_config(class_name: &str, config: &Value) -> Result<Metric> {
        let metric = registry::from_config(class_name, config)?;
        Ok(match config.get("name").and_then(Value::as_str) {
            Some(name) => metric.named(name),
            None => metric,
        })
    }

    /// The metric under another name.
    pub fn named(mut self, name: impl Into<String>) -> Metric {
        self.name = name.into();
        self.string = None;
        self
    }

    /// The name under which results are reported.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Keras' class name; of a string that depends on the shapes, the string until it is built.
    pub fn class_name(&self) -> &str {
        match &self.source {
            Source::Function(f) => f.class_name(),
            _ => &self.name,
        }
    }

    /// Keras' `get_config`: the name, the element type and the metric's own arguments.
    pub fn config(&self) -> Value {
        let mut config = Map::new();
        config.insert("name".into(), self.name.as_str().into());
        if let Source::Function(f) = &self.source {
            config.insert("dtype".into(), f.dtype().name().into());
            config.extend(f.config());
        }
        Value::Object(config)
    }

    /// As files hold it: the string it was made from, or module, class and configuration.
    pub fn to_config(&self) -> Value {
        match &self.string {
            Some(string) => Value::from(string.as_str()),
            None => crate::config::object("keras.metrics", self.class_name(), &self.config()),
        }
    }

    /// The error of a metric made from an unknown string.
    pub fn check(&self) -> Result<()> {
        match &self.source {
            Source::Wrong(e) => Err(e.clone()),
            _ => Ok(()),
        }
    }

    /// The metric that a string means for such types: Keras' rule for `"accuracy"` (`"acc"`) and
    /// `"crossentropy"` (`"ce"`), else the metric of that name. It keeps the string as its name.
    ///
    /// The last extent of `y_pred` is 1: the binary one; `y_true` has fewer axes, or a last extent of
    /// 1 where that of `y_pred` is larger: the sparse categorical one; else the categorical one.
    ///
    /// ```
    /// use cornu::metrics::Metric;
    /// use cornu_core::{DType, TensorType};
    /// let float = |shape: &[usize]| TensorType { shape: shape.into(), dtype: DType::F32 };
    /// let m = Metric::resolve("acc", &float(&[32, 1]), &float(&[32, 10]))?;
    /// assert_eq!((m.name(), m.class_name()), ("acc", "SparseCategoricalAccuracy"));
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// An unknown string.
    pub fn resolve(identifier: &str, y_true: &TensorType, y_pred: &TensorType) -> Result<Metric> {
        let mut metric = Metric::from(identifier);
        metric.choose(y_true, y_pred)?;
        Ok(metric)
    }

    /// Replaces a string that depends on the shapes by the metric it means.
    fn choose(&mut self, y_true: &TensorType, y_pred: &TensorType) -> Result<Arc<dyn MetricFn>> {
        if let Source::ByShape(by_shape) = self.source {
            self.source = Source::Function(by_shape.resolve(&y_true.shape, &y_pred.shape));
        }
        match &self.source {
            Source::Function(f) => Ok(f.clone()),
            Source::Wrong(e) => Err(e.clone()),
            Source::ByShape(_) => Err(self.not_built()),
        }
    }

    /// Whether the state exists.
    pub fn is_built(&self) -> bool {
        !self.variables.is_empty()
    }

    /// Creates the state for batches of such types. A metric that is built stays as it is, except that
    /// the types are checked.
    ///
    /// # Errors
    /// An unknown string, a wrong argument, or types that the metric cannot work on; the error names
    /// the metric.
    pub fn build(&mut self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        let function = self.choose(y_true, y_pred)?;
        let name = self.name.clone();
        let about = |e: Error| {
            Error::with_kind(
                e.kind(),
                format!(
                    "Metric \"{name}\" ({}) cannot compare y_true {y_true} with y_pred {y_pred}. {}",
                    function.class_name(),
                    e.message()
                ),
            )
        };
        let state = function.state(y_true, y_pred).map_err(about)?;
        // One trial update: what does not fit is found here, with the metric's name.
        let now: Vec<Tensor> = state
            .iter()
            .map(|s| Tensor::zeros(s.initial.shape(), s.initial.dtype()))
            .collect();
        let next = function.update(
            &now,
            &Tensor::input(0, &y_true.shape, y_true.dtype),
            &Tensor::input(1, &y_pred.shape, y_pred.dtype),
            None,
        );
        for (now, next) in now.iter().zip(&next) {
            next.check().map_err(about)?;
            if now.ty() != next.ty() {
                return Err(about(Error::shape(format!(
                    "Its state would change from {} to {}.",
                    now.ty(),
                    next.ty()
                ))));
            }
        }
        if self.is_built() {
            return Ok(());
        }
        self.variables = state
            .iter()
            .map(|s| Variable::new(format!("{}/{}", self.name, s.name), s.initial.clone()))
            .collect();
        self.initial = state.into_iter().map(|s| s.initial).collect();
        Ok(())
    }

    /// The state variables; empty before [`Metric::build`].
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    fn not_built(&self) -> Error {
        Error::state(format!(
            "Metric \"{}\" has no state yet. Expected: `build` before its use.",
            self.name
        ))
    }

    fn built(&self) -> Result<(&dyn MetricFn, Vec<Tensor>)> {
        self.check()?;
        match &self.source {
            Source::Function(f) if self.is_built() => {
                Ok((&**f, self.variables.iter().map(Variable::tensor).collect()))
            }
            _ => Err(self.not_built()),
        }
    }

    /// The new values of the state variables after one batch, to be part of a program.
    ///
    /// # Errors
    /// If the metric is not built.
    pub fn updates(
        &self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Result<Vec<(Variable, Tensor)>> {
        let (function, state) = self.built()?;
        let next = function.update(&state, y_true, y_pred, sample_weight);
        Ok(self.variables.iter().cloned().zip(next).collect())
    }

    /// The result as an expression of the state variables; before [`Metric::build`] it carries an
    /// error.
    pub fn result(&self) -> Tensor {
        match self.built() {
            Ok((function, state)) => function.result(&state),
            Err(e) => Tensor::error(e),
        }
    }

    /// The result from the state variables on the host, without running a program: of the common
    /// metrics, whose result is a scalar made of few numbers. `None` for others and before
    /// [`Metric::build`].
    pub fn host_value(&self) -> Option<f64> {
        let Source::Function(function) = &self.source else {
            return None;
        };
        if !self.is_built() {
            return None;
        }
        let values: Vec<_> = self.variables.iter().map(Variable::read).collect();
        let slices: Option<Vec<&[f32]>> = values.iter().map(|v| v.as_slice::<f32>().ok()).collect();
        function.host_result(&slices?).map(f64::from)
    }

    /// The result: on the host where that can be, else computed by the device.
    ///
    /// # Errors
    /// If the metric is not built, or what the device reports.
    pub fn value(&self, device: &Device) -> Result<Array> {
        if let Some(v) = self.host_value() {
            return Ok(Array::scalar(v as f32));
        }
        let mut results = device.eval(&[self.result()])?;
        Ok(results.remove(0))
    }

    /// Adds one batch at once, outside a model; builds the metric if it is not. `sample_weight` as in
    /// [`MetricFn::update`].
    ///
    /// # Errors
    /// As [`Metric::build`], or what the device reports.
    pub fn update_state(
        &mut self,
        device: &Device,
        y_true: impl Into<Array>,
        y_pred: impl Into<Array>,
        sample_weight: Option<Array>,
    ) -> Result<()> {
        let (y_true, y_pred) = (Tensor::constant(y_true), Tensor::constant(y_pred));
        let sample_weight = sample_weight.map(Tensor::constant);
        self.build(y_true.ty(), y_pred.ty())?;
        let updates = self.updates(&y_true, &y_pred, sample_weight.as_ref())?;
        let next: Vec<Tensor> = updates.into_iter().map(|(_, t)| t).collect();
        for (variable, value) in self.variables.iter().zip(device.eval(&next)?) {
            variable.assign(value)?;
        }
        Ok(())
    }

    /// Sets the state back to its first values; Keras' `reset_state`.
    ///
    /// # Errors
    /// None of its own; `assign` cannot fail on a value of the variable's shape.
    pub fn reset(&self) -> Result<()> {
        for (variable, value) in self.variables.iter().zip(&self.initial) {
            variable.assign(value.clone())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Function(function) => write!(f, "Metric(\"{}\" {function:?})", self.name),
            Source::ByShape(_) => write!(f, "Metric(\"{}\")", self.name),
            Source::Wrong(e) => write!(f, "Metric(error: {e})"),
        }
    }
}

impl From<&str> for Metric {
    fn from(identifier: &str) -> Metric {
        let source = match resolve::ByShape::from_str(identifier) {
            Some(by_shape) => Source::ByShape(by_shape),
            None => match registry::from_name(identifier) {
                Ok(metric) => metric.source,
                Err(e) => Source::Wrong(e),
            },
        };
        Metric {
            name: identifier.into(),
            string: Some(identifier.into()),
            source,
            variables: Vec::new(),
            initial: Vec::new(),
        }
    }
}

impl From<String> for Metric {
    fn from(identifier: String) -> Metric {
        identifier.as_str().into()
    }
}

impl<M: MetricFn + 'static> From<M> for Metric {
    fn from(function: M) -> Metric {
        Metric::new(function)
    }
}

impl<N: Into<String>, F> From<(N, F)> for Metric
where
    F: Fn(&Tensor, &Tensor) -> Tensor + Send + Sync + 'static,
{
    fn from((name, values): (N, F)) -> Metric {
        Metric::custom(name, values)
    }
}

/// The mean of a loss: its values per sample, neither weighted nor reduced by the loss itself.
impl From<crate::losses::Loss> for Metric {
    fn from(loss: crate::losses::Loss) -> Metric {
        Metric::custom(loss.name().to_string(), move |y_true, y_pred| {
            loss.values(y_true, &y_pred.cast(y_pred.dtype().promote(DType::F32)))
        })
    }
}
