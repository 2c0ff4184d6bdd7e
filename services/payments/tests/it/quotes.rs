//! A quote is checked row by row against the fee table.

use crate::client::{id, reason};
use crate::world::World;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn only_rows_of_the_fee_table_are_quoted() {
    let world = World::start().await;
    let (filing, account) = (world.service("filing"), world.person().account);

    let right = world.quote_request(account, "N-400");
    let quote = filing.quote(right.clone()).await.unwrap();
    assert_eq!(quote.total.as_ref().unwrap().cents, right.rows[0].cents);
    assert_eq!(quote.rows, right.rows);
    assert!(quote.valid_until_us > world.bench.now().as_microsecond());
    assert_eq!(filing.quote(right.clone()).await.unwrap().name, quote.name, "asked twice, made once");
    let mut other = right.clone();
    other.account_id = id();
    assert_eq!(reason(&filing.quote(other).await.unwrap_err()), "REQUEST_ID_REUSED");

    let change = |change: fn(&mut docket_proto::payments::v1::CreateQuoteRequest)| {
        let mut request = world.quote_request(account, "N-400");
        change(&mut request);
        let filing = filing.clone();
        async move { filing.quote(request).await.unwrap_err() }
    };
    let differs = [
        change(|request| request.rows[0].cents -= 1).await,
        change(|request| request.rows[0].row = "of_nobody".into()).await,
        change(|request| request.table_version = "of_another_day".into()).await,
        change(|request| request.filing_date = "1999-12-31".into()).await,
    ];
    for refused in differs {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "FEE_DIFFERS"));
    }
    let unknown = change(|request| request.rows[0].form = "X-1".into()).await;
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::InvalidArgument, "FORM_UNKNOWN"));
    let malformed = change(|request| request.filing_date = "today".into()).await;
    assert_eq!(reason(&malformed), "DATE_MALFORMED");
    assert_eq!(world.rows("SELECT count(*) FROM log.event").await, 1);
}
