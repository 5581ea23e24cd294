//! Optimizers by Keras' names.

use super::*;
use crate::{Error, Result};
use serde_json::{Map, Value};

type Config = Map<String, Value>;
type Make = fn(Config) -> Result<Box<dyn Rule>>;

macro_rules! registry {
    ($($class:ident)*) => {
        /// Every optimizer by the name of its class.
        const KNOWN: &[(&str, Make)] = &[$((stringify!($class), |config| {
            Ok(Box::new($class::from_config(config)?))
        })),*];
    };
}

registry! {
    SGD RMSprop Adam AdamW Adamax Nadam Adagrad Adadelta Adafactor Ftrl Lion Lamb Muon ScheduleFreeAdamW
}

/// The rule of this class (in any case) with this configuration.
pub(super) fn from_config(class: &str, config: Config) -> Result<Box<dyn Rule>> {
    let found = KNOWN
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(class));
    let Some((_, make)) = found else {
        // Both spellings are right; the one in use is told.
        let small = class.chars().all(|c| !c.is_uppercase());
        let spell = |name: &str| {
            if small {
                name.to_lowercase()
            } else {
                name.to_string()
            }
        };
        let names: Vec<String> = KNOWN.iter().map(|(name, _)| spell(name)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        return Err(Error::unknown("optimizer", class, &names));
    };
    make(config)
}
