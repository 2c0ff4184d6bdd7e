//! The processors by name: the one that is asked for money now, and those before it, which are asked for what became of what they took.
use crate::config::{Config, ProcessorConfig};
use crate::processor::Processor;
use crate::secret;
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the only processor is called of events from before its name was kept, and of a configuration that gives none.
pub const FIRST: &str = "card";

/// The name of a processor as it was kept; no name is the first one's.
pub fn called(name: &str) -> &str {
    if name.is_empty() { FIRST } else { name }
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Processors(Arc<[Processor]>);

impl Processors {
    /// Those of a configuration, each with the secret that signs its webhooks, in the same order.
    ///
    /// # Errors
    /// Two of one name, a name that is none, a secret that cannot be read or is empty.
    pub fn configured(config: &Config) -> Result<(Self, Vec<String>)> {
        let mut names = BTreeSet::new();
        let (mut all, mut secrets) = (Vec::new(), Vec::new());
        for one in std::iter::once(&config.processor).chain(&config.former_processors) {
            let ProcessorConfig { name, url, api_key_file, webhook_secret_file, .. } = one;
            let spelt =
                |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
            ensure!(
                (1..=32).contains(&name.len()) && name.chars().all(spelt),
                "a processor is called by at most 32 small letters, digits and hyphens, and not {name:?}"
            );
            ensure!(names.insert(name), "two processors are called {name:?}");
            all.push(Processor::new(name, url, &secret(api_key_file)?)?);
            secrets.push(secret(webhook_secret_file)?);
        }
        Ok((Self(all.into()), secrets))
    }

    /// The one that is asked for money; there always is one.
    pub fn current(&self) -> &Processor {
        &self.0[0]
    }

    /// All, the one first that is asked for money.
    pub fn all(&self) -> &[Processor] {
        &self.0
    }

    /// The one of this name; none where it is not configured.
    pub fn named(&self, name: &str) -> Option<&Processor> {
        self.0.iter().find(|one| one.name() == called(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_processor_is_the_first_ones_also_when_another_one_is_asked_now() {
        let made = |name: &str| Processor::new(name, "http://processor.example", "").unwrap();
        let processors = Processors(["other", FIRST].map(made).into());
        assert_eq!(processors.current().name(), "other");
        let named = |name| processors.named(name).map(Processor::name);
        assert_eq!((named(""), named("other"), named("gone")), (Some(FIRST), Some("other"), None));
    }
}
