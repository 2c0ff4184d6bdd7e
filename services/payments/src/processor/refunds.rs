//! Money that goes back by the processor: asked for once, and followed to its end.
use super::{Pages, Processor, listed, named};
use anyhow::{Result, bail};
use serde_json::Value;
use uuid::Uuid;

/// How money stands that goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Going {
    /// The processor has done it.
    Done,
    /// It took the order, and it is not done yet.
    UnderWay,
    /// It was not done, or came back, and why.
    Failed(String),
}

/// Money that goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoingBack {
    /// The processor's reference.
    pub reference: String,
    /// How it stands.
    pub going: Going,
}

impl Processor {
    /// Gives money back, once: what was asked for before is found by what we told the processor of it, however long ago that was,
    /// and only where there is none it is asked for. The refund's id is the idempotency key.
    ///
    /// # Errors
    /// When the processor does not answer or says no; asked again later.
    pub async fn refund(&self, refund: Uuid, intent: &str, amount_cents: i64) -> Result<GoingBack> {
        if let Some(found) = self.refund_of(refund, intent).await? {
            return Ok(found);
        }
        let form = [
            ("payment_intent", intent.to_owned()),
            ("amount", amount_cents.to_string()),
            ("metadata[refund]", refund.to_string()),
        ];
        let asked = self.post("/v1/refunds", Some(refund), &form).await;
        let (status, body) = asked.map_err(reqwest::Error::without_url)?;
        match going_back(&body) {
            Some(going_back) if status.is_success() => Ok(going_back),
            _ => bail!(
                "the processor answered {status}: {}",
                body["error"]["code"].as_str().unwrap_or("no code")
            ),
        }
    }

    /// What of a charge goes back as this refund; of several tries the one that came furthest.
    ///
    /// # Errors
    /// When the processor does not answer.
    pub async fn refund_of(&self, refund: Uuid, intent: &str) -> Result<Option<GoingBack>> {
        let all = self.refunds_of(intent).await?;
        let tries = all.iter().filter(|found| refund_id(found) == Some(refund));
        // Newest first, and of equals the last one is taken.
        Ok(tries.rev().filter_map(going_back).max_by_key(|tried| match tried.going {
            Going::Done => 2,
            Going::UnderWay => 1,
            Going::Failed(_) => 0,
        }))
    }

    /// What the processor gave back for an intent, and has done, in cents.
    pub(super) async fn refunded_cents(&self, intent: &str) -> Result<i64> {
        let all = self.refunds_of(intent).await?;
        let done = all.iter().filter(|refund| refund["status"] == "succeeded");
        Ok(done.filter_map(|refund| refund["amount"].as_i64()).sum())
    }

    /// The refunds for an intent, newest first.
    async fn refunds_of(&self, intent: &str) -> Result<Vec<Value>> {
        let query = [("payment_intent", intent.to_owned()), ("limit", "100".to_owned())];
        Ok(listed(&self.get("/v1/refunds", &query).await?)?.clone())
    }

    /// Refunds since a second of the epoch.
    pub fn refunds(&self, since_s: i64) -> Pages<'_> {
        self.pages("/v1/refunds", since_s)
    }
}

/// Those that failed.
pub fn failed(refunds: &[Value]) -> impl Iterator<Item = &Value> {
    let has_failed =
        |found: &&Value| going_back(found).is_some_and(|tried| matches!(tried.going, Going::Failed(_)));
    refunds.iter().filter(has_failed)
}

/// Our id of a refund, as we told the processor.
pub fn refund_id(refund: &Value) -> Option<Uuid> {
    named(refund, "refund")
}

/// A refund from its object.
fn going_back(refund: &Value) -> Option<GoingBack> {
    let reason = || refund["failure_reason"].as_str().unwrap_or("unknown").to_owned();
    let going = match refund["status"].as_str()? {
        "succeeded" => Going::Done,
        "failed" | "canceled" => Going::Failed(reason()),
        _ => Going::UnderWay,
    };
    Some(GoingBack { reference: refund["id"].as_str()?.to_owned(), going })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_succeeded_is_done() {
        let going = |status: &str| going_back(&json!({ "id": "re_1", "status": status })).unwrap().going;
        assert_eq!(going("succeeded"), Going::Done);
        assert_eq!((going("pending"), going("requires_action")), (Going::UnderWay, Going::UnderWay));
        assert_eq!((going("failed"), going("canceled")), (Going::Failed("unknown".into()), going("failed")));
        let why = json!({ "id": "re_1", "status": "failed", "failure_reason": "lost_or_stolen_card" });
        assert_eq!(going_back(&why).unwrap().going, Going::Failed("lost_or_stolen_card".into()));
        assert_eq!(going_back(&json!({ "error": {} })), None);
    }
}
