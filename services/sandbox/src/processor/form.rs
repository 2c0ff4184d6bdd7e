//! Form-encoded parameters as Stripe takes them: `a=1`, `metadata[k]=v`, `created[gte]=…`.

use indexmap::IndexMap;

use super::fault::Fault;

/// The parameters of one request, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// Refuses what is not in `known`; `metadata` there allows `metadata[…]`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Fault> {
        for (name, _) in &self.0 {
            let stem = name.split('[').next().unwrap_or(name);
            if stem != "expand" && !known.contains(&stem) {
                let message = format!("Received unknown parameter: {name}");
                return Err(Fault::param("parameter_unknown", name, message));
            }
        }
        Ok(())
    }

    /// The value of `name`, if it is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        let missing = || Fault::param("parameter_missing", name, format!("Missing required param: {name}."));
        self.get(name).ok_or_else(missing)
    }

    /// A whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Fault> {
        let parse = |value: &str| {
            let wrong =
                |_| Fault::param("parameter_invalid_integer", name, format!("Invalid integer: {value}"));
            value.parse().map_err(wrong)
        };
        self.get(name).map(parse).transpose()
    }

    /// `true` or `false`; false when missing.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Fault> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Fault::param("parameter_invalid", name, format!("Invalid boolean: {other}"))),
        }
    }

    pub(crate) fn metadata(&self) -> IndexMap<String, String> {
        let key = |name: &str| Some(name.strip_prefix("metadata[")?.strip_suffix(']')?.to_owned());
        self.0.iter().filter_map(|(name, value)| Some((key(name)?, value.clone()))).collect()
    }

    /// The same for the same parameters in any order.
    pub(crate) fn canonical(&self) -> String {
        let mut pairs = self.0.clone();
        pairs.sort();
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}
