//! Optimizers as Keras' JSON and by name.

use super::Optimizer;
use crate::config;
use crate::optimizers::schedules::{self, LearningRate};
use crate::optimizers::{RMSprop, registry};
use crate::{Error, Result};
use serde_json::{Map, Value, json};

impl From<&str> for Optimizer {
    /// By Keras' name of the class, in any case; an unknown one is remembered for
    /// [`check`](Optimizer::check).
    fn from(name: &str) -> Optimizer {
        match registry::from_name(name) {
            Ok(rule) => Optimizer::new(rule),
            Err(e) => Optimizer {
                error: Some(e),
                ..RMSprop::new().into()
            },
        }
    }
}

impl From<String> for Optimizer {
    fn from(name: String) -> Optimizer {
        Optimizer::from(name.as_str())
    }
}

impl Optimizer {
    /// Keras' `get_config()`: every option under its name. The learning rate is the present one, as
    /// the `f32` it is.
    pub fn to_config(&self) -> Map<String, Value> {
        let learning_rate = match &self.rule.common().learning_rate {
            LearningRate::Constant(_) => json!(self.learning_rate()),
            LearningRate::Schedule(s) => schedules::serialize(&**s),
        };
        let mut config = Map::new();
        self.rule
            .common()
            .write(&mut config, &self.name, learning_rate);
        config.extend(self.rule.config());
        config
    }

    /// As Keras writes it into `config.json`: module, class, configuration.
    ///
    /// ```
    /// use cornu::optimizers::{Adam, Optimizer};
    /// let json = Optimizer::from(Adam::new()).serialize();
    /// assert_eq!(json["module"], "keras.optimizers");
    /// assert_eq!(json["config"]["learning_rate"], 0.0010000000474974513);
    /// assert_eq!(Optimizer::deserialize(&json)?.class_name(), "Adam");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn serialize(&self) -> Value {
        config::object("keras.optimizers", self.class_name(), &self.to_config())
    }

    /// From what [`serialize`](Optimizer::serialize) (or Keras) writes, or from a mere name.
    ///
    /// # Errors
    /// If the class or an option is not known, or an option is impossible.
    pub fn deserialize(json: &Value) -> Result<Optimizer> {
        if let Some(class) = json.as_str() {
            let own = crate::saving::custom_optimizer(class, &Value::Null);
            return own.unwrap_or_else(|| Optimizer::from_config(class, Map::new()));
        }
        let (class, config) = config::parts("optimizer", json)?;
        if let Some(own) = crate::saving::custom_optimizer(class, &config) {
            return own;
        }
        match (class, config) {
            (class, Value::Object(config)) => Optimizer::from_config(class, config),
            (class, other) => Err(Error::new(format!(
                "The configuration of optimizer \"{class}\" is no object. Received: {other}."
            ))),
        }
    }

    /// From Keras' name of the class (in any case) and its `get_config()`; what the configuration
    /// lacks has its default.
    ///
    /// # Errors
    /// If the class or an option is not known, or an option is impossible.
    pub fn from_config(class: &str, config: Map<String, Value>) -> Result<Optimizer> {
        let optimizer = Optimizer::new(registry::from_config(class, config)?);
        optimizer.check()?;
        Ok(optimizer)
    }
}
