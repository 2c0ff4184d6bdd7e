//! What every service is asked, also where one of them is away: what it cannot tell hides nothing of the others.
use super::Operator;
use crate::client::{passing, plainly};
use crate::commands::Refused;
use crate::failure::{Ending, Said};
use anyhow::Result;
use serde_json::json;
use tonic::{Response, Status};

/// Who did not answer.
#[derive(Debug, Default)]
pub(super) struct Away(Vec<String>);

impl Away {
    /// What a service answered; none where it is away, which is told. Whoever named it asks nobody else, and hears it as the end.
    pub(super) fn unless<T>(
        &mut self,
        operator: &Operator<'_>,
        service: &str,
        answer: Result<Response<T>, Status>,
    ) -> Result<Option<T>> {
        match answer {
            Ok(answer) => Ok(Some(answer.into_inner())),
            Err(status) if operator.named.is_none() && passing(&status) => {
                let why = plainly(&status);
                if operator.teller.is_json() {
                    operator.teller.value(&json!({"service": service, "away": why}));
                } else {
                    operator.teller.line(&format!("{service} is away: {why}"));
                }
                self.0.push(service.to_owned());
                Ok(None)
            }
            Err(status) => Err(Refused::from(status).into()),
        }
    }

    /// Whether all have answered.
    pub(super) fn is_nobody(&self) -> bool {
        self.0.is_empty()
    }

    /// The end of what was asked of all.
    ///
    /// # Errors
    /// Who was away.
    pub(super) fn end(self) -> Result<()> {
        if self.is_nobody() {
            return Ok(());
        }
        Err(Said(Ending::Away, format!("not all have answered: {} away", self.0.join(", "))).into())
    }
}
