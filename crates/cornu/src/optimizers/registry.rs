//! Optimizers by Keras' names.

use super::*;
use crate::{Error, Result};
use serde_json::{Map, Value};

type Config = Map<String, Value>;
type Make = fn(Config) -> Result<Box<dyn Rule>>;

macro_rules! registry {
    ($($class:ident)*) => {
        /// The names of the classes.
        const KNOWN: &[&str] = &[$(stringify!($class)),*];

        /// How to read an optimizer of this class, one of [`KNOWN`], from its configuration.
        fn reader(class: &str) -> Option<Make> {
            match class {
                $(stringify!($class) => Some(|config| Ok(Box::new($class::from_config(config)?))),)*
                _ => None,
            }
        }

        /// An optimizer of this class, one of [`KNOWN`], with its defaults. Apart from [`reader`], so that
        /// programs that read no model hold nothing that reads configurations.
        fn default(class: &str) -> Option<Box<dyn Rule>> {
            match class {
                $(stringify!($class) => Some(Box::new($class::new())),)*
                _ => None,
            }
        }
    };
}

registry! {
    SGD RMSprop Adam AdamW Adamax Nadam Adagrad Adadelta Adafactor Ftrl Lion Lamb Muon ScheduleFreeAdamW
}

/// The rule of this class (in any case) with this configuration.
pub(super) fn from_config(class: &str, config: Config) -> Result<Box<dyn Rule>> {
    match known(class).and_then(reader) {
        Some(make) => make(config),
        None => Err(unknown(class)),
    }
}

/// The rule of this class (in any case) with its defaults.
pub(super) fn from_name(class: &str) -> Result<Box<dyn Rule>> {
    known(class).and_then(default).ok_or_else(|| unknown(class))
}

/// The class as it is spelt.
fn known(class: &str) -> Option<&'static str> {
    let same = |name: &&str| name.eq_ignore_ascii_case(class);
    KNOWN.iter().copied().find(same)
}

fn unknown(class: &str) -> Error {
    // Both spellings are right; the one in use is told.
    let small = class.chars().all(|c| !c.is_uppercase());
    let spell = |name: &str| {
        if small {
            name.to_lowercase()
        } else {
            name.to_string()
        }
    };
    let names: Vec<String> = KNOWN.iter().map(|name| spell(name)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Error::unknown("optimizer", class, &names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::Optimizer;

    #[test]
    fn a_string_means_what_an_empty_configuration_means() {
        for class in KNOWN {
            let named = Optimizer::from(*class);
            assert!(named.check().is_ok());
            let read = Optimizer::from_config(class, Map::new()).unwrap();
            assert_eq!(named.serialize(), read.serialize());
        }
    }
}
