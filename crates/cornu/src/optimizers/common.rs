//! The options that every optimizer has, in one place.

use super::schedules::{LearningRate, deserialize as schedule};
use crate::{Error, Result};
use serde_json::{Map, Value, json};

/// The options that every optimizer has. The optimizers' builder methods of the same names set them.
#[derive(Clone, Debug)]
pub struct Common {
    /// The learning rate: a number or a schedule.
    pub learning_rate: LearningRate,
    /// Decoupled weight decay: before the update, `w ← w − learning_rate · weight_decay · w`.
    pub weight_decay: Option<f64>,
    /// The gradient of each variable is scaled down to at most this Euclidean norm.
    pub clipnorm: Option<f64>,
    /// Gradients are limited to `−clipvalue..=clipvalue`.
    pub clipvalue: Option<f64>,
    /// All gradients together are scaled down to at most this Euclidean norm.
    pub global_clipnorm: Option<f64>,
    /// Whether to keep an exponential moving average of the weights.
    pub use_ema: bool,
    /// The average is `ema_momentum · average + (1 − ema_momentum) · weight`.
    pub ema_momentum: f64,
    /// The weights become their average every so many steps; `None`: only at the end of `fit`.
    pub ema_overwrite_frequency: Option<u32>,
    /// The loss is multiplied by this before it is differentiated, and gradients are divided by it.
    pub loss_scale_factor: Option<f64>,
    /// Weights change every so many steps, by the mean gradient of these steps.
    pub gradient_accumulation_steps: Option<u32>,
    /// The name; by default the class' in snake case.
    pub name: Option<String>,
    /// Variables whose name (the last part of the path) contains one of these are not decayed.
    pub excluded_from_weight_decay: Vec<String>,
}

impl Common {
    /// No option set but the learning rate.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Common {
        Common {
            learning_rate: learning_rate.into(),
            weight_decay: None,
            clipnorm: None,
            clipvalue: None,
            global_clipnorm: None,
            use_ema: false,
            ema_momentum: 0.99,
            ema_overwrite_frequency: None,
            loss_scale_factor: None,
            gradient_accumulation_steps: None,
            name: None,
            excluded_from_weight_decay: Vec::new(),
        }
    }

    /// Whether the options are possible, alone and together.
    ///
    /// # Errors
    /// Names the option and what it was.
    pub fn check(&self) -> Result<()> {
        match &self.learning_rate {
            LearningRate::Constant(lr) => at_least_zero("learning_rate", *lr)?,
            LearningRate::Schedule(s) => s.check()?,
        }
        for (name, value) in [
            ("weight_decay", self.weight_decay),
            ("clipnorm", self.clipnorm),
            ("clipvalue", self.clipvalue),
            ("global_clipnorm", self.global_clipnorm),
        ] {
            at_least_zero(name, value.unwrap_or(0.0))?;
        }
        let clips = [self.clipnorm, self.clipvalue, self.global_clipnorm];
        if clips.iter().flatten().count() > 1 {
            return Err(Error::new(format!(
                "Only one of clipnorm, clipvalue and global_clipnorm can be set. Received: \
                 clipnorm={}, clipvalue={}, global_clipnorm={}.",
                show(clips[0]),
                show(clips[1]),
                show(clips[2])
            )));
        }
        if let Some(k @ ..2) = self.gradient_accumulation_steps {
            return Err(Error::new(format!(
                "gradient_accumulation_steps must be an integer >= 2. Received: {k}."
            )));
        }
        if self.use_ema {
            if !(0.0..=1.0).contains(&self.ema_momentum) {
                return Err(Error::new(format!(
                    "ema_momentum must be in the range [0, 1]. Received: {}.",
                    self.ema_momentum
                )));
            }
            if self.ema_overwrite_frequency == Some(0) {
                return Err(Error::new(
                    "ema_overwrite_frequency must be an integer >= 1 or None. Received: 0.",
                ));
            }
        }
        match self.loss_scale_factor {
            Some(s) if !(s > 0.0 && s.is_finite()) => Err(Error::new(format!(
                "loss_scale_factor must be a positive number. Received: {s}."
            ))),
            _ => Ok(()),
        }
    }

    /// Adds the options under Keras' names, in Keras' order.
    pub(super) fn write(&self, config: &mut Map<String, Value>, name: &str, learning_rate: Value) {
        let entries = [
            ("name", json!(name)),
            ("learning_rate", learning_rate),
            ("weight_decay", json!(self.weight_decay)),
            ("clipnorm", json!(self.clipnorm)),
            ("global_clipnorm", json!(self.global_clipnorm)),
            ("clipvalue", json!(self.clipvalue)),
            ("use_ema", json!(self.use_ema)),
            ("ema_momentum", json!(self.ema_momentum)),
            (
                "ema_overwrite_frequency",
                json!(self.ema_overwrite_frequency),
            ),
            ("loss_scale_factor", json!(self.loss_scale_factor)),
            (
                "gradient_accumulation_steps",
                json!(self.gradient_accumulation_steps),
            ),
        ];
        for (key, value) in entries {
            config.insert(key.to_owned(), value);
        }
    }

    /// Takes the common options out of a configuration; those it lacks stay as they are.
    pub(super) fn take(&mut self, config: &mut Map<String, Value>) -> Result<()> {
        fn field<T: serde::de::DeserializeOwned>(
            config: &mut Map<String, Value>,
            key: &str,
            into: &mut T,
        ) -> Result<()> {
            if let Some(value) = config.remove(key) {
                *into = serde_json::from_value(value)
                    .map_err(|e| Error::new(format!("Optimizer option \"{key}\": {e}.")))?;
            }
            Ok(())
        }
        match config.remove("learning_rate") {
            Some(Value::Object(o)) => {
                self.learning_rate = LearningRate::Schedule(schedule(&Value::Object(o))?);
            }
            Some(value) => {
                config.insert("learning_rate".to_owned(), value);
                let mut lr = 0.0;
                field(config, "learning_rate", &mut lr)?;
                self.learning_rate = LearningRate::Constant(lr);
            }
            None => {}
        }
        // Of Keras 2; Keras 3 takes it and does nothing with it.
        config.remove("decay");
        field(config, "weight_decay", &mut self.weight_decay)?;
        field(config, "clipnorm", &mut self.clipnorm)?;
        field(config, "clipvalue", &mut self.clipvalue)?;
        field(config, "global_clipnorm", &mut self.global_clipnorm)?;
        field(config, "use_ema", &mut self.use_ema)?;
        field(config, "ema_momentum", &mut self.ema_momentum)?;
        field(
            config,
            "ema_overwrite_frequency",
            &mut self.ema_overwrite_frequency,
        )?;
        field(config, "loss_scale_factor", &mut self.loss_scale_factor)?;
        field(
            config,
            "gradient_accumulation_steps",
            &mut self.gradient_accumulation_steps,
        )?;
        field(config, "name", &mut self.name)
    }
}

fn show(value: Option<f64>) -> String {
    value.map_or("None".to_owned(), |v| v.to_string())
}

/// An error unless `value` is a finite number, 0 or more.
pub(super) fn at_least_zero(name: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::new(format!(
        "{name} must be a number >= 0. Received: {value}."
    )))
}

/// An error unless `value` is in `[0, 1)`, as a rate of decay has to be.
pub(super) fn fraction(name: &str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::new(format!(
        "{name} must be in the range [0, 1). Received: {value}."
    )))
}

/// The fields of a rule or a schedule that serde knows, as a JSON object.
pub(super) fn own_config<T: serde::Serialize>(options: &T) -> Map<String, Value> {
    match serde_json::to_value(options) {
        Ok(Value::Object(map)) => map,
        other => unreachable!("options are plain structs, not {other:?}"),
    }
}

/// Builder methods of a struct, each of which sets the field of its name.
macro_rules! setters {
    ($class:ident { $($(#[$doc:meta])* $field:ident: $ty:ty,)+ }) => {
        impl $class {
            $($(#[$doc])*
            pub fn $field(mut self, $field: $ty) -> Self {
                self.$field = $field;
                self
            })+
        }
    };
}
pub(super) use setters;

/// `new()`, the builder methods of the common options and `from_config` for an optimizer: a struct
/// with a field `common`, Keras' defaults as `Default`, and serde for its other fields.
macro_rules! common_options {
    ($optimizer:ident) => {
        impl $optimizer {
            /// The optimizer with Keras' defaults.
            pub fn new() -> Self {
                Self::default()
            }

            /// From Keras' `get_config()`; what it lacks has its default.
            pub(super) fn from_config(
                mut config: serde_json::Map<String, serde_json::Value>,
            ) -> crate::Result<Self> {
                let mut common = Self::default().common;
                common.take(&mut config)?;
                let config = serde_json::Value::Object(config);
                let own: Self = crate::config::read(stringify!($optimizer), &config)?;
                Ok(Self { common, ..own })
            }

            /// The learning rate: a number or a [schedule](crate::optimizers::schedules).
            pub fn learning_rate(
                mut self,
                rate: impl Into<crate::optimizers::schedules::LearningRate>,
            ) -> Self {
                self.common.learning_rate = rate.into();
                self
            }

            /// Decoupled weight decay: before each update, `w ← w − learning_rate · decay · w`.
            pub fn weight_decay(mut self, decay: impl Into<Option<f64>>) -> Self {
                self.common.weight_decay = decay.into();
                self
            }

            /// Variables whose name (the last part of the path) contains one of these texts are not
            /// decayed; for example `["bias"]`.
            pub fn exclude_from_weight_decay<S: Into<String>>(
                mut self,
                names: impl IntoIterator<Item = S>,
            ) -> Self {
                self.common.excluded_from_weight_decay =
                    names.into_iter().map(Into::into).collect();
                self
            }

            /// Scales the gradient of each variable down to at most this Euclidean norm.
            pub fn clipnorm(mut self, norm: impl Into<Option<f64>>) -> Self {
                self.common.clipnorm = norm.into();
                self
            }

            /// Limits gradients to `−value..=value`.
            pub fn clipvalue(mut self, value: impl Into<Option<f64>>) -> Self {
                self.common.clipvalue = value.into();
                self
            }

            /// Scales all gradients together down to at most this Euclidean norm.
            pub fn global_clipnorm(mut self, norm: impl Into<Option<f64>>) -> Self {
                self.common.global_clipnorm = norm.into();
                self
            }

            /// Keeps an exponential moving average of the weights; they become it at the end of
            /// `fit`.
            pub fn use_ema(mut self, yes: bool) -> Self {
                self.common.use_ema = yes;
                self
            }

            /// The share of the old average in the new (default 0.99).
            pub fn ema_momentum(mut self, momentum: f64) -> Self {
                self.common.ema_momentum = momentum;
                self
            }

            /// The weights become their average every so many steps too.
            pub fn ema_overwrite_frequency(mut self, steps: impl Into<Option<u32>>) -> Self {
                self.common.ema_overwrite_frequency = steps.into();
                self
            }

            /// Multiplies the loss by this before it is differentiated, and divides the gradients
            /// by it, so that small gradients of 16-bit types do not vanish.
            pub fn loss_scale_factor(mut self, factor: impl Into<Option<f64>>) -> Self {
                self.common.loss_scale_factor = factor.into();
                self
            }

            /// Changes weights every so many steps (2 or more), by the mean gradient of these
            /// steps.
            pub fn gradient_accumulation_steps(mut self, steps: impl Into<Option<u32>>) -> Self {
                self.common.gradient_accumulation_steps = steps.into();
                self
            }

            /// The name (by default the class' in snake case).
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.common.name = Some(name.into());
                self
            }
        }
    };
}
pub(super) use common_options;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_options_are_named() {
        let wrong = |change: fn(&mut Common)| {
            let mut common = Common::new(0.1);
            assert!(common.check().is_ok());
            change(&mut common);
            common.check().unwrap_err().to_string()
        };
        assert_eq!(
            wrong(|c| c.learning_rate = LearningRate::Constant(-0.5)),
            "learning_rate must be a number >= 0. Received: -0.5."
        );
        let two = wrong(|c| (c.clipnorm, c.clipvalue) = (Some(1.0), Some(0.5)));
        assert!(
            two.ends_with("clipnorm=1, clipvalue=0.5, global_clipnorm=None."),
            "{two}"
        );
        assert!(wrong(|c| c.gradient_accumulation_steps = Some(1)).contains(">= 2"));
        assert!(wrong(|c| (c.use_ema, c.ema_momentum) = (true, 1.5)).contains("[0, 1]"));
        assert!(
            wrong(|c| (c.use_ema, c.ema_overwrite_frequency) = (true, Some(0))).contains(">= 1")
        );
        assert!(wrong(|c| c.loss_scale_factor = Some(0.0)).contains("positive"));
        assert!(wrong(|c| c.weight_decay = Some(f64::NAN)).contains("weight_decay"));
    }
}
